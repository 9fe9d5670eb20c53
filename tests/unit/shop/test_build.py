"""The tables of a small shop: what must hold whatever the seed."""

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from lake.shop import tsv
from lake.shop.build import COPY_SHIFT, TABLES, build, copies

ANCHOR = date(2026, 3, 1)
MIDNIGHT = datetime(2026, 3, 1)


@pytest.fixture(scope="module")
def tables() -> dict[str, pa.Table]:
    return build(ANCHOR, seed=7, sample=0.01)


@pytest.fixture(scope="module")
def frames(tables: dict[str, pa.Table]) -> dict[str, pd.DataFrame]:
    return {name: table.to_pandas() for name, table in tables.items()}


def test_every_table_has_rows(tables: dict[str, pa.Table]) -> None:
    assert tuple(tables) == TABLES
    assert {name: table.num_rows for name, table in tables.items() if table.num_rows == 0} == {}
    assert tables["customers"].num_rows == 25


def test_same_seed_and_anchor_give_the_same_bytes(tables: dict[str, pa.Table], tmp_path: Path) -> None:
    again = build(ANCHOR, seed=7, sample=0.01)
    for name in TABLES:
        tsv.write(tables[name], tmp_path / "first")
        tsv.write(again[name], tmp_path / "second")
        assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes(), name


def test_another_seed_gives_other_customers(tables: dict[str, pa.Table]) -> None:
    other = build(ANCHOR, seed=8, sample=0.01)
    assert other["customers"]["email"].to_pylist() != tables["customers"]["email"].to_pylist()


@pytest.mark.parametrize(
    ("child", "column", "parent"),
    [
        ("orders", "customer_id", "customers"),
        ("orders", "store_id", "stores"),
        ("order_items", "order_id", "orders"),
        ("order_items", "product_id", "products"),
        ("payments", "order_id", "orders"),
        ("shipments", "order_id", "orders"),
        ("products", "category_id", "categories"),
        ("inventory", "product_id", "products"),
        ("campaign_customers", "customer_id", "customers"),
        ("campaign_customers", "campaign_id", "campaigns"),
        ("coupons", "product_id", "products"),
        ("coupons", "campaign_id", "campaigns"),
        ("coupon_redemptions", "customer_id", "customers"),
        ("reviews", "customer_id", "customers"),
        ("reviews", "product_id", "products"),
        ("clickstream", "customer_id", "customers"),
        ("clickstream", "product_id", "products"),
    ],
)
def test_foreign_keys_hold(frames: dict[str, pd.DataFrame], child: str, column: str, parent: str) -> None:
    assert set(frames[child][column].dropna()) <= set(frames[parent][column])


@pytest.mark.parametrize(
    ("table", "key"),
    [(name, [f"{name[:-1]}_id"]) for name in ("customers", "products", "stores", "orders", "payments", "order_items")]
    + [
        ("customers", ["email"]),
        ("coupons", ["coupon_upc", "product_id", "campaign_id"]),
        ("inventory", ["product_id"]),
    ],
)
def test_keys_are_unique(frames: dict[str, pd.DataFrame], table: str, key: list[str]) -> None:
    assert not frames[table].duplicated(key).any()


def test_nothing_happened_at_or_after_the_anchor(frames: dict[str, pd.DataFrame]) -> None:
    for name, frame in frames.items():
        assert frame["updated_at"].max() < MIDNIGHT, name
        assert (frame["created_at"] <= frame["updated_at"]).all(), name
    assert frames["orders"]["ordered_at"].max().date() == date(2026, 2, 28)


def test_an_orders_total_is_the_sum_of_its_items(frames: dict[str, pd.DataFrame]) -> None:
    sums = frames["order_items"].groupby("order_id")["sales_value"].sum()
    totals = frames["orders"].set_index("order_id")["total_amount"]
    assert (totals == sums.reindex(totals.index)).all()
    assert totals.sum() == frames["payments"]["amount"].sum() > Decimal(0)


def test_states_agree_with_instants(frames: dict[str, pd.DataFrame]) -> None:
    orders = frames["orders"].merge(frames["shipments"], on="order_id", how="left", suffixes=("", "_of_parcel"))
    orders = orders.merge(frames["payments"], on="order_id", suffixes=("", "_of_payment"))
    cancelled = orders["status"] == "cancelled"
    assert (cancelled == orders["cancelled_at"].notna()).all()
    assert (cancelled == (orders["status_of_payment"] == "refunded")).all()
    assert ((orders["status"] == "placed") == (orders["status_of_payment"] == "authorised")).all()
    # A cancelled order never left; every other web order has one parcel, and nothing from a store has any.
    assert (orders["shipment_id"].notna() == ((orders["channel"] == "web") & ~cancelled)).all()
    parcels = orders[orders["shipment_id"].notna()]
    assert ((parcels["status"] == "delivered") == parcels["delivered_at"].notna()).all()
    assert (parcels["status"].isin(["shipped", "delivered"]) == parcels["shipped_at"].notna()).all()
    arrived = parcels[parcels["delivered_at"].notna()]
    assert (arrived["ordered_at"] < arrived["shipped_at"]).all()
    assert (arrived["shipped_at"] < arrived["delivered_at"]).all()


def test_copies_have_ids_of_their_own(tables: dict[str, pa.Table]) -> None:
    orders = tables["orders"]
    second = list(copies("orders", orders, 3))[1]
    assert second["order_id"][0].as_py() == orders["order_id"][0].as_py() + COPY_SHIFT
    assert second.drop_columns("order_id").equals(orders.drop_columns("order_id"))
    items = [copy["order_item_id"].to_pylist() for copy in copies("order_items", tables["order_items"], 3)]
    assert sorted(item for copy in items for item in copy) == list(range(1, 3 * len(items[0]) + 1))
    assert len(list(copies("products", tables["products"], 3))) == 1
