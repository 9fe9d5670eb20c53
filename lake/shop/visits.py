"""Visits to the web shop, as rows of the clickstream: one without an order, and one that led to an order."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from typing import Any

import numpy as np
from pymysql.cursors import Cursor

from lake.shop.clicks import CART, CHECKOUT, DEVICES, FRUITLESS, FRUITLESS_SHARE, ORDER, SEARCH, SOURCES, VIEW

Event = tuple[str, int | None, dict[str, Any]]
"""Kind, product, and what its properties say beside device and source."""


def without_order(cursor: Cursor, customer_id: int | None, products: Sequence[int], random: np.random.Generator) -> int:
    """A search and views of ``products``, the last of which may stay in the cart; how many events that is."""
    if random.random() < FRUITLESS_SHARE:
        return _told(cursor, customer_id, None, [(SEARCH, None, _found(str(random.choice(FRUITLESS)), 0))], random)
    events: list[Event] = [_search(cursor, products[0]), *((VIEW, product, {}) for product in products)]
    if random.random() < 0.25:
        events.append((CART, products[-1], {}))
    return _told(cursor, customer_id, None, events, random)


def with_order(
    cursor: Cursor, customer_id: int, order_id: int, products: Sequence[int], random: np.random.Generator
) -> int:
    """A search, each of ``products`` looked at and put into the cart, and the order; how many events that is."""
    events: list[Event] = [_search(cursor, products[0])]
    for product in products:
        events += [(VIEW, product, {}), (CART, product, {})]
    events += [(CHECKOUT, None, {}), (ORDER, None, {})]
    return _told(cursor, customer_id, order_id, events, random)


def _search(cursor: Cursor, product: int) -> Event:
    """A search that finds ``product``: for the first words of its kind of goods."""
    cursor.execute("SELECT COALESCE(product_type, 'groceries') FROM products WHERE product_id = %s", (product,))
    row = cursor.fetchone()
    query = str(row[0]) if row else "groceries"
    cursor.execute("SELECT COUNT(*) FROM products WHERE product_type = %s", (query,))
    found = cursor.fetchone()
    return SEARCH, None, _found(query.lower(), int(found[0]) if found else 0)


def _found(query: str, results: int) -> dict[str, Any]:
    return {"query": query, "results": results}


def _told(
    cursor: Cursor,
    customer_id: int | None,
    order_id: int | None,
    events: Sequence[Event],
    random: np.random.Generator,
) -> int:
    """Write the events of one session, which ends now, ten seconds from one to the next."""
    session = str(uuid.UUID(bytes=random.bytes(16), version=4))
    of_all = {"device": str(random.choice(DEVICES)), "source": str(random.choice(SOURCES))}
    searched: dict[str, Any] = {}
    rows: list[tuple[Any, ...]] = []
    for place, (kind, product, said) in enumerate(events):
        if kind == VIEW and searched.get("results"):
            # The first that is looked at after a search is one of its results.
            said = {"from": "search", "query": searched["query"], "position": 1 + int(random.integers(3))}
            searched = {}
        searched = said if kind == SEARCH else searched
        text = json.dumps(of_all | said, ensure_ascii=False)
        of_order = order_id if kind == ORDER else None
        rows.append((session, customer_id, product, of_order, kind, text, 10 * (len(events) - 1 - place)))
    cursor.executemany(
        "INSERT INTO clickstream (session_id, customer_id, product_id, order_id, event_type, properties, occurred_at,"
        " created_at) VALUES (%s, %s, %s, %s, %s, %s, NOW(6) - INTERVAL %s SECOND, NOW(6))",
        rows,
    )
    return len(rows)
