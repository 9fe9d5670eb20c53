"""What a report shows: figures, computed and laid out, whatever page they come on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from lake.drawing import formats

Tone = Literal["good", "bad", "flat"]
GOOD_OF = {"up": 1, "down": -1, "neither": 0}
"""By the way that is good, of a metric (`lake.metrics.check.DIRECTIONS`)."""


@dataclass(frozen=True)
class Proof:
    """What every figure carries, so that anyone can compute it again.

    Attributes:
        run_id: of the receipt.
        lake_commit: commit of main at which the figures were computed.
        source_instant: UTC instant as of which the source was read.
        notes: sentences about how far the source was proven, and what of it is older than that.
    """

    run_id: str
    lake_commit: str
    source_instant: datetime
    notes: tuple[str, ...] = ()

    @property
    def as_of(self) -> date:
        """Day of the source instant: the first one that is not over in the data."""
        return self.source_instant.date()


@dataclass(frozen=True)
class Beside:
    """What a value is held against.

    Attributes:
        said: what that is, such as ``from`` or ``the day before``.
        direction: of the change: ``up``, ``down`` or ``flat``.
        tone: whether that is good.
    """

    said: str
    value: str
    change: str
    direction: str
    tone: Tone

    @classmethod
    def of(cls, said: str, value: Any, other: Any, unit: str, currency: str, good: str = "up") -> Beside:
        """A value held against another one, of a unit."""
        change, direction = formats.change(value, other, unit)
        sign = {"up": 1, "down": -1, "flat": 0}[direction] * GOOD_OF[good]
        tone: Tone = "good" if sign > 0 else "bad" if sign < 0 else "flat"
        return cls(said, formats.exact(other, unit, currency), change, direction, tone)


@dataclass(frozen=True)
class Tile:
    """One headline figure, with what it is held against.

    Attributes:
        note: what should be known of it.
    """

    label: str
    value: str
    beside: tuple[Beside, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Cell:
    """One cell of a table.

    Attributes:
        tone: of a change.
        bar: how long a bar behind it is, from 0 to 1; below 0 for one to the other side.
    """

    text: str
    is_number: bool = False
    tone: Tone = "flat"
    bar: float | None = None


Line = tuple[Cell, ...]


@dataclass(frozen=True)
class Chart:
    """A drawing, as SVG.

    Attributes:
        wide, narrow: for a page and for a phone.
        said: what it shows, in a sentence or two; the numbers stand in the figure's rows.
    """

    wide: str
    narrow: str
    said: str


@dataclass(frozen=True)
class Story:
    """A change of a metric, and why.

    Attributes:
        times: how many times what is usual it is, in words; empty where that is not known.
        why: where it comes from, in words.
        head, rows: the segments and what each of them added.
    """

    label: str
    value: str
    beside: Beside
    times: str
    why: str
    head: Line = ()
    rows: tuple[Line, ...] = ()


@dataclass(frozen=True)
class Shown:
    """A figure, computed and laid out; what fits its kind is filled.

    Attributes:
        evidence: how its values can be asked for again: SQL with the parameters filled in, or commands.
        remarks: what has to be known of the values, a sentence each.
        head, rows: a table; of a chart, the numbers that it shows.
    """

    name: str
    title: str
    note: str
    kind: str
    evidence: str
    tiles: tuple[Tile, ...] = ()
    chart: Chart | None = None
    head: Line = ()
    rows: tuple[Line, ...] = ()
    stories: tuple[Story, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show, and nothing to say of it either."""
        return not (self.tiles or self.chart or self.rows or self.stories or self.remarks)


def number(value: Decimal | None, unit: str, currency: str) -> Cell:
    """A value as a cell."""
    return Cell(formats.exact(value, unit, currency), True)


def changed(value: Decimal | None, other: Decimal | None, unit: str, good: str) -> Cell:
    """How a value moved against another one, as a cell."""
    beside = Beside.of("", value, other, unit, "", good)
    return Cell(beside.change, True, beside.tone)
