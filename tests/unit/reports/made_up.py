"""A shop whose figures are made up, so that what a report has to say of them is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

from lake.metrics.definitions import Metric, Metrics
from lake.metrics.formula import SUM, WHOLE, Formula
from lake.metrics.series import Amount, Segment, Series
from lake.reports.definition import Report
from lake.reports.figures import Lake, compute
from lake.reports.periods import Grain
from lake.reports.shown import Proof, Shown

INSTANT = datetime(2026, 11, 25, 4, tzinfo=UTC)
PROOF = Proof("run_7", "abcdef0123456789", INSTANT)
TODAY = INSTANT.date()
YESTERDAY = TODAY - timedelta(days=1)


def metric(name: str, formula: Formula = SUM, unit: str = "money", good: str = "up", by: Segment = ()) -> Metric:
    label = name.replace("_", " ").capitalize()
    return Metric(name, label, "", unit, "sales", good, False, "day", by, "", formula, ("marts.sales",))


KNOWN = (
    metric("revenue", by=("channel", "department")),
    metric("orders", unit="count", by=("channel", "department")),
    metric("failure_rate", Formula("quotient", "failed", "tried"), "share", "down", by=("method",)),
    metric("order_value", Formula("quotient", "revenue", "orders"), by=("channel",)),
    metric("customers", WHOLE, "count", by=("channel",)),
)


class Catalogue:
    """As `Metrics`."""

    def get(self, name: str) -> Metric:
        return next(each for each in KNOWN if each.name == name)

    def __iter__(self) -> Iterator[Metric]:
        return iter(KNOWN)


@dataclass
class Shop:
    """What was sold: facts of each metric, of a day and of some segments. It is asked as the lake is.

    Attributes:
        asked: the metrics of each statement, its dimensions and its spans.
    """

    facts: dict[str, list[tuple[date, Mapping[str, str], Amount]]] = field(default_factory=dict)
    asked: list[tuple[list[str], Segment, int]] = field(default_factory=list)

    def add(self, name: str, day: date, above: Any, below: Any = None, **segment: str) -> None:
        amount = Amount(Decimal(above), None if below is None else Decimal(below))
        self.facts.setdefault(name, []).append((day, segment, amount))

    def ask(
        self, wanted: Sequence[Metric], by: Segment, grain: Grain, spans: Sequence[tuple[date, date]]
    ) -> dict[str, Series]:
        self.asked.append(([each.name for each in wanted], by, len(spans)))
        return {each.name: self._series(each, by, grain, spans) for each in wanted}

    def _series(self, of: Metric, by: Segment, grain: Grain, spans: Sequence[tuple[date, date]]) -> Series:
        amounts: dict[Segment, dict[date, Amount]] = {}
        for day, segment, amount in self.facts.get(of.name, []):
            if any(first <= day <= last for first, last in spans):
                first = {"day": day, "week": day - timedelta(days=day.weekday()), "month": day.replace(day=1)}[grain]
                into = amounts.setdefault(tuple(segment[each] for each in by), {})
                into[first] = into[first] + amount if first in into else amount
        days = [day for into in amounts.values() for day in into]
        return Series(of.formula.kind == "quotient", amounts, min(days, default=None))

    def shown(self, period: Grain, *figures: dict[str, Any], currency: str = "EUR") -> list[Shown]:
        """The figures of a report on this shop."""
        return compute(report(period, *figures, currency=currency), PROOF, self.lake())

    def lake(self) -> Lake:
        return Lake(lambda query: [], cast(Metrics, Catalogue()), self.ask)


def report(period: Grain | None, *figures: dict[str, Any], currency: str = "EUR") -> Report:
    named = [{"name": f"figure_{place}", "title": f"Figure {place}", **each} for place, each in enumerate(figures)]
    said = {"name": "r", "title": "Report", "description": "All of it.", "currency": currency, "figures": named}
    return Report.model_validate(said | ({"period": period} if period else {}))


def text(rows: Sequence[Sequence[Any]]) -> list[list[str]]:
    """The words of some rows of a table."""
    return [[cell.text for cell in row] for row in rows]
