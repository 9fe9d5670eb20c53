"""How does the shop do? Its newest figures as published, the receipt that proves them, and broken rules."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from infra.grafana.board import BUSINESS, LAKE, Section, board
from infra.grafana.panels import RED, YELLOW, Column, Limits, Panel, Query, bars, lines, number, rows

VALUE = "shoplake_business_value"
OF_LATER = "no receipt knows these days yet"
DAY = 24 * 3600
FRESH = Limits(yellow=2 * 3600, red=4 * 3600)
"""Of the lake, which is renewed every hour."""
NEW = Limits(yellow=2 * DAY, red=3 * DAY)
"""Of the beginning of a metric's newest day: of today or yesterday, it is less than two days ago."""
RULES = 'max by (rule, segment, severity, receipt) (shoplake_shop_rule_broken{{state="{state}"}})'


def business() -> Dashboard:
    """The newest days of the shop; for more, the dashboards of Superset."""
    return board(
        BUSINESS,
        "Business",
        "How does the shop do? Metrics of the published lake, of today and yesterday (UTC). More days are in Superset.",
        [_now(), _why()],
        since="now-24h",
    )


def _now() -> Section:
    return Section(
        "Today so far, and yesterday",
        [
            _figure("Revenue", "revenue", "currencyUSD", "Sales after discounts, without orders that were cancelled."),
            _figure("Orders", "orders", "locale", "Orders that were not cancelled."),
            _figure("Average order value", "average_order_value", "currencyUSD", "Revenue of an order.", decimals=2),
            _figure("Sessions", "sessions", "locale", "Visits to the web shop, cut by half an hour of silence."),
            _figure("Conversion rate", "conversion_rate", "percentunit", "Share of sessions that ended in an order."),
            _figure("Payment failure rate", "payment_failure_rate", "percentunit", "Share of payments that failed."),
            _figure("Refund rate", "refund_rate", "percentunit", "Refunds as a share of revenue."),
            number(
                "Age of these figures",
                Query("time() - max(shoplake_business_as_of_timestamp_seconds)", "since the shop was read"),
                unit="s",
                about="How long ago the shop was read that the figures are of. The table below names the receipt.",
                limits=FRESH,
                leads_to=LAKE,
                span=6,
            ),
        ],
    )


def _figure(title: str, metric: str, unit: str, about: str, decimals: int | None = None) -> Panel:
    of = f'{VALUE}{{metric="{metric}",day="%s"}}'
    return number(
        title,
        Query(f"max by (day) ({of % 'today'}) or max by (day) ({of % 'yesterday'})", "{{day}}"),
        unit=unit,
        about=f"{about} Of today as far as the shop was read, and of yesterday, once it was read after its end. "
        f"`lake metric {metric} --grain day` says the same.",
        empty=OF_LATER,
        span=6,
        decimals=decimals,
    )


def _why() -> Section:
    of_yesterday, of_week = (f'max by (metric) ({VALUE}{{day="{day}"}})' for day in ("yesterday", "week_before"))
    return Section(
        "Is that as it should be?",
        [
            rows(
                "Which rules are broken?",
                {
                    f"{RULES.format(state='broken')} or 2 * {RULES.format(state='no data')}": Column(
                        "State", words={"1": ("broken", RED), "2": ("no data", YELLOW)}
                    ),
                },
                labels={"rule": "Rule", "segment": "Of", "severity": "Severity", "receipt": "Receipt"},
                about="Rules of the shop (`lake/alerts/rules.yml`) whose alert is up, and the receipt in which "
                "that was found. `lake alerts history` tells why, and `lake alerts test RULE` judges again.",
                sort_by="Severity",
                descending=False,
                empty="none is broken",
            ),
            rows(
                "What has moved, and how new is it?",
                {
                    f"{of_yesterday} / ({of_week} != 0) - 1": Column("In a week", unit="percentunit"),
                    "time() - max by (metric) (shoplake_business_newest_day_timestamp_seconds)": Column(
                        "Newest day", unit="s", limits=NEW
                    ),
                },
                labels={"metric": "Metric"},
                about="How yesterday differs from that weekday a week before, and how long ago the newest day began "
                "of which the lake has anything. More than two days means that events have stopped to arrive.",
                sort_by="Newest day",
            ),
            bars(
                "Which departments sold yesterday?",
                Query(
                    "sort_desc(topk(10, max by (department) "
                    '(shoplake_business_department_value{metric="revenue",day="yesterday"})))',
                    "{{department}}",
                ),
                unit="currencyUSD",
                about="Yesterday's revenue of the ten largest departments. "
                "`lake metric revenue --by department --grain day` has them all.",
                height=9,
            ),
            lines(
                "How does revenue of today grow?",
                [
                    Query(f'max({VALUE}{{metric="revenue",day="today"}})', "published"),
                    Query("max(shoplake_shop_revenue_today)", "in the shop's database"),
                ],
                unit="currencyUSD",
                about="What the lake has published of each day so far, beside what the demo shop's own database says. "
                "They part by what was sold since the last run.",
                span=10,
                height=9,
            ),
            rows(
                "From which receipt?",
                {
                    "time() - max by (receipt) (shoplake_business_as_of_timestamp_seconds)": Column(
                        "Shop read", unit="s", limits=FRESH
                    ),
                },
                labels={"receipt": "Receipt"},
                about="The run whose receipt proves the figures, and how long ago it read the shop. `lake receipts` "
                "says how it was proven, and any figure can be computed again at its commit.",
                sort_by="Shop read",
                descending=False,
                span=6,
                height=9,
            ),
        ],
    )
