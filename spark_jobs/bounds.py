"""Between which keys a run changes a table, so that files which hold none of them are left unread.

Iceberg keeps the least and the greatest value of each column of each file. A condition on a range is held against them
when the scan is planned; a join with a set of keys is only known when the files are being read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from itertools import pairwise
from operator import or_

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

MOST_RANGES = 16
"""A few rows of long ago beside today's must not make everything in between be read."""

Number = int | Decimal


@dataclass(frozen=True)
class Bounds:
    """Ranges, both ends included, outside of which no value of a column is asked for; none where that is not known."""

    column: str
    ranges: tuple[tuple[Number, Number], ...] = ()

    @property
    def condition(self) -> Column:
        """Whether a row may be asked for."""
        found = [F.col(f"`{self.column}`").between(F.lit(low), F.lit(high)) for low, high in self.ranges]
        return reduce(or_, found) if found else F.lit(True)

    @property
    def sql(self) -> str:
        """The same as text."""
        found = [f"`{self.column}` BETWEEN {_literal(low)} AND {_literal(high)}" for low, high in self.ranges]
        return f"({' OR '.join(found)})" if found else "true"

    def within(self, rows: DataFrame) -> DataFrame:
        """The rows that may be asked for."""
        return rows.where(self.condition) if self.ranges else rows


def around(column: str, values: Iterable[Number | None]) -> Bounds:
    """Bounds of some values, in at most `MOST_RANGES` ranges with the widest gaps between them; without any value there
    is nothing to be asked for, and no bound. What lies between two of the values may lie in none of the ranges."""
    ordered = sorted({value for value in values if value is not None})
    if not ordered:
        return Bounds(column)
    gaps = [after - before for before, after in pairwise(ordered)]
    widest = sorted(range(len(gaps)), key=gaps.__getitem__, reverse=True)[: MOST_RANGES - 1]
    begins = [0, *(place + 1 for place in sorted(widest))]
    ends = [*(place - 1 for place in begins[1:]), len(ordered) - 1]
    return Bounds(column, tuple((ordered[begin], ordered[end]) for begin, end in zip(begins, ends, strict=True)))


def spanning(column: str, ends: Iterable[tuple[Number | None, Number | None]]) -> Bounds:
    """Bounds of everything that lies between the ends of some ranges; one without ends is empty, and without any there
    is no bound."""
    ranges: list[tuple[Number, Number]] = []
    for low, high in sorted((low, high) for low, high in ends if low is not None and high is not None):
        if ranges and low <= ranges[-1][1]:
            ranges[-1] = (ranges[-1][0], max(high, ranges[-1][1]))
        else:
            ranges.append((low, high))
    return Bounds(column, tuple(ranges))


def _literal(value: Number) -> str:
    return f"{value:f}BD" if isinstance(value, Decimal) else str(value)
