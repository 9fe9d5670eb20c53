"""What figures of metrics show, on a shop of which it is known."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from lake.reports import pages
from tests.unit.reports.made_up import PROOF, TODAY, YESTERDAY, Shop, report, text

DAY, WEEK = timedelta(days=1), timedelta(days=7)
LAST_YEAR = YESTERDAY - timedelta(days=364)


def sold(shop: Shop, day: date, **channels: str) -> None:
    for channel, amount in channels.items():
        shop.add("revenue", day, amount, channel=channel, department="food")


# -- tiles
def test_each_figure_stands_beside_the_period_before_and_the_same_weekday_of_last_year() -> None:
    shop = Shop()
    sold(shop, YESTERDAY, web="100.10", store="10.01")
    sold(shop, YESTERDAY - DAY, web="100.10")
    sold(shop, LAST_YEAR, web="220.22")
    # Neither today, which is not over, nor the same date of last year, another weekday, counts.
    sold(shop, TODAY, web="5000")
    sold(shop, date(2025, 11, 24), web="7000")
    [figure] = shop.shown("day", {"kind": "metrics", "metrics": ["revenue"]})
    [tile] = figure.tiles
    assert (tile.label, tile.value, tile.note) == ("Revenue", "€110.11", "")
    before, last_year = tile.beside
    assert (before.said, before.value, before.change, before.tone) == ("day before", "€100.10", "+10.0 %", "good")
    assert (last_year.value, last_year.change, last_year.tone) == ("€220.22", "−50.0 %", "bad")
    assert "Tuesday, 24 November 2026" in figure.note
    assert "364 days earlier" in figure.note
    assert figure.evidence == "lake metric revenue --grain day --from 2026-11-24 --to 2026-11-24 --at abcdef0123456789"


@pytest.mark.parametrize(
    ("grain", "now", "before", "last_year"),
    [
        ("week", "2026-11-16", "2026-11-09", "2025-11-17"),
        ("month", "2026-10-01", "2026-09-30", "2025-10-15"),
    ],
)
def test_weeks_and_months(grain: str, now: str, before: str, last_year: str) -> None:
    shop = Shop()
    for day, amount in ((now, "3"), (before, "2"), (last_year, "1"), ("2026-11-23", "50")):
        sold(shop, date.fromisoformat(day), web=amount)
    [figure] = shop.shown(grain, {"kind": "metrics", "metrics": ["revenue"]})  # type: ignore[arg-type]
    [tile] = figure.tiles
    assert [tile.value, *(each.value for each in tile.beside)] == ["€3.00", "€2.00", "€1.00"]


def test_an_empty_period_says_so_and_has_no_change() -> None:
    shop = Shop()
    sold(shop, YESTERDAY - DAY, web="10")
    figures = [
        {"kind": "metrics", "metrics": ["revenue"]},
        {"kind": "breakdown", "metric": "revenue", "by": "channel"},
        {"kind": "changes"},
        {"kind": "trend", "metric": "orders"},
    ]
    tiles, breakdown, changes, trend = shop.shown("day", *figures)
    assert (tiles.tiles[0].value, tiles.tiles[0].note) == ("no data", "nothing in this period")
    assert [(each.change, each.tone) for each in tiles.tiles[0].beside] == [("–", "flat"), ("–", "flat")]
    assert breakdown.remarks == ("The lake has no revenue of Tuesday, 24 November 2026.",)
    assert changes.stories == ()
    assert changes.remarks == ("Not compared, because one of the two periods has no data: Revenue, Orders.",)
    assert trend.remarks == ("The lake has no orders of these 30 days.",)
    said = report("day", *figures)
    page = pages.html(said, [tiles, breakdown, changes, trend], PROOF).decode()
    assert "nan" not in page.lower()
    assert pages.pdf(said, [tiles, breakdown, changes, trend], PROOF).startswith(b"%PDF-")


def test_nothing_to_divide_by_is_said_and_is_no_number() -> None:
    shop = Shop()
    shop.add("failure_rate", YESTERDAY, 0, 0, method="card")
    shop.add("failure_rate", YESTERDAY - DAY, 1, 4, method="card")
    tiles, breakdown = shop.shown(
        "day",
        {"kind": "metrics", "metrics": ["failure_rate"]},
        {"kind": "breakdown", "metric": "failure_rate", "by": "method"},
    )
    [tile] = tiles.tiles
    assert (tile.value, tile.note, tile.beside[0].value, tile.beside[0].change) == (
        "no data",
        "nothing to divide by",
        "25.0 %",
        "–",
    )
    assert text(breakdown.rows) == [["card", "no data", "25.0 %", "–", "no data", "–"]]


def test_a_share_changes_by_points_and_what_should_fall_is_good_when_it_does() -> None:
    shop = Shop()
    shop.add("failure_rate", YESTERDAY, 2, 100, method="card")
    shop.add("failure_rate", YESTERDAY - DAY, 5, 100, method="card")
    [figure] = shop.shown("day", {"kind": "metrics", "metrics": ["failure_rate"]})
    [before, _] = figure.tiles[0].beside
    assert (before.change, before.direction, before.tone) == ("−3.00 points", "down", "good")


def test_a_single_customer_is_said_to_be_one() -> None:
    shop = Shop()
    shop.add("customers", YESTERDAY, 1, channel="web")
    shop.add("order_value", YESTERDAY, "99.99", 1, channel="web")
    shop.add("order_value", YESTERDAY - WEEK, "50", 1, channel="web")
    tiles, changes = shop.shown(
        "day",
        {"kind": "metrics", "metrics": ["customers", "order_value"]},
        {"kind": "changes", "metrics": ["order_value"], "against": "week"},
    )
    assert [(tile.value, tile.note) for tile in tiles.tiles] == [("1", ""), ("€99.99", "of 1 only")]
    [story] = changes.stories
    assert story.why == "Not explained: there is nothing that it could be split by."


# -- trends and breakdowns
def test_a_trend_has_the_line_of_last_year_and_its_numbers_with_gaps_where_nothing_is_known() -> None:
    shop = Shop()
    for back, amount in ((1, "30"), (3, "10")):
        sold(shop, TODAY - DAY * back, web=amount)
    sold(shop, LAST_YEAR, web="60")
    [figure] = shop.shown("day", {"kind": "trend", "metric": "revenue", "periods": 3})
    assert text(figure.rows) == [
        ["2026-11-22", "€10.00", "no data"],
        ["2026-11-23", "no data", "no data"],
        ["2026-11-24", "€30.00", "€60.00"],
    ]
    assert figure.chart is not None
    assert "a year before" in figure.chart.wide
    assert figure.chart.said == (
        "A line of 3 values: lowest €10.00 (2026-11-22), highest €30.00 (2026-11-24), last €30.00 (2026-11-24)."
    )


def test_a_breakdown_has_the_largest_segments_and_all_others_which_make_up_the_whole() -> None:
    shop = Shop()
    sold(shop, YESTERDAY, web="50", store="30", phone="15", fax="5")
    sold(shop, YESTERDAY - DAY, web="40")
    [figure] = shop.shown("day", {"kind": "breakdown", "metric": "revenue", "by": "channel", "largest": 2})
    assert text([figure.head]) == [["Channel", "Revenue", "Day before", "Change", "Year before", "Change"]]
    assert text(figure.rows) == [
        ["web", "€50.00", "€40.00", "+25.0 %", "no data", "–"],
        ["store", "€30.00", "€0.00", "–", "no data", "–"],
        ["all others", "€20.00", "€0.00", "–", "no data", "–"],
    ]
    assert [row[0].bar for row in figure.rows] == [1.0, 0.6, 0.0]


# -- what changed, and why
def weeks(shop: Shop, name: str, amounts: list[tuple[int, int | None]], **segment: str) -> None:
    """A metric week by week, the last one first."""
    for back, (above, below) in enumerate(amounts):
        shop.add(name, date(2026, 11, 16) - WEEK * back, above, below, **segment)


def test_what_changed_most_is_what_changed_more_than_it_usually_does() -> None:
    shop = Shop()
    web, store = {"channel": "web", "department": "food"}, {"channel": "store", "department": "food"}
    # Revenue goes up and down by 100 each week; orders hardly move, until now, when those of the web shop halve.
    weeks(shop, "revenue", [(1000 + back % 2 * 100, None) for back in range(10)], **web)
    weeks(shop, "orders", [(50, None)] + [(100 + back % 2, None) for back in range(9)], **web)
    weeks(shop, "orders", [(200, None)] * 10, **store)
    [figure] = shop.shown("week", {"kind": "changes", "metrics": ["revenue", "orders"], "most": 2})
    orders, revenue = figure.stories
    assert (orders.label, orders.value, orders.beside.change) == ("Orders", "250", "−16.7 %")
    assert orders.times == "−50, 50.0 times its usual change"
    assert orders.why == "Mostly by channel: web, 100 % of the change."
    assert text(orders.rows) == [["web", "100", "50", "−50", "100 %"]]
    assert revenue.times == "−€100.00, 1.0 times its usual change"


def test_where_too_little_is_known_of_what_is_usual_the_relative_change_counts() -> None:
    shop = Shop()
    for name, now, before in (("revenue", 90, 100), ("orders", 2, 4)):
        shop.add(name, YESTERDAY, now, channel="web", department="food")
        shop.add(name, YESTERDAY - DAY, before, channel="web", department="food")
    [figure] = shop.shown("day", {"kind": "changes", "metrics": ["revenue", "orders"]})
    assert [(story.label, story.times) for story in figure.stories] == [("Orders", "−2"), ("Revenue", "−€10.00")]


def failures(now: dict[str, tuple[int, int]], before: dict[str, tuple[int, int]]) -> str:
    """How a change of the failure rate is told; failed and tried, by method."""
    shop = Shop()
    for day, methods in ((YESTERDAY, now), (YESTERDAY - DAY, before)):
        for method, (failed, tried) in methods.items():
            shop.add("failure_rate", day, failed, tried, method=method)
    [figure] = shop.shown("day", {"kind": "changes", "metrics": ["failure_rate"]})
    [story] = figure.stories
    return story.why


def test_a_rate_that_rose_by_itself_and_one_that_rose_by_the_mix_are_told_apart() -> None:
    before = {"card": (2, 100), "voucher": (20, 100)}
    by_rate = failures({"card": (12, 100), "voucher": (20, 100)}, before)
    assert by_rate == (
        "Mostly by method: card, 100 % of the change. "
        "The segments' own rates added +5.00 points, their weight among all (mix) 0.00 points."
    )
    # Each method fails as often as before, but three of four payments are by voucher now.
    by_mix = failures({"card": (1, 50), "voucher": (30, 150)}, before)
    assert by_mix.endswith("own rates added 0.00 points, their weight among all (mix) +4.50 points.")


def test_what_cannot_be_added_up_is_not_explained_by_segments() -> None:
    shop = Shop()
    shop.add("customers", YESTERDAY, 10, channel="web")
    shop.add("customers", YESTERDAY - DAY, 20, channel="web")
    changes, breakdown = shop.shown(
        "day",
        {"kind": "changes", "metrics": ["customers"]},
        {"kind": "breakdown", "metric": "customers", "by": "channel"},
    )
    assert changes.stories[0].why.startswith("Not explained by segments")
    assert text(breakdown.rows) == [["web", "10", "20", "−50.0 %", "no data", "–"]]


def test_all_metrics_of_a_report_are_asked_for_at_once() -> None:
    shop = Shop()
    sold(shop, YESTERDAY, web="10")
    shop.shown(
        "day",
        {"kind": "metrics", "metrics": ["revenue", "orders"]},
        {"kind": "trend", "metric": "revenue", "periods": 10},
        {"kind": "breakdown", "metric": "revenue", "by": "channel"},
        {"kind": "breakdown", "metric": "orders", "by": "department"},
        {"kind": "changes", "against": "week"},
    )
    assert shop.asked == [(["revenue", "orders"], (), 2), (["revenue", "orders"], ("channel", "department"), 4)]


def test_money_is_exact() -> None:
    shop = Shop()
    for _ in range(3):
        sold(shop, YESTERDAY, web="0.10")
    sold(shop, YESTERDAY, web="9007199254740993.00")
    [figure] = shop.shown("day", {"kind": "metrics", "metrics": ["revenue"]})
    assert figure.tiles[0].value == "€9,007,199,254,740,993.30"


def test_the_same_receipt_gives_the_same_bytes_and_every_chart_its_words() -> None:
    figures = [
        {"kind": "metrics", "metrics": ["revenue", "failure_rate"]},
        {"kind": "trend", "metric": "revenue", "periods": 5},
        {"kind": "trend", "metric": "failure_rate", "periods": 60},
        {"kind": "breakdown", "metric": "revenue", "by": "channel"},
        {"kind": "changes"},
        {"kind": "quality"},
    ]

    def written() -> tuple[bytes, bytes]:
        shop = Shop()
        for back in range(9):
            sold(shop, YESTERDAY - DAY * back, web=str(back * 10), store="1")
            shop.add("failure_rate", YESTERDAY - DAY * back, back, 50, method="card")
        said = report("day", *figures)
        shown = shop.shown("day", *figures)
        return pages.html(said, shown, PROOF), pages.pdf(said, shown, PROOF)

    page, document = written()
    assert (page, document) == written()
    assert document.startswith(b"%PDF-")
    told = page.decode()
    assert told.count("<svg ") == told.count("<title id=") == told.count("<desc id=") == 4
    assert told.count('<details class="numbers">') == 2
    assert "Tuesday, 24 November 2026" in told
