"""All tables of the shop in memory: from anchor, seed, sample and scale to Arrow tables, the same ones each time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from lake.shop import catalogue, clicks, people, reviews, source, tsv
from lake.shop.orders import order_tables

COPY_SHIFT = 10**12
"""What each further copy of the orders adds to their ids; the real ones have eleven digits."""

KEYS = {"order_items": "order_item_id", "payments": "payment_id", "refunds": "refund_id", "shipments": "shipment_id"}
"""Of the tables around orders, whose rows are numbered from 1 without a gap."""

REPEATED = ("orders", *KEYS)

TABLES = (
    "customers",
    "categories",
    "products",
    "stores",
    "campaigns",
    "campaign_customers",
    "coupons",
    "coupon_redemptions",
    "orders",
    "order_items",
    "payments",
    "refunds",
    "shipments",
    "inventory",
    "reviews",
    "clickstream",
)
"""Every table, parents before their children."""


def build(anchor: date, seed: int, sample: float = 1.0) -> dict[str, pa.Table]:
    """Every table of the shop by name, in the order of :data:`TABLES`.

    Args:
        anchor: the day before which everything happened.
        seed: of all that is derived or invented.
        sample: fraction of the customers to keep, above 0 and at most 1.
    """
    journey = source.sample(source.read(anchor), sample, seed)
    category_rows = catalogue.categories(journey)
    product_rows = catalogue.products(journey, category_rows, seed)
    campaign_rows = catalogue.campaigns(journey)
    around_orders = order_tables(journey, product_rows, seed)
    frames: dict[str, pd.DataFrame] = {
        "customers": people.customers(journey, seed),
        "categories": category_rows,
        "products": product_rows,
        "stores": people.stores(journey, seed),
        "campaigns": campaign_rows,
        "campaign_customers": catalogue.campaign_customers(journey, campaign_rows),
        "coupons": catalogue.coupons(journey, campaign_rows),
        "coupon_redemptions": catalogue.coupon_redemptions(journey, seed),
        "orders": around_orders.orders,
        "order_items": around_orders.order_items,
        "payments": around_orders.payments,
        "refunds": around_orders.refunds,
        "shipments": around_orders.shipments,
        "inventory": catalogue.inventory(journey, product_rows, seed),
        "reviews": reviews.reviews(journey, seed),
        "clickstream": clicks.clickstream(journey, around_orders.orders, around_orders.order_items, product_rows, seed),
    }
    return {name: tsv.table(frames[name]) for name in TABLES}


def copies(name: str, tables: dict[str, pa.Table], scale: int) -> Iterator[pa.Table]:
    """The rows of a table, followed for those around orders by ``scale - 1`` copies under ids of their own."""
    rows = tables[name]
    yield rows
    if name not in REPEATED:
        return
    numbered = {key: tables[of].num_rows for of, key in KEYS.items() if key in rows.column_names}
    for copy in range(1, scale):
        shifted = _shift(rows, "order_id", copy * COPY_SHIFT)
        for key, count in numbered.items():
            shifted = _shift(shifted, key, copy * count)
        yield shifted


def _shift(rows: pa.Table, column: str, by: int) -> pa.Table:
    position = rows.schema.get_field_index(column)
    return rows.set_column(position, column, pc.add(rows[column], by))
