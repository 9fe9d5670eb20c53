"""Products, their categories and stock, and the campaigns that advertise them."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd

from lake.shop.names import product_names
from lake.shop.rng import stream
from lake.shop.source import Journey

UNKNOWN = "UNKNOWN"
"""Department and category of what the data leaves unnamed, and of the products that only its order lines know."""

FALLBACK_PRICE_CENTS = 299
MARGIN, MARGIN_SPREAD = 0.32, 0.08
"""Of the list price, on average and around it: by department, and half as much by product."""
UNKNOWN_COST_SHARE = 0.08
COLOURS = ["black", "white", "red", "green", "blue", "none"]


def categories(journey: Journey) -> pd.DataFrame:
    """A row per department and category, numbered from 1 in the order of their names, `UNKNOWN` among them."""
    found = _named(journey.products)[["department", "category_name"]]
    unknown = pd.DataFrame({"department": [UNKNOWN], "category_name": [UNKNOWN]})
    frame = pd.concat([found, unknown]).drop_duplicates().sort_values(["department", "category_name"])
    opened = journey.anchor - np.timedelta64(3 * 365, "D")
    frame.insert(0, "category_id", np.arange(1, len(frame) + 1))
    return frame.assign(created_at=opened, updated_at=opened).reset_index(drop=True)


def products(journey: Journey, category_rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """A row per product of the catalogue, of an order line or of a coupon, with its price in integer cents.

    The list price is the median price per unit before discount; a product that nobody bought costs about what its
    category does. Name and cost (in hundredths of a cent, what the shop pays for a unit today) are invented.
    """
    random = stream(seed, "products")
    named = _named(journey.products)
    sold_or_advertised = pd.concat([journey.lines["product_id"], journey.coupons["product_id"]])
    missing = np.setdiff1d(sold_or_advertised.unique(), named["product_id"])
    extra = pd.DataFrame({"product_id": missing, "department": UNKNOWN, "category_name": UNKNOWN})
    frame = pd.concat([named, extra], ignore_index=True)
    frame = frame.merge(category_rows[["category_id", "department", "category_name"]]).sort_values("product_id")
    frame = frame.reset_index(drop=True)

    price = frame["product_id"].map(_unit_prices(journey.lines))
    typical = price.groupby(frame["category_id"]).transform("median").fillna(FALLBACK_PRICE_CENTS)
    price = price.fillna(typical * np.exp(random.normal(0, 0.3, size=len(frame))))
    listed_for_days = random.integers(366, 3 * 365, size=len(frame)).astype("timedelta64[D]")
    created_at = journey.anchor - listed_for_days
    list_price = price.round().clip(lower=1).astype("int64")
    frame["attributes"] = _attributes(frame, random)
    is_active = random.random(len(frame)) < 0.97
    return pd.DataFrame(
        {
            "product_id": frame["product_id"],
            "product_name": product_names(frame, seed),
            "category_id": frame["category_id"],
            "manufacturer_id": frame["manufacturer_id"].astype("Int64"),
            "brand": frame["brand"],
            "product_type": frame["product_type"],
            "package_size": frame["package_size"],
            "list_price": list_price,
            "unit_cost": _unit_costs(list_price, frame["department"], seed),
            "attributes": frame["attributes"],
            "is_active": is_active,
            "created_at": created_at,
            "updated_at": created_at,
        }
    )


def inventory(journey: Journey, product_rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """A row per product, counted within the week before the anchor; what sells well is kept in larger numbers."""
    random = stream(seed, "inventory")
    lines_sold = product_rows["product_id"].map(journey.lines["product_id"].value_counts()).fillna(0).to_numpy()
    reorder_level = 2 + (lines_sold / 12).astype("int64")
    week = 7 * 86400 * 10**6
    counted_at = journey.anchor - random.integers(1, week, size=len(product_rows)).astype("timedelta64[us]")
    return pd.DataFrame(
        {
            "product_id": product_rows["product_id"],
            "quantity_on_hand": random.poisson(reorder_level * 3),
            "reorder_level": reorder_level,
            "counted_at": counted_at,
            "created_at": product_rows["created_at"],
            "updated_at": counted_at,
        }
    )


def campaigns(journey: Journey) -> pd.DataFrame:
    """A row per campaign, announced two weeks before it starts."""
    frame = journey.campaigns.rename(columns={"start_date": "starts_on", "end_date": "ends_on"})
    frame = frame.sort_values("campaign_id", ignore_index=True)
    announced_at = (frame["starts_on"] - pd.Timedelta(days=14)).astype("datetime64[us]")
    return frame.assign(created_at=announced_at, updated_at=announced_at)


def campaign_customers(journey: Journey, campaign_rows: pd.DataFrame) -> pd.DataFrame:
    """A row per campaign and customer who got its mailing, which went out when the campaign was announced."""
    frame = journey.campaign_customers.rename(columns={"household_id": "customer_id"})
    frame = frame.merge(campaign_rows[["campaign_id", "created_at", "updated_at"]], on="campaign_id")
    return frame.sort_values(["campaign_id", "customer_id"], ignore_index=True)


def coupons(journey: Journey, campaign_rows: pd.DataFrame) -> pd.DataFrame:
    """A row per coupon, product that it is good for, and campaign."""
    frame = journey.coupons.merge(campaign_rows[["campaign_id", "created_at", "updated_at"]], on="campaign_id")
    return frame.sort_values(["coupon_upc", "product_id", "campaign_id"], ignore_index=True)


def coupon_redemptions(journey: Journey, seed: int) -> pd.DataFrame:
    """A row per coupon that a customer redeemed, at some hour of that day."""
    frame = journey.redemptions.rename(columns={"household_id": "customer_id", "redemption_date": "redeemed_on"})
    frame = frame.sort_values(["redeemed_on", "customer_id", "coupon_upc"], ignore_index=True)
    hour = 3600 * 10**6
    of_day = stream(seed, "coupon_redemptions").integers(7 * hour, 23 * hour, size=len(frame))
    redeemed_at = frame["redeemed_on"].to_numpy().astype("datetime64[us]") + of_day.astype("timedelta64[us]")
    frame.insert(0, "redemption_id", np.arange(1, len(frame) + 1))
    return frame.assign(created_at=redeemed_at, updated_at=redeemed_at)


def _named(products: pd.DataFrame) -> pd.DataFrame:
    frame = products.rename(columns={"product_category": "category_name"})
    return frame.assign(category_name=frame["category_name"].fillna(UNKNOWN))


def _unit_prices(lines: pd.DataFrame) -> pd.Series[float]:
    """Median cents per unit before discount, by product; products given away or sold by no unit are left out."""
    priced = lines[(lines["quantity"] > 0) & (lines["sales_value"] > 0)]
    per_unit = (priced["sales_value"] + priced["retail_disc"]) / priced["quantity"]
    return per_unit.groupby(priced["product_id"]).median()


def _unit_costs(list_price: pd.Series[int], department: pd.Series[str], seed: int) -> pd.Series[int]:
    """What a unit costs the shop, in hundredths of a cent; NA where the purchase is not recorded."""
    random = stream(seed, "products.unit_cost")
    names = np.sort(department.unique())
    of_department = dict(zip(names, random.normal(MARGIN, MARGIN_SPREAD, size=len(names)), strict=True))
    margin = department.map(of_department) + random.normal(0, MARGIN_SPREAD / 2, size=len(list_price))
    share = 1 - margin.clip(0.05, 0.7)
    cost: pd.Series[int] = (list_price * 100 * share).round().clip(lower=1).astype("Int64")
    return cost.mask(random.random(len(list_price)) < UNKNOWN_COST_SHARE)


def _attributes(frame: pd.DataFrame, random: np.random.Generator) -> pd.Series[str]:
    """JSON of what a shop knows besides: organic or not, and a colour; a fifth of the products have none."""
    choices = [json.dumps({"organic": organic, "colour": colour}) for organic in (True, False) for colour in COLOURS]
    chosen = pd.Series(random.choice(choices, size=len(frame)), index=frame.index, dtype="str")
    return chosen.where(random.random(len(frame)) >= 0.2, None)
