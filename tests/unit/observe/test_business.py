"""Business figures for Prometheus: what is declared, what is computed of it, and what is shown on which day."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from lake.errors import LakeError, ServiceError
from lake.ledger import receipts
from lake.ledger.receipts import Receipt
from lake.metrics.ask import Span
from lake.metrics.definitions import Metric, Metrics
from lake.metrics.series import Amount, Segment, Series
from lake.observe import news
from lake.observe.business import declared, figures, latest
from lake.observe.business.figures import Figures, Of
from lake.observe.business.latest import Business
from lake.observe.lint import of_business
from lake.observe.metrics import METRICS
from lake.platform import storage

FRIDAY = date(2026, 11, 27)
"""The shop was read in the middle of it."""
READ = "2026-11-27T14:30:00+00:00"
MIDNIGHT = 1_795_737_600  # of Friday, in Unix seconds


# -- the declaration
GOOD = """figures:
  - {metric: revenue, by: department}
  - {metric: orders}
"""


def test_what_comes_with_the_lake_is_sound(metrics: Metrics) -> None:
    assert of_business.check(declared.FILE, metrics) == []
    names = {figure.metric for figure in declared.load(metrics).figures}
    assert names >= {"revenue", "orders", "average_order_value", "payment_failure_rate", "refund_rate", "sessions"}


@pytest.mark.parametrize(
    ("old", "new", "line", "told"),
    [
        ("orders", "oders", 3, "there is no metric 'oders'; did you mean orders?"),
        ("orders", "churn_rate", 3, "metric churn_rate is known by month, not by day"),
        ("orders", "sessions, by: department", 3, "metric sessions has no dimension 'department'; there is "),
        ("by: department", "by: category", 2, "figures.0.by: 'category' is none of them; there is department"),
        ("by:", "buy:", 2, "figures.0.buy: it has no 'buy'; did you mean by?"),
        ("orders", "revenue", 1, "the file: revenue is there twice"),
        ("  - {metric: orders}", "  - {metric: orders", 4, "not YAML: "),
        ("figures:", "figure:", 1, "figure: it has no 'figure'; did you mean figures?"),
    ],
)
def test_what_is_wrong_is_told_with_line_and_nearest_name(
    tmp_path: Path, metrics: Metrics, old: str, new: str, line: int, told: str
) -> None:
    file = tmp_path / "business.yml"
    file.write_text(GOOD)
    assert of_business.check(file, metrics) == []
    file.write_text(GOOD.replace(old, new, 1))
    found = [str(each) for each in of_business.check(file, metrics)]
    assert any(each.startswith(f"{file}:{line}: {told}") for each in found), found
    with pytest.raises(LakeError, match=r"business\.yml:"):
        declared.load(metrics, file)


def test_more_than_prometheus_is_for_is_refused(tmp_path: Path, metrics: Metrics) -> None:
    file = tmp_path / "business.yml"
    names = [metric.name for metric in metrics if metric.grain == "day"][: declared.MOST + 1]
    file.write_text("figures:\n" + "".join(f"  - {{metric: {name}}}\n" for name in names))
    [mistake] = of_business.check(file, metrics)
    assert "at most 20 items" in mistake.what


# -- what is computed
def of(amounts: Mapping[Segment, Mapping[date, Amount]], is_quotient: bool = False) -> Series:
    return Series(is_quotient, amounts, FRIDAY)


def day(back: int) -> date:
    return FRIDAY - timedelta(days=back)


def computed(metrics: Metrics, tmp_path: Path, text: str, answers: Mapping[tuple[str, Segment], Series]) -> Figures:
    """The figures of a lake that answers so; what it does not answer it refuses."""
    file = tmp_path / "declared.yml"
    file.write_text(f"figures:\n{text}")

    def ask(wanted: Sequence[Metric], by: Segment, spans: Sequence[Span]) -> dict[str, Series]:
        assert spans == [(day(35), FRIDAY)]
        if any((metric.name, by) not in answers for metric in wanted):
            raise LakeError("Trino refuses the statement: there is no such table")
        return {metric.name: answers[metric.name, by] for metric in wanted}

    return figures.compute(Of("c1", FRIDAY.isoformat(), "x"), declared.load(metrics, file), metrics, ask)


def test_decimals_are_kept_as_they_are_and_what_is_not_known_is_left_out(metrics: Metrics, tmp_path: Path) -> None:
    revenue = of({(): {day(0): Amount(Decimal("0.30")), day(1): Amount(Decimal("12345678.90"))}})
    rate = of({(): {day(1): Amount(Decimal(1), Decimal(3)), day(2): Amount(Decimal(0), Decimal(0))}}, True)
    text = "  - {metric: revenue}\n  - {metric: payment_failure_rate}\n"
    found = computed(metrics, tmp_path, text, {("revenue", ()): revenue, ("payment_failure_rate", ()): rate})
    assert found.whole["revenue"] == {"2026-11-27": "0.30", "2026-11-26": "12345678.90"}
    # Of the day before, no payment was tried: there is nothing to divide by, and so no figure.
    assert found.whole["payment_failure_rate"] == {"2026-11-26": str(Decimal(1) / 3)}
    assert found.departments == {}


def test_marts_that_cannot_be_asked_leave_out_their_metrics_alone(metrics: Metrics, tmp_path: Path) -> None:
    known = of({(): {day(1): Amount(Decimal(7))}})
    found = computed(metrics, tmp_path, "  - {metric: revenue}\n  - {metric: sessions}\n", {("sessions", ()): known})
    assert found.whole == {"sessions": {"2026-11-26": "7"}}


def test_a_trino_that_is_away_is_no_answer(metrics: Metrics) -> None:
    def away(*_: Any) -> Any:
        raise ServiceError("Trino does not answer")

    with pytest.raises(ServiceError):
        figures.compute(Of("c1", FRIDAY.isoformat(), "x"), declared.load(metrics), metrics, away)


def test_departments_are_bounded_and_nothing_is_lost(metrics: Metrics, tmp_path: Path) -> None:
    many = {(f"d{number:02}",): {day(1): Amount(Decimal(number))} for number in range(1, 41)}
    whole = of({(): {day(1): Amount(Decimal(820))}})
    text = "  - {metric: revenue, by: department}\n"
    found = computed(metrics, tmp_path, text, {("revenue", ()): whole, ("revenue", ("department",)): of(many)})
    told = found.departments["revenue"]
    assert len(told) == figures.MOST_DEPARTMENTS + 1
    assert told["d40"] == {"2026-11-26": "40"} and "d10" not in told
    assert told["other"] == {"2026-11-26": "55"}
    assert sum(Decimal(value) for by_day in told.values() for value in by_day.values()) == 820


# -- what is shown
KNOWN = Figures(
    Of("c1", "2026-11-27", "x"),
    {"revenue": {"2026-11-27": "0.30", "2026-11-26": "12.10", "2026-11-19": "9"}, "orders": {}},
    {"revenue": {"TOYS": {"2026-11-26": "2.50"}}},
)


def receipt(at: str = READ, run_id: str = "r1", commit: str = "c1", unchanged: str = "") -> Receipt:
    return Receipt(run_id, commit, at, "", at, "", "", unchanged_since=unchanged)


def shown(samples: Any) -> dict[tuple[str, ...], float]:
    return {(sample.metric.name.removeprefix("shoplake_business_"), *sample.labels): sample.value for sample in samples}


def test_today_yesterday_and_a_week_before() -> None:
    assert shown(latest.samples(KNOWN, receipt(), FRIDAY)) == {
        ("as_of_timestamp_seconds", "r1"): MIDNIGHT + 14.5 * 3600,
        ("newest_day_timestamp_seconds", "revenue"): MIDNIGHT,
        ("value", "revenue", "today"): 0.3,
        ("value", "revenue", "yesterday"): 12.1,
        ("value", "revenue", "week_before"): 9,
        ("department_value", "revenue", "TOYS", "yesterday"): 2.5,
    }


def test_an_old_receipt_says_nothing_of_days_that_it_does_not_know() -> None:
    """On Saturday, before anything was read: Friday was not over when the shop was read."""
    found = shown(latest.samples(KNOWN, receipt(), FRIDAY + timedelta(days=1)))
    assert not [key for key in found if key[0].endswith("value")]
    assert found["newest_day_timestamp_seconds", "revenue"] == MIDNIGHT


# -- when it is computed
class Lake:
    """A lake whose newest receipt a test chooses; counts how often figures are computed of it."""

    def __init__(self) -> None:
        self.receipt = receipt()
        self.kept: dict[str, bytes] = {}
        self.computed: list[tuple[str, str]] = []
        self.now = 0.0
        self.broken: LakeError | None = None

    def compute(self, run_id: str, last: str) -> None:
        self.computed.append((run_id, last))
        if self.broken:
            raise self.broken
        of = Of(self.receipt.lake_commit, last, declared.sha256())
        figures.keep(Figures(of, {"revenue": {"2026-11-26": f"{len(self.computed)}"}}))

    def business(self) -> Business:
        return Business(self.compute, lambda: self.now)


@pytest.fixture
def lake(monkeypatch: pytest.MonkeyPatch) -> Lake:
    lake = Lake()

    def get(uri: str) -> bytes:
        if uri not in lake.kept:
            raise FileNotFoundError(uri)
        return lake.kept[uri]

    monkeypatch.setattr(storage, "get", get)
    monkeypatch.setattr(storage, "put", lambda uri, data, kind="": lake.kept.update({uri: data}))
    monkeypatch.setattr(news.News, "state", lambda self: news.State("h", lake.receipt.run_id, True))
    monkeypatch.setattr(receipts, "of_run", lambda run_id: lake.receipt)
    return lake


def test_they_are_computed_once_a_receipt_whoever_asks(lake: Lake) -> None:
    one = lake.business()
    for _ in range(3):
        one.collect()
    assert lake.business().collect() == one.collect()  # an exporter that was started anew
    assert lake.computed == [("r1", "2026-11-27")]


def test_a_run_that_found_nothing_new_has_nothing_computed(lake: Lake) -> None:
    one = lake.business()
    one.collect()
    lake.receipt = receipt("2026-11-27T15:30:00+00:00", "r2", unchanged="r1")
    assert shown(one.collect())["as_of_timestamp_seconds", "r2"] == MIDNIGHT + 15.5 * 3600
    assert len(lake.computed) == 1
    lake.receipt = receipt("2026-11-28T00:30:00+00:00", "r3", unchanged="r1")
    one.collect()
    assert lake.computed[1:] == [("r3", "2026-11-28")]


def test_another_publish_and_another_declaration_have_them_computed_anew(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = lake.business()
    one.collect()
    lake.receipt = receipt(run_id="r2", commit="c2")
    one.collect()
    monkeypatch.setattr(declared, "sha256", lambda: "another")
    one.collect()
    assert [run_id for run_id, _ in lake.computed] == ["r1", "r2", "r2"]


def test_what_could_not_be_computed_is_told_and_not_tried_at_once(lake: Lake) -> None:
    one = lake.business()
    lake.broken = LakeError("there is no metric 'revenu'")
    for _ in range(2):
        with pytest.raises(LakeError, match="revenu"):
            one.collect()
    assert len(lake.computed) == 1
    lake.now, lake.broken = latest.AGAIN_SECONDS + 1, None
    assert one.collect() and len(lake.computed) == 2


def test_a_service_that_is_away_is_asked_again(lake: Lake) -> None:
    one = lake.business()
    lake.broken = ServiceError("Trino does not answer")
    for _ in range(2):
        with pytest.raises(ServiceError):
            one.collect()
    lake.broken = None
    assert one.collect() and len(lake.computed) == 3


def test_a_process_that_fails_is_told_in_its_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latest.sql, "query", lambda statement: ([], []))
    monkeypatch.setattr(latest.sys, "executable", "/bin/false")
    with pytest.raises(LakeError, match="the business figures of r1 could not be computed"):
        latest.compute("r1", "2026-11-27")


def test_no_label_can_take_any_value() -> None:
    """Bounded by the declaration, the departments that are named, and three days."""
    labels: Callable[[str], Any] = {metric.name: metric.labels for metric in METRICS}.__getitem__
    assert labels("shoplake_business_value") == ("metric", "day")
    assert labels("shoplake_business_department_value") == ("metric", "department", "day")
