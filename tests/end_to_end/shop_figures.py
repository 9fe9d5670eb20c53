"""Every metric, worked out from the shop's own rows without a line of the platform's code."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from typing import Any

Row = dict[str, Any]
Figure = Decimal | int | None
PAUSE = timedelta(minutes=30)


def share(part: Any, whole: Any) -> Decimal | None:
    """A quotient to six places, half up; None where there is nothing to divide by."""
    return (Decimal(part) / Decimal(whole)).quantize(Decimal("0.000001"), ROUND_HALF_UP) if whole else None


@dataclass
class Session:
    """What one visitor did without a pause of half an hour: the events, each once, in the order of time."""

    events: list[Row]

    def has(self, kind: str) -> bool:
        return any(event["event_type"] == kind for event in self.events)

    def searches(self) -> Iterator[list[Row]]:
        """Each search with what followed it, up to the next one."""
        found: list[list[Row]] = []
        for event in self.events:
            if event["event_type"] == "search":
                found.append([])
            if found:
                found[-1].append(event)
        yield from found


@dataclass
class Shop:
    """The rows of a shop's tables, as dictionaries.

    Attributes:
        tables: by name; ``properties`` of clickstream already read from JSON, {} where there are none.
    """

    tables: dict[str, list[Row]]
    by_id: dict[int, Row] = field(init=False)

    def __post_init__(self) -> None:
        self.by_id = {order["order_id"]: order for order in self.tables["orders"]}

    @cached_property
    def sold(self) -> list[Row]:
        """Orders that stand, by time."""
        stand = [order for order in self.tables["orders"] if order["status"] != "cancelled"]
        return sorted(stand, key=lambda order: (order["ordered_at"], order["order_id"]))

    @cached_property
    def previous(self) -> dict[int, date]:
        """By order of a known customer: the day of the customer's last order before it that stands."""
        last: dict[int, date] = {}
        found: dict[int, date] = {}
        for order in self.sold:
            customer = order["customer_id"]
            if customer is None:
                continue
            if customer in last:
                found[order["order_id"]] = last[customer]
            last[customer] = order["ordered_at"].date()
        return found

    @cached_property
    def sessions(self) -> list[Session]:
        once: dict[tuple[Any, ...], Row] = {}
        for event in sorted(self.tables["clickstream"], key=lambda event: event["event_id"]):
            kind = (event["session_id"], event["event_type"], event["product_id"], event["order_id"])
            once.setdefault((*kind, event["occurred_at"]), event)
        of_browser = defaultdict(list)
        for event in sorted(once.values(), key=lambda event: (event["occurred_at"], event["event_id"])):
            of_browser[event["session_id"]].append(event)
        found = []
        for events in of_browser.values():
            part = [events[0]]
            for event in events[1:]:
                if event["occurred_at"] - part[-1]["occurred_at"] > PAUSE:
                    found.append(Session(part))
                    part = []
                part.append(event)
            found.append(Session(part))
        return found

    @cached_property
    def purchases(self) -> dict[int, list[Row]]:
        """Orders that stand, by known customer."""
        found = defaultdict(list)
        for order in self.sold:
            if order["customer_id"] is not None:
                found[order["customer_id"]].append(order)
        return found


@dataclass
class Month:
    """A shop's figures of one month."""

    shop: Shop
    first: date

    def within(self, instant: datetime) -> bool:
        return (instant.year, instant.month) == (self.first.year, self.first.month)

    def of(self, table: str, instant: str) -> list[Row]:
        return [row for row in self.shop.tables[table] if self.within(row[instant])]

    @cached_property
    def orders(self) -> list[Row]:
        return [order for order in self.shop.sold if self.within(order["ordered_at"])]

    @cached_property
    def lines(self) -> list[Row]:
        ids = {order["order_id"] for order in self.orders}
        return [line for line in self.shop.tables["order_items"] if line["order_id"] in ids]

    @cached_property
    def parcels(self) -> list[tuple[Row, Row]]:
        """Delivered parcels of web orders of the month, with their orders."""
        parcels = ((self.shop.by_id[parcel["order_id"]], parcel) for parcel in self.shop.tables["shipments"])
        return [
            (order, parcel)
            for order, parcel in parcels
            if order["channel"] == "web" and parcel["delivered_at"] and self.within(order["ordered_at"])
        ]

    @cached_property
    def sessions(self) -> list[Session]:
        return [one for one in self.shop.sessions if self.within(one.events[0]["occurred_at"])]

    @cached_property
    def searches(self) -> list[list[Row]]:
        """Those of the month, each with what followed it in its session."""
        found = (search for session in self.shop.sessions for search in session.searches())
        return [search for search in found if self.within(search[0]["occurred_at"])]

    @cached_property
    def clicks(self) -> list[Row]:
        """The first result that was looked at after each search, where there is one."""
        told = ([one for one in search[1:] if one["properties"].get("from") == "search"] for search in self.searches)
        return [views[0] for views in told if views]

    def before(self) -> set[int]:
        """Known customers with an order in the three months before."""
        months = {month_after(self.first, -back) for back in (1, 2, 3)}
        return {
            customer
            for customer, orders in self.shop.purchases.items()
            if any(order["ordered_at"].date().replace(day=1) in months for order in orders)
        }

    def buyers(self) -> list[list[Row]]:
        """All orders of those whose first one fell into the month."""
        return [orders for orders in self.shop.purchases.values() if self.within(orders[0]["ordered_at"])]


def month_after(first: date, by: int) -> date:
    months = first.year * 12 + first.month - 1 + by
    return date(months // 12, months % 12 + 1, 1)


def _discount(line: Row) -> Decimal:
    return Decimal(line["retail_discount"] + line["coupon_discount"] + line["coupon_match_discount"])


def _cost(line: Row) -> Decimal:
    return Decimal(line["unit_cost"] * line["quantity"]).quantize(Decimal("0.01"), ROUND_HALF_UP)


def _hours(order: Row, parcel: Row) -> Decimal:
    seconds = (parcel["delivered_at"] - order["ordered_at"]) // timedelta(seconds=1)
    return (Decimal(seconds) / 3600).quantize(Decimal("0.01"), ROUND_HALF_UP)


def figures(month: Month) -> dict[str, Figure]:
    """Every metric of a month by its name."""
    lines, orders = month.lines, month.orders
    of_known = [order for order in orders if order["customer_id"] is not None]
    placed = month.of("orders", "ordered_at")
    value = {order["order_id"]: Decimal(0) for order in month.shop.sold}
    for line in month.shop.tables["order_items"]:
        if line["order_id"] in value:
            value[line["order_id"]] += line["sales_value"]

    revenue = sum((line["sales_value"] for line in lines), Decimal(0))
    discount = sum(map(_discount, lines), Decimal(0))
    refunds = sum((row["amount"] for row in month.of("refunds", "refunded_at")), Decimal(0))
    known = [line for line in lines if line["unit_cost"] is not None]
    with_cost = sum((line["sales_value"] for line in known), Decimal(0))
    cost = sum(map(_cost, known), Decimal(0))
    units = sum(line["quantity"] for line in lines)
    cancelled = len(placed) - len(orders)

    repeated = [order for order in of_known if order["order_id"] in month.shop.previous]
    waited = sum((order["ordered_at"].date() - month.shop.previous[order["order_id"]]).days for order in repeated)
    before = month.before()
    lost = before - {order["customer_id"] for order in of_known}
    buyers = month.buyers()
    bought = sum((value[order["order_id"]] for orders in buyers for order in orders), Decimal(0))

    payments = month.of("payments", "paid_at")
    failed = sum(row["status"] == "failed" for row in payments)
    late = sum(parcel["delivered_at"] > parcel["promised_at"] for _, parcel in month.parcels)
    hours = sum((_hours(*pair) for pair in month.parcels), Decimal(0))
    reviews = month.of("reviews", "created_at")
    stars = sum(row["rating"] for row in reviews)

    with_: Callable[[str], int] = lambda kind: sum(one.has(kind) for one in month.sessions)  # noqa: E731
    carts, ordered = with_("add_to_cart"), with_("order")
    told = [search[0]["properties"]["results"] for search in month.searches if "results" in search[0]["properties"]]
    positions = [click["properties"]["position"] for click in month.clicks if "position" in click["properties"]]
    return {
        "gross_revenue": revenue + discount,
        "discount": discount,
        "revenue": revenue,
        "refunds": refunds,
        "net_revenue": revenue - refunds,
        "discount_rate": share(discount, revenue + discount),
        "refund_rate": share(refunds, revenue),
        "units": units,
        "cost": cost,
        "revenue_with_cost": with_cost,
        "margin": with_cost - cost,
        "margin_rate": share(with_cost - cost, with_cost),
        "orders": len(orders),
        "cancelled_orders": cancelled,
        "placed_orders": len(placed),
        "cancellation_rate": share(cancelled, len(placed)),
        "revenue_of_orders": revenue,
        "average_order_value": share(revenue, len(orders)),
        "units_of_orders": units,
        "units_per_order": share(units, len(orders)),
        "customers": len({order["customer_id"] for order in of_known}),
        "new_customers": len(of_known) - len(repeated),
        "returning_orders": len(repeated),
        "returning_share": share(len(repeated), len(of_known)),
        "days_waited_in_all": waited,
        "repeat_orders": len(repeated),
        "days_between_orders": share(waited, len(repeated)),
        "customers_before": len(before),
        "customers_lost": len(lost),
        "churn_rate": share(len(lost), len(before)),
        "buyers": len(buyers),
        "revenue_of_buyers": bought,
        "lifetime_value": share(bought, len(buyers)),
        "payments": len(payments),
        "failed_payments": failed,
        "payment_failure_rate": share(failed, len(payments)),
        "delivered_parcels": len(month.parcels),
        "late_parcels": late,
        "late_share": share(late, len(month.parcels)),
        "delivery_hours_in_all": hours,
        "delivery_hours": share(hours, len(month.parcels)),
        "reviews": len(reviews),
        "stars": stars,
        "review_score": share(stars, len(reviews)),
        "sessions": len(month.sessions),
        "view_sessions": with_("view"),
        "cart_sessions": carts,
        "checkout_sessions": with_("checkout"),
        "order_sessions": ordered,
        "conversion_rate": share(ordered, len(month.sessions)),
        "cart_rate": share(carts, len(month.sessions)),
        "cart_abandonment_rate": share(carts - ordered, carts),
        "searches": len(month.searches),
        "searches_with_results_told": len(told),
        "fruitless_searches": told.count(0),
        "zero_result_rate": share(told.count(0), len(told)),
        "clicked_searches": len(month.clicks),
        "search_click_rate": share(len(month.clicks), len(month.searches)),
        "clicked_positions": sum(positions),
        "clicks_with_position": len(positions),
        "search_position": share(sum(positions), len(positions)),
    }
