"""What the order lines of a month say of discounts and of what is bought together, and its parcels of time.

It is worked out from the shop's own rows without a line of the platform's code, as in `shop_figures`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import combinations
from typing import Any

Row = dict[str, Any]
Figure = Decimal | int | None
NO_CATEGORY = -1


def share(part: Any, whole: Any) -> Decimal | None:
    """A quotient to six places, half up; None where there is nothing to divide by."""
    return (Decimal(part) / Decimal(whole)).quantize(Decimal("0.000001"), ROUND_HALF_UP) if whole else None


def discount_of(line: Row) -> Decimal:
    return Decimal(line["retail_discount"] + line["coupon_discount"] + line["coupon_match_discount"])


def discounts(lines: Iterable[Row]) -> dict[str, Figure]:
    """Metrics of discounts."""
    of_product: dict[int, list[Row]] = defaultdict(list)
    for line in lines:
        of_product[line["product_id"]].append(line)
    matched, expected = Decimal(0), Decimal(0)
    cut, full = [], []
    for alike in of_product.values():
        reduced, other = ([line for line in alike if (discount_of(line) != 0) is wanted] for wanted in (True, False))
        cut += reduced
        full += other
        as_full = share(_gross(reduced) * len(reduced) * _units(other), len(other) * _units(reduced))
        if as_full is not None:
            matched += _gross(reduced)
            expected += as_full
    taken = sum(map(discount_of, cut), Decimal(0))
    value = sum((line["sales_value"] for line in (*cut, *full)), Decimal(0))
    return {
        "unit_price": share(value, _units(cut) + _units(full)),
        "discounted_units": _units(cut),
        "discounted_share": share(_units(cut), _units(cut) + _units(full)),
        "discounted_gross_revenue": _gross(cut),
        "discount_depth": share(taken, _gross(cut)),
        "discounted_lines": len(cut),
        "discounted_line_units": _units(cut),
        "full_price_lines": len(full),
        "full_price_line_units": _units(full),
        "units_per_discounted_line": share(_units(cut), len(cut)),
        "units_per_full_price_line": share(_units(full), len(full)),
        "matched_discounted_revenue": matched,
        "expected_discounted_revenue": expected,
        "units_lift": share(matched, expected),
    }


def _units(lines: Iterable[Row]) -> int:
    return sum(line["quantity"] for line in lines)


def _gross(lines: Iterable[Row]) -> Decimal:
    return sum((line["sales_value"] + discount_of(line) for line in lines), Decimal(0))


def affinity(lines: Iterable[Row], categories: Mapping[int, int], orders: int) -> dict[str, Figure]:
    """Metrics of what is bought together, over all pairs of the month from either side.

    Args:
        categories: of the products that have one.
        orders: how many there are, those without a line too.
    """
    baskets: dict[int, set[int]] = defaultdict(set)
    for line in lines:
        baskets[line["order_id"]].add(categories.get(line["product_id"], NO_CATEGORY))
    having: Counter[int] = Counter()
    pairs: Counter[tuple[int, int]] = Counter()
    for basket in baskets.values():
        having.update(basket)
        known = sorted(basket - {NO_CATEGORY})
        if len(known) <= 100:
            pairs.update(combinations(known, 2))
    often = {pair: together for pair, together in pairs.items() if together >= 5 and together >= orders / 100}
    together = 2 * sum(often.values())
    beside = sum(having[one] + having[other] for one, other in often)
    expected = 2 * sum((share(having[one] * having[other], orders) or Decimal(0) for one, other in often), Decimal(0))
    return {
        "orders_together": together,
        "orders_of_pairs": 2 * len(often) * orders,
        "category_orders_of_pairs": beside,
        "expected_together": expected,
        "basket_support": share(together, 2 * len(often) * orders),
        "basket_confidence": share(together, beside),
        "basket_lift": share(together, expected),
    }


def deliveries(parcels: Collection[tuple[Row, Row]]) -> dict[str, Figure]:
    """Metrics of how long delivered parcels took, beside what was promised.

    Args:
        parcels: orders and their parcels.
    """
    took = [_days(order["ordered_at"], parcel["delivered_at"]) for order, parcel in parcels]
    late = [
        _days(parcel["promised_at"], parcel["delivered_at"])
        for _, parcel in parcels
        if parcel["delivered_at"] > parcel["promised_at"]
    ]
    on_time = len(parcels) - len(late)
    return {
        "delivery_days_median": _ranked(took, 50),
        "delivery_days_p95": _ranked(took, 95),
        "on_time_parcels": on_time,
        "on_time_share": share(on_time, len(parcels)),
        "days_late_in_all": sum(late, Decimal(0)),
        "days_late": share(sum(late, Decimal(0)), len(late)),
        "days_late_p95": _ranked(late, 95),
    }


def _days(begins: datetime, ends: datetime) -> Decimal:
    seconds = (ends - begins) // timedelta(seconds=1)
    return (Decimal(seconds) / 86400).quantize(Decimal("0.01"), ROUND_HALF_UP)


def _ranked(values: Iterable[Decimal], hundredths: int) -> Decimal | None:
    """The smallest value that so many of a hundred do not exceed."""
    ordered = sorted(values)
    return next((one for place, one in enumerate(ordered, 1) if place * 100 >= hundredths * len(ordered)), None)
