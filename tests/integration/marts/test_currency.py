"""The test of dbt that keeps sums of several currencies out of the marts, on Trino."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from lake.errors import AuditError
from lake.layers import marts, raw
from lake.platform import catalog, sql


@pytest.fixture
def check(platform: None, tmp_path: Path) -> Iterator[Callable[[list[str]], None]]:
    """Called with the currencies of some orders: puts them to the test, on a branch of its own."""
    branch = f"test_{uuid.uuid4().hex[:12]}"
    raw.prepare(catalog.MAIN)
    catalog.create_branch(branch)

    def test(currencies: list[str]) -> None:
        orders = pa.table({"order_id": pa.array(range(len(currencies)), pa.int64()), "currency": currencies})
        lake, table = raw.open_catalog(branch), ("curated", "fct_orders")
        if lake.table_exists(table):  # the branch begins with what other tests have published
            lake.drop_table(table)
        lake.create_table(table, orders.schema).append(orders)
        with sql.catalog_at(branch, branch):
            marts._invoke(["test", "--select", "orders_are_of_one_currency"], branch, tmp_path)

    yield test
    catalog.delete_branch(branch)


def test_orders_of_one_currency_may_be_summed(check: Callable[[list[str]], None]) -> None:
    check(["EUR", "EUR"])


def test_orders_of_two_currencies_stop_the_publish(check: Callable[[list[str]], None]) -> None:
    with pytest.raises(AuditError, match="orders_are_of_one_currency: 2 rows break it"):
        check(["USD", "EUR", "USD"])
