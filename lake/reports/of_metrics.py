"""Figures that show metrics, laid out from what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from lake.drawing import charts, formats
from lake.metrics import why
from lake.metrics.definitions import Metric
from lake.metrics.reasons import SPREAD
from lake.metrics.series import Segment
from lake.reports import alternatives, changes
from lake.reports.changes import Changed
from lake.reports.definition import BreakdownFigure, ChangesFigure, MetricsFigure, OfMetrics, TrendFigure, metrics_of
from lake.reports.measured import Measured, reference
from lake.reports.periods import BEFORE, LAST_YEAR, Period
from lake.reports.shown import Beside, Cell, Line, Shown, Story, Tile, changed, number

FEW = 10
"""An average over fewer than so many is said to be one."""
OTHERS = "all others"
YEAR = "year before"


@dataclass(frozen=True)
class Layout:
    """Lays out the figures of one report.

    Attributes:
        currency: of its money.
        lake_commit: of the receipt; it goes into how a value can be asked for again.
    """

    measured: Measured
    currency: str
    lake_commit: str

    def shown(self, figure: OfMetrics) -> Shown:
        """One figure."""
        content: dict[str, object]
        match figure:
            case MetricsFigure():
                content = self._metrics(figure)
            case TrendFigure():
                content = self._trend(figure)
            case BreakdownFigure():
                content = self._breakdown(figure)
            case ChangesFigure():
                content = self._changes(figure)
        note = " ".join([figure.note.strip(), self._about(figure)]).strip()
        base = Shown(figure.name, figure.title, note, figure.kind, self._evidence(figure))
        return Shown(**{**vars(base), **content})

    # -- what each kind shows
    def _metrics(self, figure: MetricsFigure) -> dict[str, object]:
        return {"tiles": tuple(self._tile(self.measured.metrics[name]) for name in figure.metrics)}

    def _tile(self, metric: Metric) -> Tile:
        value = self.measured.value(metric.name, self._period)
        beside = tuple(
            self._beside(said, metric, value, self.measured.value(metric.name, period))
            for said, period in ((f"{self._period.grain} before", self._period.back(1)), (YEAR, self._last_year))
        )
        return Tile(metric.label, self._told(value, metric), beside, self._basis(metric))

    def _basis(self, metric: Metric) -> str:
        """What should be known of a value: that there is none, and why, or that it is an average over very few."""
        found = self.measured.amount(metric.name, self._period)
        if found is None:
            return "nothing in this period"
        if found.below is None:
            return ""
        if not found.below:
            return "nothing to divide by"
        if 0 < found.below < FEW:
            return f"of {formats.exact(found.below, 'count', '')} only"
        return ""

    def _trend(self, figure: TrendFigure) -> dict[str, object]:
        metric = self.measured.metrics[figure.metric]
        periods = [self._period.back(count) for count in range(figure.periods - 1, -1, -1)]
        rows: list[dict[str, Any]] = [
            {
                "date": period.first,
                "name": period.name,
                "value": self.measured.value(metric.name, period),
                "last_year": self.measured.value(metric.name, period.year_before),
            }
            for period in periods
        ]
        head = (Cell(self._period.grain.capitalize()), Cell(metric.label, True), Cell("A year before", True))
        lines = tuple(
            (Cell(str(row["name"])), *(self._number(row[name], metric) for name in ("value", "last_year")))
            for row in rows
        )
        if all(row["value"] is None and row["last_year"] is None for row in rows):
            return {"remarks": (f"The lake has no {metric.label.lower()} of these {len(rows)} {self._period.grain}s.",)}
        said = alternatives.in_words("line", rows, metric.unit, self.currency, at="name")
        drawing = alternatives.chart(
            figure.name, figure.title, said, lambda width: charts.trend(rows, metric.unit, self.currency, width)
        )
        return {"chart": drawing, "head": head, "rows": lines}

    def _breakdown(self, figure: BreakdownFigure) -> dict[str, object]:
        metric = self.measured.metrics[figure.metric]
        asked = self.measured.by(metric.name, figure.by)
        periods = (self._period, self._period.back(1), self._last_year)
        chosen = asked.largest(figure.largest, [self._period.first])
        chosen = [segment for segment in chosen if self._period.first in asked.amounts[segment]]
        if not chosen:
            return {"remarks": (f"The lake has no {metric.label.lower()} of {self._period.told}.",)}
        # What the whole has nothing of, no segment has nothing of: that is not known.
        known = [self.measured.amount(metric.name, period) is not None for period in periods]

        def values(segments: Sequence[Segment]) -> list[Decimal | None]:
            found = [asked.of(segments, [period.first]) for period in periods]
            return [amount.value if is_known else None for amount, is_known in zip(found, known, strict=True)]

        lines = [(segment[0], values([segment])) for segment in chosen]
        widest = max((abs(now) for _, (now, _, _) in lines if now is not None), default=Decimal(0))
        others = [segment for segment in asked.amounts if segment not in chosen]
        if others and metric.formula.kind != "whole":
            lines.append((OTHERS, values(others)))
        titles = (metric.label, f"{self._period.grain.capitalize()} before", "Change", YEAR.capitalize(), "Change")
        head = (Cell(figure.by.replace("_", " ").capitalize()), *(Cell(title, True) for title in titles))
        return {"head": head, "rows": tuple(self._segment(name, found, metric, widest) for name, found in lines)}

    def _segment(self, name: str, values: Sequence[Decimal | None], metric: Metric, widest: Decimal) -> Line:
        now, before, last_year = values
        # All others together are no segment, and would dwarf those that are.
        bar = 0.0 if now is None or not widest or name == OTHERS else round(float(now / widest), 4)
        return (
            Cell(name, bar=bar),
            self._number(now, metric),
            self._number(before, metric),
            changed(now, before, metric.unit, metric.good),
            self._number(last_year, metric),
            changed(now, last_year, metric.unit, metric.good),
        )

    def _changes(self, figure: ChangesFigure) -> dict[str, object]:
        found, unknown = changes.most(figure, self.measured)
        remarks = []
        if not found and not unknown:
            held = reference(self._period, figure.against)
            remarks.append(f"Nothing changed between {held.told} and {self._period.told}.")
        if unknown:
            names = ", ".join(metric.label for metric in unknown)
            remarks.append(f"Not compared, because one of the two periods has no data: {names}.")
        return {"stories": tuple(self._story(one, figure) for one in found), "remarks": tuple(remarks)}

    def _story(self, one: Changed, figure: ChangesFigure) -> Story:
        metric = one.metric
        beside = self._beside("from", metric, one.now, one.before)
        amount = formats.difference(one.change, metric.unit, self.currency)
        times = f"{amount}, {one.times:.1f} times its usual change" if one.times is not None else amount
        found = one.explanation
        head, rows = self._parts(found, metric) if found and found.dimension else ((), ())
        return Story(metric.label, self._told(one.now, metric), beside, times, self._why(found, metric), head, rows)

    def _why(self, found: why.Explanation | None, metric: Metric) -> str:
        if metric.formula.kind == "whole":
            return "Not explained by segments: their values do not make up that of the whole."
        if found is None:
            return "Not explained: there is nothing that it could be split by."
        if not found.dimension:
            return f"It is {SPREAD}: no few of them account for it."
        share = sum((found.share(part) for part in found.parts), Decimal(0))
        names = " and ".join(part.segment for part in found.parts)
        said = f"Mostly by {found.dimension.replace('_', ' ')}: {names}, {share * 100:.0f} % of the change."
        if metric.formula.kind == "quotient":
            rate, mix = (formats.difference(part, metric.unit, self.currency) for part in (found.rate, found.mix))
            said += f" The segments' own rates added {rate}, their weight among all (mix) {mix}."
        return said

    def _parts(self, found: why.Explanation, metric: Metric) -> tuple[Line, tuple[Line, ...]]:
        is_quotient = metric.formula.kind == "quotient"
        titles = ("Before", "Now", "Added", *(("by its rate", "by its weight") if is_quotient else ()), "Of the change")
        head = (Cell(found.dimension.replace("_", " ").capitalize()), *(Cell(title, True) for title in titles))
        lines = []
        for part in found.parts:
            added = [part.contribution, *((part.rate, part.mix) if is_quotient else ())]
            lines.append(
                (
                    Cell(part.segment),
                    self._number(part.before, metric),
                    self._number(part.now, metric),
                    *(Cell(formats.difference(each, metric.unit, self.currency), True) for each in added),
                    Cell(f"{found.share(part) * 100:.0f} %", True),
                )
            )
        return head, tuple(lines)

    # -- what is said of figures
    def _about(self, figure: OfMetrics) -> str:
        grain = self._period.grain
        if isinstance(figure, TrendFigure):
            return f"By {grain}; the dashed line is {LAST_YEAR[grain]}."
        if isinstance(figure, ChangesFigure):
            held = reference(self._period, figure.against)
            usual = "the same weekdays" if grain == "day" and figure.against == "before" else f"the {grain}s"
            return f"Against {held.told}. What is usual is the median change of {usual} before."
        return f"{self._period.told[:1].upper()}{self._period.told[1:]}, beside {BEFORE[grain]} and {LAST_YEAR[grain]}."

    def _evidence(self, figure: OfMetrics) -> str:
        """The commands that give the values of a figure again."""
        names = dict.fromkeys(name for _, name in metrics_of(figure)) or dict.fromkeys(self.measured.names)
        by = f" --by {figure.by}" if isinstance(figure, BreakdownFigure) else ""
        first = self._period.back(figure.periods - 1) if isinstance(figure, TrendFigure) else self._period
        days = f" --from {first.first} --to {self._period.last}"
        grain = f" --grain {self._period.grain}"
        return "\n".join(f"lake metric {name}{by}{grain}{days} --at {self.lake_commit}" for name in names)

    # -- short hands
    @property
    def _period(self) -> Period:
        return self.measured.period

    @property
    def _last_year(self) -> Period:
        return self._period.year_before

    def _told(self, value: Decimal | None, metric: Metric) -> str:
        return formats.exact(value, metric.unit, self.currency)

    def _number(self, value: Decimal | None, metric: Metric) -> Cell:
        return number(value, metric.unit, self.currency)

    def _beside(self, said: str, metric: Metric, value: Decimal | None, other: Decimal | None) -> Beside:
        return Beside.of(said, value, other, metric.unit, self.currency, metric.good)
