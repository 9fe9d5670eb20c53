"""Baskets become orders, with payments, shipments and refunds derived from a seed.

What happened after an order is cut off at the anchor: an order of the last evening is still only placed, one of the
last days paid or on its way, and none of the shop's instants lies in the future.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lake.shop import money
from lake.shop.rng import stream
from lake.shop.source import Journey

WEB_SHARE = 0.2
WEB_CANCELLED_SHARE = 0.04
STORE_CANCELLED_SHARE = 0.005
LOST_SHARE = 0.01
CARRIERS = ["Parcel Post", "Swift Couriers", "Green Wheels", "Northline"]

Instants: TypeAlias = NDArray[np.datetime64]


@dataclass(frozen=True)
class OrderTables:
    """The tables around an order, one frame each, with money in integer cents."""

    orders: pd.DataFrame
    order_items: pd.DataFrame
    payments: pd.DataFrame
    shipments: pd.DataFrame
    refunds: pd.DataFrame


def order_tables(journey: Journey, products: pd.DataFrame, seed: int) -> OrderTables:
    """Derive the five tables from the order lines; ``products`` says what each cost."""
    lines = journey.lines
    baskets = lines.groupby("basket_id", sort=True).agg(
        customer_id=("household_id", "first"),
        store_id=("store_id", "first"),
        total_amount=("sales_value", "sum"),
        ordered_at=("ordered_at", "first"),
    )
    life = _life(baskets["ordered_at"].to_numpy(), journey.anchor, seed)
    orders = pd.DataFrame(
        {
            "order_id": baskets.index.to_numpy(),
            "customer_id": baskets["customer_id"].to_numpy(),
            "store_id": baskets["store_id"].to_numpy(),
            "status": life["status"],
            "channel": np.where(life["is_web"], "web", "store"),
            "currency": "USD",
            "total_amount": baskets["total_amount"].to_numpy(),
            "ordered_at": baskets["ordered_at"].to_numpy(),
            "cancelled_at": life["cancelled_at"],
            "created_at": baskets["ordered_at"].to_numpy(),
            "updated_at": life["updated_at"],
        }
    )
    items = _items(lines)
    items["unit_cost"] = money.item_costs(items, products, journey.anchor)
    return OrderTables(
        orders,
        items,
        money.payments(orders, life, journey.anchor, seed),
        _shipments(orders, life, seed),
        money.refunds(orders, items, life, journey.anchor, seed),
    )


def _after(start: Instants, low_seconds: float, high_seconds: float, random: np.random.Generator) -> Instants:
    """Each instant plus a random time between the bounds, to the microsecond."""
    microseconds = random.integers(int(low_seconds * 1e6), int(high_seconds * 1e6), size=len(start))
    later: Instants = start + microseconds.astype("timedelta64[us]")
    return later


def _life(ordered_at: Instants, anchor: np.datetime64, seed: int) -> dict[str, Any]:
    """When each order was paid, shipped, delivered or cancelled, as known at the anchor (NaT: not yet, or never)."""
    random = stream(seed, "orders")
    count, never = len(ordered_at), np.datetime64("NaT", "us")
    is_web = random.random(count) < WEB_SHARE
    chance = random.random(count)
    is_lost = is_web & (random.random(count) < LOST_SHARE)

    captured_at = np.where(is_web, _after(ordered_at, 60, 6 * 3600, random), ordered_at)
    shipped_at = _after(captured_at, 2 * 3600, 48 * 3600, random)
    # A skewed way: most parcels take two days, a few take more than a week.
    days = np.clip(random.gamma(shape=3.0, scale=0.8, size=count), 0.3, 14)
    delivered_at = shipped_at + (days * 86400e6).astype("timedelta64[us]")
    # Promised to the hour, as shops do.
    promised_at = (_after(ordered_at, 4 * 86400, 6 * 86400, random)).astype("datetime64[h]").astype("datetime64[us]")

    # A web order is cancelled before it is shipped, a purchase in a store is brought back within two weeks.
    wants_out = chance < np.where(is_web, WEB_CANCELLED_SHARE, STORE_CANCELLED_SHARE)
    packing = (shipped_at - captured_at).astype("int64") * random.random(count)
    before_shipping = captured_at + packing.astype("timedelta64[us]")
    cancelled_at = np.where(is_web, before_shipping, _after(ordered_at, 3600, 14 * 86400, random))
    cancelled_at = np.where(wants_out & (cancelled_at < anchor), cancelled_at, never)
    is_cancelled = ~np.isnat(cancelled_at)

    captured_at = np.where(captured_at < anchor, captured_at, never)
    is_shipped = is_web & ~is_cancelled & (shipped_at < anchor)
    shipped_at = np.where(is_shipped, shipped_at, never)
    delivered_at = np.where(is_shipped & ~is_lost & (delivered_at < anchor), delivered_at, never)
    # A parcel that has not come ten days after it left is given up.
    lost_at = shipped_at + np.timedelta64(10, "D")
    lost_at = np.where(is_lost & (lost_at < anchor), lost_at, never)

    is_delivered = ~np.isnat(delivered_at) | (~is_web & ~is_cancelled)
    status = np.select(
        [is_cancelled, is_delivered, is_shipped, ~np.isnat(captured_at)],
        ["cancelled", "delivered", "shipped", "paid"],
        default="placed",
    )
    updated_at = np.fmax.reduce([ordered_at, captured_at, shipped_at, delivered_at, cancelled_at])
    return {
        "is_web": is_web,
        "status": status,
        "captured_at": captured_at,
        "shipped_at": shipped_at,
        "promised_at": promised_at,
        "delivered_at": delivered_at,
        "lost_at": lost_at,
        "cancelled_at": cancelled_at,
        "updated_at": updated_at,
    }


def _items(lines: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "order_item_id": np.arange(1, len(lines) + 1),
            "order_id": lines["basket_id"].to_numpy(),
            "product_id": lines["product_id"].to_numpy(),
            "quantity": lines["quantity"].to_numpy(),
            "sales_value": lines["sales_value"].to_numpy(),
            "retail_discount": lines["retail_disc"].to_numpy(),
            "coupon_discount": lines["coupon_disc"].to_numpy(),
            "coupon_match_discount": lines["coupon_match_disc"].to_numpy(),
            "created_at": lines["ordered_at"].to_numpy(),
            "updated_at": lines["ordered_at"].to_numpy(),
        }
    )


def _shipments(orders: pd.DataFrame, life: dict[str, Any], seed: int) -> pd.DataFrame:
    """One shipment per web order, but for the cancelled ones: those never left."""
    ships = life["is_web"] & (life["status"] != "cancelled")
    shipped_at, delivered_at = life["shipped_at"][ships], life["delivered_at"][ships]
    lost_at, ordered_at = life["lost_at"][ships], orders["ordered_at"].to_numpy()[ships]
    return pd.DataFrame(
        {
            "shipment_id": np.arange(1, int(ships.sum()) + 1),
            "order_id": orders["order_id"].to_numpy()[ships],
            "carrier": stream(seed, "shipments").choice(CARRIERS, size=int(ships.sum()), p=[0.4, 0.3, 0.2, 0.1]),
            "status": np.select(
                [~np.isnat(lost_at), ~np.isnat(delivered_at), ~np.isnat(shipped_at)],
                ["lost", "delivered", "shipped"],
                default="pending",
            ),
            "shipped_at": shipped_at,
            "promised_at": life["promised_at"][ships],
            "delivered_at": delivered_at,
            "created_at": ordered_at,
            "updated_at": np.fmax.reduce([ordered_at, shipped_at, delivered_at, lost_at]),
        }
    )
