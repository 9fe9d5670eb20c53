"""The words of lineage: columns, how one goes into another, and what makes a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What has columns."""

    LAKE = "lake"
    SOURCE = "source"
    REPORT = "report"
    ALERT = "alert"


class Use(StrEnum):
    """How a column goes into another: the subtypes of OpenLineage's column lineage, by their names there.

    The first three are direct, which means that values come from values. The others decide which value, or which rows.
    """

    IDENTITY = "IDENTITY"
    TRANSFORMATION = "TRANSFORMATION"
    AGGREGATION = "AGGREGATION"
    CONDITIONAL = "CONDITIONAL"
    WINDOW = "WINDOW"
    FILTER = "FILTER"
    JOIN = "JOIN"
    GROUP_BY = "GROUP_BY"
    SORT = "SORT"

    @property
    def rank(self) -> int:
        """Place among the uses, the most direct one first."""
        return list(Use).index(self)

    @property
    def is_direct(self) -> bool:
        """Whether values come from values."""
        return self in (Use.IDENTITY, Use.TRANSFORMATION, Use.AGGREGATION)

    def after(self, inner: Use) -> Use:
        """How a column goes into what is made of the column that it goes into.

        Args:
            inner: how it goes into the column in between, of which ``self`` says how that one is used.
        """
        if not self.is_direct:
            return self
        if not inner.is_direct:
            return inner
        return max(self, inner, key=lambda use: use.rank)


@dataclass(frozen=True, order=True)
class Table:
    """Something with columns.

    Attributes:
        space: layer of the lake, name of the source or of the report, or ``alerts``.
        name: of the table, of the figure or of the rule.
    """

    kind: Kind
    space: str
    name: str

    def __str__(self) -> str:
        return f"{self.space}.{self.name}"


@dataclass(frozen=True, order=True)
class Column:
    """One column."""

    table: Table
    name: str

    def __str__(self) -> str:
        return f"{self.table}.{self.name}"


@dataclass(frozen=True, order=True)
class Input:
    """A column that goes into something, and how."""

    column: Column
    use: Use


@dataclass(frozen=True)
class Made:
    """How a table comes about.

    Attributes:
        by: the job that makes it, such as ``dbt.daily_revenue``.
        columns: name -> what goes into it; nothing for a constant, a count of rows, or a mark of the lake itself.
        rows: what decides which rows there are: filters, joins, groups.
    """

    table: Table
    by: str
    columns: Mapping[str, frozenset[Input]]
    rows: frozenset[Input] = field(default_factory=frozenset)

    @property
    def inputs(self) -> list[Table]:
        """The tables that it is made of."""
        used = self.rows.union(*self.columns.values())
        return sorted({one.column.table for one in used})


Columns = Mapping[Table, tuple[str, ...]]
"""The columns of tables, in their order."""


def lake_table(layer: str, name: str) -> Table:
    """A table of the lake."""
    return Table(Kind.LAKE, layer, name)
