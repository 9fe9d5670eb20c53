"""Curated tables when the code that builds them changes."""

from __future__ import annotations

import pytest
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lake.contracts import READ
from spark_jobs import curated
from tests.integration.spark_jobs.branch import INSTANT, KEY, contract
from tests.integration.spark_jobs.conftest import Opener

AMOUNT = {"type": "int", "nullable": False}
ORDERS = contract("orders", key=["order_id"], columns={"order_id": KEY, "amount": AMOUNT, "at": INSTANT})


def plain(orders: DataFrame) -> DataFrame:
    return orders.select("order_id", "amount")


def doubled(orders: DataFrame) -> DataFrame:
    return orders.select("order_id", (F.col("amount") * 2).alias("amount"))


def with_another_column(orders: DataFrame) -> DataFrame:
    return doubled(orders).withColumn("is_large", F.col("amount") > 10)


def with_a_column_less(orders: DataFrame) -> DataFrame:
    return orders.select("order_id")


def test_a_fact_is_of_one_code(open_branch: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    branch = open_branch(ORDERS)
    branch.run(0, full=True, orders=[(READ, 1, 1), (READ, 2, 5), (READ, 3, 7)])

    def curate(build: curated.Builder, day: int, touched: set[str]) -> int:
        monkeypatch.setattr(curated, "MODELS", (curated.Model("fct_sums", build, ("orders",)),))
        return branch.curate(day, full=set() if day else touched, touched=touched).written["fct_sums"]

    assert curate(plain, 0, {"orders"}) == 3

    branch.run(1, orders=[(READ, 2, 6)])
    assert curate(plain, 1, {"orders"}) == 1
    assert branch.rows("curated", "fct_sums", "order_id", "amount") == [(1, 1), (2, 6), (3, 7)]

    branch.run(2, orders=[(READ, 1, 2)])
    assert curate(doubled, 2, {"orders"}) == 3
    assert branch.rows("curated", "fct_sums", "order_id", "amount") == [(1, 4), (2, 12), (3, 14)]

    assert curate(with_another_column, 3, set()) == 3
    assert branch.rows("curated", "fct_sums", "order_id", "is_large") == [(1, False), (2, True), (3, True)]
    assert curate(with_another_column, 3, set()) == 0

    assert curate(with_a_column_less, 4, set()) == 3
    assert branch.columns("curated", "fct_sums") == ["order_id"]


def test_a_fact_whose_inputs_have_become_wider_is_built_anew(
    open_branch: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(curated, "MODELS", (curated.Model("fct_sums", plain, ("orders",)),))
    branch = open_branch(ORDERS)
    branch.run(0, full=True, orders=[(READ, 1, 1), (READ, 2, 5)])
    branch.curate(0, full={"orders"}, touched={"orders"})

    columns = {"order_id": KEY, "amount": {**AMOUNT, "type": "bigint"}, "at": INSTANT}
    branch.contracts["orders"] = contract("orders", key=["order_id"], columns=columns)
    branch.run(1, orders=[(READ, 2, 2**40)])
    assert branch.curate(1, full=set(), touched={"orders"}).written == {"fct_sums": 2}
    assert branch.rows("curated", "fct_sums", "order_id", "amount") == [(1, 1), (2, 2**40)]
