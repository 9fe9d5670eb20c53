"""What the money of orders does, derived from a seed: payments and failed tries, costs, and refunds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lake.shop.rng import stream

FAILED_TRY_SHARE = 0.06
"""Of the web orders, those whose payment failed before it went through."""
NEVER_PAID_SHARE = 0.2
"""Of the cancelled web orders, those that were cancelled because no payment went through."""
FAILURES = ["declined", "insufficient_funds", "card_expired", "timeout"]
FAILURE_SHARES = [0.45, 0.3, 0.1, 0.15]
SECONDS_OF_TRIES = 50
"""Within which after the order they fail; captured is a web payment a minute after it at the earliest."""

RETURNED_SHARES = {"web": 0.03, "store": 0.004}
"""Of the lines that reached their customer, those that came back."""
REASONS = ["damaged", "late", "wrong_item", "not_as_described", "changed_mind"]
REASON_SHARES = {"web": [0.22, 0.13, 0.15, 0.2, 0.3], "store": [0.35, 0.0, 0.05, 0.15, 0.45]}
LONGEST_RETURN_DAYS = 30
MOST_PIECES = 20
"""More are sold by weight or volume, and come back whole or not at all."""

YEAR_MICROSECONDS = 365 * 86400 * 10**6
COST_RISE = 0.04
"""By how much what the shop pays rose over the year; the product's cost is that of its end."""


def payments(orders: pd.DataFrame, life: dict[str, Any], anchor: np.datetime64, seed: int) -> pd.DataFrame:
    """The payments of each order: tries that failed, then the one that went through.

    It is authorised when the order is placed, then captured, and refunded when the order is cancelled. What was
    cancelled for want of a payment has failed tries alone.
    """
    random = stream(seed, "payments")
    web = random.choice(["card", "paypal", "voucher"], size=len(orders), p=[0.6, 0.35, 0.05])
    store = random.choice(["card", "cash", "voucher"], size=len(orders), p=[0.65, 0.32, 0.03])
    tries = stream(seed, "payments.failed")
    is_captured, is_cancelled = ~np.isnat(life["captured_at"]), life["status"] == "cancelled"
    never_paid = life["is_web"] & is_cancelled & (tries.random(len(orders)) < NEVER_PAID_SHARE)
    fails = (life["is_web"] & (tries.random(len(orders)) < FAILED_TRY_SHARE)) | never_paid
    ordered_at = orders["ordered_at"].to_numpy()
    tried = np.minimum(ordered_at + np.timedelta64(SECONDS_OF_TRIES, "s"), anchor - np.timedelta64(1, "us"))
    created_at = np.where(fails, tried, ordered_at)
    paid_at = np.where(is_captured, life["captured_at"], created_at)
    through = pd.DataFrame(
        {
            "order_id": orders["order_id"].to_numpy(),
            "method": np.where(life["is_web"], web, store),
            "status": np.select([is_cancelled, is_captured], ["refunded", "captured"], default="authorised"),
            "failure": None,
            "amount": orders["total_amount"].to_numpy(),
            "paid_at": paid_at,
            "created_at": created_at,
            "updated_at": np.fmax(paid_at, life["cancelled_at"]),
        }
    )
    failed = _failed(through[fails].assign(created_at=ordered_at[fails]), anchor, tries)
    frame: pd.DataFrame = pd.concat([failed, through[~never_paid]])
    frame = frame.sort_values(["created_at", "order_id"], kind="stable", ignore_index=True)
    frame.insert(0, "payment_id", np.arange(1, len(frame) + 1))
    return frame


def _failed(payments: pd.DataFrame, anchor: np.datetime64, random: np.random.Generator) -> pd.DataFrame:
    """A try or two that failed for each of some payments, within seconds of ``created_at``."""
    frame: pd.DataFrame = pd.concat([payments, payments[random.random(len(payments)) < 0.25]])
    later = random.integers(10**6, SECONDS_OF_TRIES * 10**6, size=len(frame)).astype("timedelta64[us]")
    tried_at = np.minimum(frame["created_at"].to_numpy() + later, anchor - np.timedelta64(1, "us"))
    return frame.assign(
        status="failed",
        failure=random.choice(FAILURES, size=len(frame), p=FAILURE_SHARES),
        paid_at=tried_at,
        created_at=tried_at,
        updated_at=tried_at,
    )


def item_costs(items: pd.DataFrame, products: pd.DataFrame, anchor: np.datetime64) -> pd.Series[int]:
    """What a unit of each line had cost the shop when it was sold, in hundredths of a cent; NA where unknown."""
    today = items["product_id"].map(products.set_index("product_id")["unit_cost"])
    years = (anchor - items["created_at"].to_numpy()).astype("float64") / YEAR_MICROSECONDS
    costs: pd.Series[int] = (today.astype("Float64") * (1 - COST_RISE * years)).round().clip(lower=1).astype("Int64")
    return costs


def refunds(
    orders: pd.DataFrame, items: pd.DataFrame, life: dict[str, Any], anchor: np.datetime64, seed: int
) -> pd.DataFrame:
    """A row per line that came back, whole or in part, within a month of reaching its customer.

    Cancelled orders have none: their payment was refunded as a whole.
    """
    random = stream(seed, "refunds")
    arrived_at = np.where(life["is_web"], life["delivered_at"], orders["ordered_at"].to_numpy())
    arrived_at = np.where(life["status"] == "cancelled", np.datetime64("NaT", "us"), arrived_at)
    of_order = pd.DataFrame({"order_id": orders["order_id"], "arrived_at": arrived_at, "is_web": life["is_web"]})
    lines = items[["order_item_id", "order_id", "quantity", "sales_value"]].merge(of_order, on="order_id")
    is_web = lines["is_web"].to_numpy()
    returned = random.random(len(lines)) < np.where(is_web, *RETURNED_SHARES.values())
    returned &= lines["arrived_at"].notna() & (lines["sales_value"] > 0) & (lines["quantity"] > 0)
    lines = lines[returned]
    later = random.integers(3600 * 10**6, LONGEST_RETURN_DAYS * 86400 * 10**6, size=len(lines))
    lines = lines.assign(refunded_at=lines["arrived_at"].to_numpy() + later.astype("timedelta64[us]"))

    quantity, value = lines["quantity"].to_numpy(), lines["sales_value"].to_numpy()
    in_part = (quantity <= MOST_PIECES) & (random.random(len(lines)) < 0.5)
    pieces = np.where(in_part, random.integers(1, np.minimum(quantity, MOST_PIECES) + 1), quantity)
    frame = pd.DataFrame(
        {
            "order_id": lines["order_id"],
            "order_item_id": lines["order_item_id"],
            "quantity": pieces,
            "amount": np.maximum(1, value * pieces // quantity),
            "reason": _reasons(lines["is_web"].to_numpy(), random),
            "refunded_at": lines["refunded_at"],
            "created_at": lines["refunded_at"],
            "updated_at": lines["refunded_at"],
        }
    )
    frame = frame[frame["refunded_at"] < anchor].sort_values(["refunded_at", "order_item_id"], ignore_index=True)
    frame.insert(0, "refund_id", np.arange(1, len(frame) + 1))
    return frame


def _reasons(is_web: NDArray[np.bool_], random: np.random.Generator) -> NDArray[np.str_]:
    of_web, of_store = (random.choice(REASONS, size=len(is_web), p=shares) for shares in REASON_SHARES.values())
    return np.where(is_web, of_web, of_store)
