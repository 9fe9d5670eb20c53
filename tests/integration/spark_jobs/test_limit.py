"""The limit of Spark's work, on Spark itself."""

from __future__ import annotations

from typing import Any

import pytest

from lake.errors import SparkTimeoutError
from spark_jobs.limit import Limit
from spark_jobs.session import connect, disconnect


def test_a_job_without_an_end_is_ended_and_spark_takes_the_next(spark: Any) -> None:
    # What Spark has never done it compiles for seconds, and a job that is ended before it has begun is begun after all.
    spark.range(7).selectExpr("sum(id % 7)").collect()
    with (
        pytest.raises(SparkTimeoutError, match=r"it was at cleaned\.endless"),
        Limit(spark, 3) as limit,
        limit.at("cleaned.endless"),
    ):
        spark.range(10**15).selectExpr("sum(id % 7)").collect()

    another = connect()
    try:
        assert another.range(3).count() == 3
    finally:
        disconnect(another)
