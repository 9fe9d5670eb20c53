"""All lineage of a lake as one graph: the way of a column back to the sources, and forward to what people see."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cached_property

from lake.errors import LakeError
from lake.lineage.model import Column, Input, Kind, Made, Table, Use

Uses = Mapping[Column, tuple[Use, ...]]
"""Columns in their order, and how each is used on the ways that lead from it or to it; the most direct use first."""


def grouped(inputs: Iterable[Input]) -> Uses:
    """What goes into something, by columns."""
    found: dict[Column, list[Use]] = {}
    for one in sorted(inputs, key=lambda one: (one.column, one.use.rank)):
        found.setdefault(one.column, []).append(one.use)
    return {column: tuple(uses) for column, uses in found.items()}


class Graph:
    """How every table comes about, and so every column."""

    def __init__(self, made: Iterable[Made]) -> None:
        self.made = {one.table: one for one in made}
        self._sources: dict[Column, Uses] = {}

    def columns(self, table: Table) -> list[Column]:
        """The columns of a table, in their order."""
        return [Column(table, name) for name in self.made[table].columns]

    def rows(self, table: Table) -> Uses:
        """What decides which rows a table has."""
        return grouped(self.made[table].rows)

    def inputs(self, column: Column) -> Uses:
        """What goes into a column directly."""
        return grouped(self.made[column.table].columns[column.name])

    def readers(self, column: Column) -> Uses:
        """Columns that a column goes into directly, and how it does."""
        return grouped(self._readers.get(column, ()))

    def decided_by(self, column: Column) -> list[Table]:
        """Tables of which a column decides the rows."""
        return sorted(one.table for one in self.made.values() if any(row.column == column for row in one.rows))

    def sources(self, column: Column) -> Uses:
        """Columns of the sources that a column comes from, over all tables in between."""
        if column not in self._sources:
            found: set[Input] = set()
            for one in self.made[column.table].columns[column.name]:
                if one.column.table.kind is Kind.SOURCE:
                    found.add(one)
                for source, uses in self.sources(one.column).items():
                    found |= {Input(source, one.use.after(use)) for use in uses}
            self._sources[column] = grouped(found)
        return self._sources[column]

    def seen_as(self, column: Column) -> list[Column]:
        """Columns of reports and alert rules that a column goes into, over all tables in between."""
        found: set[Column] = set()
        waiting, known = [column], {column}
        while waiting:
            for reader in self.readers(waiting.pop()):
                if reader.table.kind in (Kind.REPORT, Kind.ALERT):
                    found.add(reader)
                if reader not in known:
                    known.add(reader)
                    waiting.append(reader)
        return sorted(found)

    def find(self, name: str) -> Table | Column:
        """The table or the column that a person means, such as ``marts.daily_revenue`` or ``shop.orders.status``.

        Raises:
            LakeError: there is none; the nearest name is told.
        """
        for table in sorted(self.made):
            if name == str(table):
                return table
            if name.startswith(f"{table}."):
                column = name.removeprefix(f"{table}.")
                if column in self.made[table].columns:
                    return Column(table, column)
                raise LakeError(
                    f"{table} has no column {column!r}", _meant(column, list(self.made[table].columns), str(table))
                )
        raise LakeError(f"there is no table or column {name!r}", self._nearest(name))

    def _nearest(self, name: str) -> str:
        """What was meant by a name that is no table's: one with the right name in another layer, or like it."""
        names = [str(table) for table in self.made]
        parts = name.split(".")[:2]
        elsewhere = [full for full in names if full.partition(".")[2] in parts]
        likely = sorted(elsewhere)[:5] or get_close_matches(".".join(parts), names, n=3)
        way = "`lake tables` lists those of the lake"
        return f"did you mean {' or '.join(likely)}?" if likely else f"write LAYER.TABLE.COLUMN; {way}"

    @cached_property
    def _readers(self) -> dict[Column, set[Input]]:
        found: dict[Column, set[Input]] = {}
        for made in self.made.values():
            for name, inputs in made.columns.items():
                for one in inputs:
                    found.setdefault(one.column, set()).add(Input(Column(made.table, name), one.use))
        return found


def _meant(column: str, columns: list[str], table: str) -> str:
    likely = get_close_matches(column, columns, n=1)
    return (f"did you mean {likely[0]}? " if likely else "") + f"`lake lineage {table}` lists its columns"
