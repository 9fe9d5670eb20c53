"""The limit of Spark's work, on a session that does as it is told, and on one that does not listen."""

from __future__ import annotations

from threading import Event

import pytest

from lake.errors import SparkTimeoutError
from spark_jobs.limit import Limit


class Session:
    """Stands for Spark: its work ends when it is interrupted, or only when the connection is closed."""

    def __init__(self, listens: bool) -> None:
        self.client = self
        self._listens = listens
        self._ended = Event()
        self.was_closed = False

    def work(self) -> None:
        """A query that never ends by itself."""
        assert self._ended.wait(30), "nobody ended the work"
        raise ConnectionError("the operation was canceled")

    def interruptAll(self) -> None:
        if self._listens:
            self._ended.set()

    def close(self) -> None:
        self.was_closed = True
        self._ended.set()


@pytest.mark.parametrize("listens", [True, False])
def test_work_without_an_end_is_ended_and_named(listens: bool) -> None:
    session = Session(listens)
    with (
        pytest.raises(SparkTimeoutError, match=r"after 0\.1 s .* it was at cleaned\.orders \(for 0\.\d s\)") as raised,
        Limit(session, 0.1, grace_seconds=0.2) as limit,
    ):
        with limit.at("cleaned.customers"):
            pass
        with limit.at("cleaned.orders"):
            session.work()
    assert isinstance(raised.value.__cause__, ConnectionError)
    assert "LAKE_SPARK_TIMEOUT_SECONDS" in raised.value.fix
    assert session.was_closed is not listens


def test_work_that_is_done_in_time_is_left_alone() -> None:
    session = Session(listens=True)
    with Limit(session, 30) as limit, limit.at("cleaned.orders"):
        pass
    assert not session.was_closed


def test_what_failed_by_itself_says_so() -> None:
    with pytest.raises(ValueError, match="mine"), Limit(Session(listens=True), 30):
        raise ValueError("mine")
