"""Sessions side by side on one server, and in one process."""

from __future__ import annotations

from typing import Any

from pyspark.sql.connect.client.reattach import ExecutePlanResponseReattachableIterator as Answers

from spark_jobs.session import connect, disconnect


def test_what_is_left_of_a_session_takes_nothing_from_those_that_work(spark: Any) -> None:
    """Python throws it away some time, and it may be a thread of another session's in which it does."""
    ended = connect()
    assert ended.range(3).count() == 3
    disconnect(ended)
    assert spark.range(3).count() == 3
    threads = Answers._release_thread_pool_instance
    assert threads is not None
    threads.submit(ended.__del__).result(timeout=30)
    assert Answers._release_thread_pool_instance is threads
    assert spark.range(3).count() == 3
