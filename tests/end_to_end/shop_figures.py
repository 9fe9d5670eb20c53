"""Every metric, worked out from the shop's own rows without a line of the platform's code."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from typing import Any

from tests.end_to_end.line_figures import Figure, Row, affinity, deliveries, discount_of, discounts, share

PAUSE = timedelta(minutes=30)


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

    @cached_property
    def days(self) -> tuple[date, date]:
        """The first and the last day with an order, cancelled or not."""
        found = [order["ordered_at"].date() for order in self.tables["orders"]]
        return min(found), max(found)

    @cached_property
    def categories(self) -> dict[int, int]:
        """Of the products that have one."""
        products = self.tables["products"]
        return {one["product_id"]: one["category_id"] for one in products if one["category_id"] is not None}

    @cached_property
    def value(self) -> dict[int, Decimal]:
        """By order that stands: what its lines came to."""
        found = {order["order_id"]: Decimal(0) for order in self.sold}
        for line in self.tables["order_items"]:
            if line["order_id"] in found:
                found[line["order_id"]] += line["sales_value"]
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

    def cohort_months(self) -> tuple[int, int]:
        """Of those whose first order fell into the month: months since in which they ordered, and all of them."""
        last = self.shop.days[1].replace(day=1)
        since = (last.year - self.first.year) * 12 + last.month - self.first.month + 1
        buyers = self.buyers()
        active = sum(len({order["ordered_at"].date().replace(day=1) for order in orders}) for orders in buyers)
        return active, len(buyers) * since

    def uplift(self) -> tuple[Decimal, int]:
        """Of the campaigns that began in the month and are told: what they added, and of how many customers."""
        found = [uplift(self.shop, one) for one in self.shop.tables["campaigns"] if self._began(one)]
        return sum((added for added, _ in found), Decimal(0)), sum(matched for _, matched in found)

    def redeemers(self) -> tuple[int, int]:
        """Of the campaigns that began in the month: customers who were addressed, and who redeemed a coupon."""
        began = {one["campaign_id"] for one in self.shop.tables["campaigns"] if self._began(one)}
        addressed, redeemed = (
            [row for row in self.shop.tables[table] if row["campaign_id"] in began]
            for table in ("campaign_customers", "coupon_redemptions")
        )
        who = {(row["campaign_id"], row["customer_id"]) for row in redeemed if row["customer_id"] is not None}
        return len(addressed), len(who)

    def _began(self, campaign: Row) -> bool:
        return (campaign["starts_on"].year, campaign["starts_on"].month) == (self.first.year, self.first.month)


def uplift(shop: Shop, campaign: Row) -> tuple[Decimal, int]:
    """What a campaign added by comparison with customers who had spent alike, and of how many customers."""
    starts, ends = campaign["starts_on"], campaign["ends_on"]
    begins = starts - (ends - starts + timedelta(days=1))
    if begins < shop.days[0] or ends > shop.days[1]:
        return Decimal(0), 0
    reached = {
        row["customer_id"] for row in shop.tables["campaign_customers"] if row["campaign_id"] == campaign["campaign_id"]
    }
    spent = {}
    for customer, orders in shop.purchases.items():
        if orders[0]["ordered_at"].date() < starts:
            days = [(order["ordered_at"].date(), shop.value[order["order_id"]]) for order in orders]
            before = sum((value for day, value in days if begins <= day < starts), Decimal(0))
            spent[customer] = before, sum((value for day, value in days if starts <= day <= ends), Decimal(0))
    spenders = sorted(before for before, _ in spent.values() if before > 0)
    strata: dict[int, tuple[list[Decimal], list[Decimal]]] = defaultdict(lambda: ([], []))
    for customer, (before, during) in spent.items():
        # Who spent as much has the same place, and so the same fifth.
        stratum = 1 + spenders.index(before) * 5 // len(spenders) if before > 0 else 0
        strata[stratum][customer not in reached].append(during - before)
    added, matched = Decimal(0), 0
    for of_reached, of_others in strata.values():
        if of_reached and of_others:
            like_others = sum(of_others, Decimal(0)) * len(of_reached) / len(of_others)
            added += sum(of_reached, Decimal(0)) - like_others.quantize(Decimal("0.01"), ROUND_HALF_UP)
            matched += len(of_reached)
    return added, matched


def standing(shop: Shop) -> dict[str, Figure]:
    """Every metric that is known as of the last day alone."""
    last, stock = shop.days[1], {row["product_id"]: row["quantity_on_hand"] for row in shop.tables["inventory"]}
    sold = dict.fromkeys(stock, 0)
    for line in shop.tables["order_items"]:
        order = shop.by_id[line["order_id"]]
        is_late = last - order["ordered_at"].date() < timedelta(days=28)
        if order["status"] != "cancelled" and is_late and line["product_id"] in sold:
            sold[line["product_id"]] += line["quantity"]
    on_hand, units = sum(stock.values()), sum(sold.values())
    return {
        "stock_on_hand": on_hand,
        "units_sold_lately": units,
        "stock_cover": share(on_hand * 28, units),
        "stock_outs": sum(stock[product] <= 0 and sold[product] > 0 for product in stock),
    }


def month_after(first: date, by: int) -> date:
    months = first.year * 12 + first.month - 1 + by
    return date(months // 12, months % 12 + 1, 1)


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

    revenue = sum((line["sales_value"] for line in lines), Decimal(0))
    discount = sum(map(discount_of, lines), Decimal(0))
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
    bought = sum((month.shop.value[order["order_id"]] for orders in buyers for order in orders), Decimal(0))

    active, months_since = month.cohort_months()
    added, matched = month.uplift()
    addressed, redeemers = month.redeemers()

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
        **discounts(lines),
        **affinity(lines, month.shop.categories, len(orders)),
        **deliveries(month.parcels),
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
        "cohort_months_active": active,
        "cohort_months": months_since,
        "retention_rate": share(active, months_since),
        "campaign_customers": addressed,
        "campaign_redeemers": redeemers,
        "redemption_rate": share(redeemers, addressed),
        "campaign_uplift": added,
        "matched_customers": matched,
        "uplift_per_customer": share(added, matched),
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
