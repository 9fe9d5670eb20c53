"""Why a metric changed: which segments of which dimension the change comes from.

A sum changed by what its segments changed by. A quotient changed for two reasons, which are told apart for each segment
as Kitagawa does (Components of a Difference Between Two Rates, 1955): its own rate changed, or the mix did, that is the
segment's weight among all. With both weights and rates averaged over the two periods nothing is left over.

Of several dimensions the one is told in which fewest segments account for the change and differ most from what their
part was before, as in Bhagwan et al., Adtributor (NSDI 2014), whose bounds are taken as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import log2

from lake.metrics.series import Amount

ACCOUNTED = Decimal("0.67")
"""The segments that are told account for this share of the change at least."""
TELLING = Decimal("0.1")
"""A segment that accounts for less of the change is not told."""
MOST = 3
"""Segments that are told."""
STRIKING = 0.005
"""Least surprise, in bits, for which a dimension is told: below it, its segments changed alike."""


@dataclass(frozen=True)
class Part:
    """One segment's part in a change.

    Attributes:
        now, before: the segment's own metric in the two periods; None where there was nothing.
        rate, mix: what its own change and the change of its weight added to the whole metric; mix is 0 of a sum.
    """

    segment: str
    now: Decimal | None
    before: Decimal | None
    rate: Decimal
    mix: Decimal
    surprise: float = 0.0

    @property
    def contribution(self) -> Decimal:
        """What the segment added to the change, in the metric's unit."""
        return self.rate + self.mix


@dataclass(frozen=True)
class Explanation:
    """What a change comes from.

    Attributes:
        change: of the whole metric.
        dimension: the one whose segments tell most; empty where in none of them few segments do.
        parts: its telling segments, the one that surprises most first.
        rate, mix: of a quotient, what of the change comes from rates and from weights, over all its segments.
    """

    change: Decimal
    dimension: str = ""
    parts: tuple[Part, ...] = ()
    rate: Decimal = Decimal(0)
    mix: Decimal = Decimal(0)

    def share(self, part: Part) -> Decimal:
        """What part of the change is a segment's; above 1 where others went the other way."""
        return part.contribution / self.change


Cells = Mapping[str, tuple[Amount, Amount]]
"""Now and before, by segment."""


def explain(dimensions: Mapping[str, Cells]) -> Explanation | None:
    """Why a metric changed; None where it did not.

    Args:
        dimensions: by name; the segments of each make up the whole.
    """
    told: list[tuple[float, Explanation]] = []
    change = None
    for name, cells in dimensions.items():
        parts = contributions(cells)
        change = sum((part.contribution for part in parts), Decimal(0))
        if not change:
            return None
        chosen = _telling(parts, change)
        surprise = sum(part.surprise for part in chosen)
        if chosen and surprise >= STRIKING:
            rate = sum((part.rate for part in parts), Decimal(0))
            told.append((surprise, Explanation(change, name, tuple(chosen), rate, change - rate)))
    if told:
        return max(told, key=lambda each: each[0])[1]
    return Explanation(change) if change else None


def contributions(cells: Cells) -> list[Part]:
    """Each segment's part; together they are the whole change, to the last digit of the arithmetic."""
    whole_now, whole_before = (_whole(cells, place) for place in (0, 1))
    parts = []
    for segment, (now, before) in cells.items():
        if now.below is None or before.below is None:
            rate, mix = now.above - before.above, Decimal(0)
        else:
            rate, mix = _apart(now, before, whole_now, whole_before)
        surprise = _surprise(now.above, before.above, whole_now.above, whole_before.above)
        if whole_now.below is not None and whole_before.below is not None:
            below = now.below or Decimal(0), before.below or Decimal(0)
            surprise += _surprise(*below, whole_now.below, whole_before.below)
        parts.append(Part(segment, now.value, before.value, rate, mix, surprise))
    return parts


def _whole(cells: Cells, place: int) -> Amount:
    first, *others = (cell[place] for cell in cells.values())
    return sum(others, first)


def _apart(now: Amount, before: Amount, whole_now: Amount, whole_before: Amount) -> tuple[Decimal, Decimal]:
    """What a segment's rate and its weight did to the whole quotient."""
    assert now.below is not None and before.below is not None
    if not whole_now.below or not whole_before.below:
        return Decimal(0), Decimal(0)
    weights = now.below / whole_now.below, before.below / whole_before.below
    # A segment without weight in one of the periods has the other's rate, so that its coming or going is all mix.
    rates = [now.value, before.value]
    known = [rate for rate in rates if rate is not None]
    if not known:
        return Decimal(0), Decimal(0)
    rate_now, rate_before = (known[0] if rate is None else rate for rate in rates)
    middle = (whole_now.above / whole_now.below + whole_before.above / whole_before.below) / 2
    own = (weights[0] + weights[1]) / 2 * (rate_now - rate_before)
    return own, (weights[0] - weights[1]) * ((rate_now + rate_before) / 2 - middle)


def _telling(parts: list[Part], change: Decimal) -> list[Part]:
    """The few segments that account for most of a change; none where that takes more of them."""
    chosen: list[Part] = []
    for part in sorted(parts, key=lambda each: (-each.surprise, each.segment)):
        if len(chosen) == MOST or sum((one.contribution for one in chosen), Decimal(0)) / change >= ACCOUNTED:
            break
        if part.contribution / change >= TELLING:
            chosen.append(part)
    accounted = sum((one.contribution for one in chosen), Decimal(0)) / change
    return chosen if accounted >= ACCOUNTED else []


def _surprise(now: Decimal, before: Decimal, whole_now: Decimal, whole_before: Decimal) -> float:
    """How much a segment's share of the whole differs from what it was: its part of the Jensen-Shannon divergence."""
    if whole_now <= 0 or whole_before <= 0 or now < 0 or before < 0:
        return 0.0
    p, q = float(before / whole_before), float(now / whole_now)
    return sum(0.5 * each * log2(2 * each / (p + q)) for each in (p, q) if each)
