"""What is kept by month: whatever happens to a shop, building the months that a run touched comes to the same as
building all of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from lake.contracts import DELETE, READ
from lake.layers import marts, raw
from lake.platform import catalog, sql
from spark_jobs import curated
from tests.integration.spark_jobs.branch import DAY, INSTANT, KEY, Branch, contract
from tests.integration.spark_jobs.conftest import Opener

TEXT, MONEY, NUMBER = {"type": "varchar(20)"}, {"type": "decimal(12,2)"}, {"type": "bigint"}
TRUTH = {"type": "tinyint(1)", "as": "boolean"}
ORDERS = contract(
    "orders",
    key=["order_id"],
    columns={
        "order_id": KEY, "customer_id": NUMBER, "store_id": NUMBER, "status": TEXT, "channel": TEXT, "currency": TEXT,
        "ordered_at": INSTANT, "at": INSTANT,
    },
)  # fmt: skip
ITEMS = contract(
    "order_items",
    key=["order_item_id"],
    columns={
        "order_item_id": KEY, "order_id": NUMBER, "product_id": NUMBER, "quantity": NUMBER, "sales_value": MONEY,
        "retail_discount": MONEY, "coupon_discount": MONEY, "coupon_match_discount": MONEY,
        "unit_cost": MONEY, "at": INSTANT,
    },
)  # fmt: skip
PRODUCTS = contract(
    "products",
    key=["product_id"],
    columns={
        "product_id": KEY, "product_name": TEXT, "category_id": NUMBER, "brand": TEXT, "product_type": TEXT,
        "package_size": TEXT, "manufacturer_id": NUMBER, "list_price": MONEY, "unit_cost": MONEY,
        "is_active": TRUTH, "at": INSTANT,
    },
)  # fmt: skip
CATEGORIES = contract(
    "categories",
    key=["category_id"],
    columns={"category_id": KEY, "department": TEXT, "category_name": TEXT, "at": INSTANT},
)
MODELS = tuple(model for model in curated.MODELS if model.name in ("dim_product", "fct_order_items"))
BUILT = {
    "intermediate": ("int_product_months", "int_category_months", "int_category_days", "int_category_pairs"),
    "marts": ("product_performance", "category_performance"),
}
COSTS = (None, Decimal("0.75"))
Row = tuple[Any, ...]


def _order(order: int, customer: int | None, month: int, status: str) -> Row:
    return (order, customer, 1, status, "web", "EUR", datetime(2026, month, 10 + order, tzinfo=UTC))


def _item(item: int, order: int, product: int, quantity: int) -> Row:
    value = Decimal(quantity * (10 + product)).scaleb(-1).quantize(Decimal("0.01"))
    discount = Decimal(item % 3).scaleb(-1).quantize(Decimal("0.01"))
    return (item, order, product, quantity, value, discount, Decimal("0.00"), Decimal("0.00"), COSTS[item % 2])


def _product(product: int, category: int) -> Row:
    return (product, "n", category, "b", "t", "s", 1, Decimal("1.00"), None, True)


_few = st.integers(1, 4)
ROWS: dict[str, st.SearchStrategy[Row]] = {
    "orders": st.builds(
        _order, _few, st.none() | st.integers(1, 2), st.integers(1, 3), st.sampled_from(["paid", "cancelled"])
    ),
    "order_items": st.builds(_item, st.integers(1, 8), _few, _few, st.integers(1, 3)),
    "products": st.builds(_product, _few, st.integers(1, 2)),
}
KEYS = st.tuples(st.sampled_from(["orders", "order_items", "products"]), st.integers(1, 8))
CHANGE = st.one_of(*[st.tuples(st.just(table), rows) for table, rows in ROWS.items()], KEYS)
HISTORIES = st.lists(st.lists(CHANGE, min_size=1, max_size=5), min_size=2, max_size=4)


@dataclass
class Shop:
    """Some tables of a shop, by their keys."""

    tables: dict[str, dict[int, Row]] = field(
        default_factory=lambda: {
            "orders": {order: _order(order, 1, 1 + order % 3, "paid") for order in range(1, 5)},
            "order_items": {item: _item(item, 1 + item % 4, 1 + item % 3, 1) for item in range(1, 6)},
            "products": {product: _product(product, 1 + product % 2) for product in range(1, 4)},
            "categories": {number: (number, "d", f"c{number}") for number in (1, 2)},
        }
    )

    def change(self, changes: list[tuple[str, Row | int]]) -> dict[str, list[Row]]:
        """What an extraction would read after some rows were written, or deleted by their key."""
        seen: dict[tuple[str, int], Row] = {}
        for table, change in changes:
            if not isinstance(change, int):
                self.tables[table][change[0]] = change
                seen[table, change[0]] = (READ, *change)
            elif self.tables[table].pop(change, None):
                width = len(CONTRACTS[table].columns) - 2
                seen[table, change] = (DELETE, change, *[None] * width)
        found: dict[str, list[Row]] = {}
        for (table, _), row in seen.items():
            found.setdefault(table, []).append(row)
        return found


CONTRACTS = {one.table: one for one in (ORDERS, ITEMS, PRODUCTS, CATEGORIES)}


def _build(branch: Branch, target: Path, months: list[str] | None) -> dict[str, list[Row]]:
    """Build what is kept by month and what is made of it; all rows of it."""
    kept = ["--full-refresh"] if months is None else ["--vars", f"months: [{', '.join(map(repr, months))}]"]
    names = [name for models in BUILT.values() for name in models]
    marts._invoke(["run", *kept, "--select", *names], branch.name, target)
    found = {}
    for schema, models in BUILT.items():
        for name in models:
            rows = sql.query(f"SELECT * FROM {schema}.{name}", branch.name)[1]
            found[name] = sorted(map(tuple, rows), key=str)
    return found


@pytest.fixture
def on_trino(open_branch: Opener, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Called without arguments: an empty branch of these tables, which Trino sees too."""
    monkeypatch.setattr(curated, "MODELS", MODELS)
    shown = []

    def opener() -> Branch:
        branch = open_branch(*CONTRACTS.values())
        # The branch begins with what other tests have published under these names.
        ours = {*CONTRACTS, *(model.name for model in MODELS), *(name for models in BUILT.values() for name in models)}
        for layer, name in (qualified.split(".", 1) for qualified in catalog.tables(branch.name)):
            if name in ours:
                raw.open_catalog(branch.name).drop_table((layer, name))
        shown.append(sql.catalog_at(branch.name, branch.name))
        shown[-1].__enter__()
        return branch

    yield opener
    for one in shown:
        one.__exit__(None, None, None)


@pytest.mark.thorough
@pytest.mark.parametrize("examples", [3, pytest.param(20, marks=pytest.mark.slow)])
def test_the_months_that_were_touched_are_enough(on_trino: Any, tmp_path: Path, examples: int) -> None:
    @settings(
        max_examples=examples, deadline=None, derandomize=examples < 10, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(HISTORIES)
    def holds(history: list[list[tuple[str, Row | int]]]) -> None:
        branch, shop = on_trino(), Shop()
        branch.run(
            0, full=True, **{name: [(READ, *row) for row in rows.values()] for name, rows in shop.tables.items()}
        )
        assert branch.curate(0, full=set(CONTRACTS), touched=set(CONTRACTS)).months is None
        kept = _build(branch, tmp_path, None)
        for day, changes in enumerate(history[: len(DAY) - 1], start=1):
            rows = shop.change(changes)
            branch.run(day, **rows)
            done = branch.curate(day, full=set(), touched=set(rows))
            months = None if done.months is None else [month.isoformat() for month in done.months]
            note(f"day {day}: {rows} touches {months}")
            kept = _build(branch, tmp_path, months)
        assert kept == _build(branch, tmp_path, None)

    holds()
