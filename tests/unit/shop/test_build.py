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
        ("refunds", "order_id", "orders"),
        ("refunds", "order_item_id", "order_items"),
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
        ("clickstream", "order_id", "orders"),
    ],
)
def test_foreign_keys_hold(frames: dict[str, pd.DataFrame], child: str, column: str, parent: str) -> None:
    assert set(frames[child][column].dropna()) <= set(frames[parent][column])


@pytest.mark.parametrize(
    ("table", "key"),
    [(name, [f"{name[:-1]}_id"]) for name in ("customers", "products", "stores", "orders", "payments", "order_items")]
    + [
        ("refunds", ["refund_id"]),
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
    payments = frames["payments"].join(totals, on="order_id")
    assert (payments["amount"] == payments["total_amount"]).all()
    assert totals.sum() > Decimal(0)


def test_states_agree_with_instants(frames: dict[str, pd.DataFrame]) -> None:
    orders = frames["orders"].merge(frames["shipments"], on="order_id", how="left", suffixes=("", "_of_parcel"))
    payments = frames["payments"]
    through = payments[payments["status"] != "failed"]
    assert not through.duplicated("order_id").any()
    orders = orders.merge(through, on="order_id", how="left", suffixes=("", "_of_payment"))
    cancelled = orders["status"] == "cancelled"
    assert (cancelled == orders["cancelled_at"].notna()).all()
    # Of a cancelled order the money goes back, where any had come.
    unpaid = orders["status_of_payment"].isna()
    assert (cancelled == ((orders["status_of_payment"] == "refunded") | unpaid)).all()
    assert set(orders[unpaid]["order_id"]) <= set(payments[payments["status"] == "failed"]["order_id"])
    assert ((orders["status"] == "placed") == (orders["status_of_payment"] == "authorised")).all()
    # A cancelled order never left; every other web order has one parcel, and nothing from a store has any.
    assert (orders["shipment_id"].notna() == ((orders["channel"] == "web") & ~cancelled)).all()
    parcels = orders[orders["shipment_id"].notna()]
    assert ((parcels["status"] == "delivered") == parcels["delivered_at"].notna()).all()
    assert (parcels["status"].isin(["shipped", "delivered"]) == parcels["shipped_at"].notna()).all()
    arrived = parcels[parcels["delivered_at"].notna()]
    assert (arrived["ordered_at"] < arrived["shipped_at"]).all()
    assert (arrived["shipped_at"] < arrived["delivered_at"]).all()


def test_no_more_comes_back_than_was_bought(frames: dict[str, pd.DataFrame]) -> None:
    returned = frames["refunds"].merge(frames["order_items"], on="order_item_id", suffixes=("", "_of_item"))
    assert len(returned) == len(frames["refunds"])
    assert (returned["order_id"] == returned["order_id_of_item"]).all()
    assert returned["quantity"].between(1, returned["quantity_of_item"]).all()
    assert (returned["amount"] <= returned["sales_value"]).all()
    orders = frames["orders"].set_index("order_id").loc[returned["order_id"]]
    assert (orders["status"] == "delivered").all()
    assert (orders["ordered_at"].to_numpy() < returned["refunded_at"].to_numpy()).all()


def test_most_products_have_a_cost_below_their_price_and_a_name(frames: dict[str, pd.DataFrame]) -> None:
    products = frames["products"]
    known = products["unit_cost"].notna()
    assert 0.85 < known.mean() < 1
    assert (products[known & (products["list_price"] > Decimal("0.05"))].eval("unit_cost < list_price")).all()
    assert (products["product_name"].str.strip() != "").all()
    milk = products[products["product_type"] == "FLUID MILK WHITE ONLY"]["product_name"]
    assert milk.str.contains("Fluid Milk White").all()
    items = frames["order_items"].merge(products, on="product_id", suffixes=("", "_today"))
    assert (items["unit_cost"].isna() == items["unit_cost_today"].isna()).all()


def test_clicks_lead_to_the_baskets_that_were_bought(frames: dict[str, pd.DataFrame]) -> None:
    events = frames["clickstream"]
    told = events[events["event_type"] == "order"].drop_duplicates("session_id").set_index("session_id")["order_id"]
    orders = frames["orders"].set_index("order_id")
    assert len(told) == round(0.25 * events["session_id"].nunique())
    assert (orders.loc[told]["channel"] == "web").all()
    carts = events[(events["event_type"] == "add_to_cart") & events["session_id"].isin(told.index)]
    carts = carts.assign(order_id=carts["session_id"].map(told).astype("int64"))
    lines = frames["order_items"][["order_id", "product_id"]].drop_duplicates()
    in_cart = carts[["order_id", "product_id"]].drop_duplicates().merge(lines, how="left", indicator=True)
    assert (in_cart["_merge"] == "both").all()
    # Small baskets are seen as a whole, and what goes into a cart was looked at before.
    small = lines.groupby("order_id").size().loc[told]
    small = small[small <= 8]
    assert (in_cart.groupby("order_id").size().loc[small.index] == small).all()
    views = events[events["event_type"] == "view"].groupby(["session_id", "product_id"])["occurred_at"].min()
    first = carts.groupby(["session_id", "product_id"])["occurred_at"].min()
    assert (views.loc[first.index] < first).all()


def test_a_session_ends_with_its_order(frames: dict[str, pd.DataFrame]) -> None:
    events = frames["clickstream"].sort_values("occurred_at", kind="stable")
    last = events.groupby("session_id").tail(1).set_index("session_id")
    with_order = events[events["event_type"] == "order"]["session_id"].unique()
    assert (last.loc[with_order]["event_type"] == "order").all()
    checked_out = set(events[events["event_type"] == "checkout"]["session_id"])
    assert set(with_order) < checked_out < set(events[events["event_type"] == "add_to_cart"]["session_id"])


def test_some_events_arrive_late_and_some_twice(frames: dict[str, pd.DataFrame]) -> None:
    events = frames["clickstream"]
    delay = events["created_at"] - events["occurred_at"]
    assert 0 < (delay > pd.Timedelta(minutes=1)).mean() < 0.05
    same = ["session_id", "event_type", "product_id", "occurred_at"]
    assert 0 < events.duplicated(same).sum() < 0.02 * len(events)
    assert events["event_id"].is_monotonic_increasing and events["created_at"].is_monotonic_increasing


def test_copies_have_ids_of_their_own(tables: dict[str, pa.Table]) -> None:
    orders = tables["orders"]
    second = list(copies("orders", tables, 3))[1]
    assert second["order_id"][0].as_py() == orders["order_id"][0].as_py() + COPY_SHIFT
    assert second.drop_columns("order_id").equals(orders.drop_columns("order_id"))
    items = [copy["order_item_id"].to_pylist() for copy in copies("order_items", tables, 3)]
    assert sorted(item for copy in items for item in copy) == list(range(1, 3 * len(items[0]) + 1))
    for copy, refunds in enumerate(copies("refunds", tables, 3)):
        assert refunds["order_item_id"][0].as_py() in items[copy]
    assert len(list(copies("products", tables, 3))) == 1
