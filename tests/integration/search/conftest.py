"""A node of OpenSearch as people start it, and the products of the demo shop without a lake."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest

from lake.runtime import opensearch, supervise
from lake.runtime.serve import SEARCH
from lake.search.documents import Product
from lake.search.index import PHRASES, PRODUCTS
from lake.settings import PROJECT, settings
from lake.shop import catalogue, source
from tests.parts import START_SECONDS, part

ANCHOR, SEED = date(2026, 3, 1), 7


@pytest.fixture(scope="session")
def node() -> Iterator[None]:
    """The node, started unless it runs, and stopped afterwards unless it ran before."""
    for name in opensearch.PARTS:
        part(name)
    ran = SEARCH in {name for name, process in supervise.processes().items() if process.state in supervise.ALIVE}
    command = [sys.executable, "-m", "lake.commands", "up", SEARCH]
    subprocess.run(command, cwd=PROJECT, env=dict(os.environ), check=True, timeout=START_SECONDS)
    settings.cache_clear()
    try:
        yield
    finally:
        if not ran:
            supervise.stop_process(SEARCH)


@pytest.fixture
def empty(node: None) -> Iterator[None]:
    """The node without an index."""
    clear()
    yield
    clear()


def clear() -> None:
    """Remove every index of the node."""
    from lake.search import ask, store

    with store.told("a test") as search:
        search.indices.delete(index=f"{PRODUCTS}-*,{PHRASES}-*", params={"ignore_unavailable": "true"})
    ask.forget()


def demo_products(fraction: float) -> list[Product]:
    """What a demo shop with a fraction of the customers sells; the margin is that of the list price."""
    journey = source.sample(source.read(ANCHOR), fraction, SEED)
    categories = catalogue.categories(journey)
    rows = catalogue.products(journey, categories, SEED).merge(
        categories[["category_id", "department", "category_name"]]
    )
    orders = journey.lines.groupby("product_id")["basket_id"].nunique()
    found = []
    for row in rows.to_dict("records"):
        if not row["is_active"]:
            continue
        price = Decimal(int(row["list_price"])) / 100
        cost = None if row["unit_cost"] is None or row["unit_cost"] != row["unit_cost"] else row["unit_cost"]
        margin = None if cost is None else round(1 - Decimal(int(cost)) / 10_000 / price, 4)
        found.append(
            Product(
                int(row["product_id"]),
                row["product_name"],
                row["department"],
                row["category_name"],
                _text(row["product_type"]) or "UNKNOWN",
                _text(row["brand"]),
                _text(row["package_size"]),
                price,
                int(orders.get(row["product_id"], 0)),
                margin,
            )
        )
    return found


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
