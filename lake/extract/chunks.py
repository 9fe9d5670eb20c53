"""Cut a table into ranges of its key, so that no query runs long and a part is a unit of work.

A boundary is a value of the key, or of its first columns; it need not exist. The first range has no lower and the last
no upper end, so every row is in exactly one range, whatever is inserted later. Boundaries are found by asking the
optimiser how many rows lie between two values, which costs two dives into the index: nothing is scanned, and there is
no OFFSET. A sparse or skewed key only makes more questions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from pymysql.connections import Connection

from lake.extract.midpoint import between, between_code_points
from lake.source.client import fetch
from lake.source.dialect import Dialect
from lake.source.quoting import literal, quote

BYTES_PER_CHUNK = 96 << 20
"""Size of a range in the source's pages; as Parquet it is about a fifth of it."""

HALVINGS = 60
"""How often the space between two values is halved in search of one that splits the rows; 64 bits are enough for any
integer."""

COUNTED = 100
"""Rows of which the optimiser is taken to know the number."""

Boundary = tuple[Any, ...]


@dataclass(frozen=True)
class Chunk:
    """One part of a table: a condition with its values in place; the empty condition is the whole table."""

    number: int
    condition: str = ""


def plan(
    connection: Connection[Any],
    dialect: Dialect,
    table: str,
    key: Sequence[str],
    row_bytes: int,
    chunk_bytes: int = BYTES_PER_CHUNK,
) -> list[Chunk]:
    """Ranges of about ``chunk_bytes``; one for a small table or one without a key.

    Args:
        table: its name in the source.
        key: the columns of a unique index without NULL, in the index's order.
        row_bytes: average size of a row, by the server's statistics.
    """
    if not key:
        return [Chunk(0)]
    splitter = _Splitter(connection, dialect, table, list(key), max(chunk_bytes // max(row_bytes, 1), 1))
    return ranges(connection, key, splitter.boundaries())


def ranges(connection: Connection[Any], key: Sequence[str], boundaries: Sequence[Boundary]) -> list[Chunk]:
    """The ranges between boundaries, which ascend as the server orders them."""
    edges = [None, *boundaries, None]
    chunks = []
    for number, (low, high) in enumerate(pairwise(edges)):
        parts = [f"({_compare(connection, key, low, '>=')})"] if low else []
        parts += [f"({_compare(connection, key, high, '<')})"] if high else []
        chunks.append(Chunk(number, " AND ".join(parts)))
    return chunks


def _compare(connection: Connection[Any], key: Sequence[str], edge: Boundary, operator: str) -> str:
    """``(a, b) >= (x, y)`` written out, since MySQL does not use an index for a comparison of rows."""
    strict = operator[0]
    terms = []
    for depth, value in enumerate(edge):
        equal = [f"{quote(key[i])} = {literal(connection, edge[i])}" for i in range(depth)]
        comparison = operator if depth == len(edge) - 1 else strict
        terms.append(" AND ".join([*equal, f"{quote(key[depth])} {comparison} {literal(connection, value)}"]))
    return " OR ".join(terms)


class _Splitter:
    def __init__(
        self, connection: Connection[Any], dialect: Dialect, table: str, key: list[str], rows_per_chunk: int
    ) -> None:
        self._connection, self._dialect = connection, dialect
        self._table, self._key, self._target = quote(table), key, rows_per_chunk

    def boundaries(self) -> list[Boundary]:
        ends = self._ends((), 0)
        return [] if ends is None else self._split((), *ends, self._estimate([]))

    def _split(self, prefix: Boundary, low: Any, high: Any, rows: int) -> list[Boundary]:
        """Boundaries strictly between two values of the column after ``prefix`` that have ``rows`` between them."""
        if rows <= self._target * 3 // 2:
            return []
        a = low
        quarter = max(rows // 4, 1)  # with none, all of very few rows on one side would count as divided, for ever
        for halve in (between, between_code_points) if isinstance(low, str) else (between,):
            a, b = low, high
            for _ in range(HALVINGS):
                middle = halve(a, b)
                if middle is None:
                    break
                left = self._rows_below(prefix, low, middle, high, rows)
                if left < quarter:
                    a = middle
                elif left > rows - quarter:
                    b = middle
                else:
                    below = self._split(prefix, low, middle, left)
                    return [*below, (*prefix, middle), *self._split(prefix, middle, high, rows - left)]
        return self._split_one_value(prefix, low, a, rows)

    def _rows_below(self, prefix: Boundary, low: Any, middle: Any, high: Any, rows: int) -> int:
        """Rows between ``low`` and ``middle``, of ``rows`` between ``low`` and ``high``.

        InnoDB takes no range for more than half of its table, however much more it is, unless it is so small that its
        rows are counted. So of two sides the smaller one is believed.
        """
        left = self._estimate(self._within(prefix, low, middle))
        if left < rows // 2 or rows < COUNTED:
            return left
        return max(left, rows - self._estimate(self._within(prefix, middle, high)))

    def _split_one_value(self, prefix: Boundary, low: Any, near: Any, rows: int) -> list[Boundary]:
        """One value has most of the rows: go on with the key's next column, where there is one."""
        depth = len(prefix)
        if depth + 1 == len(self._key):
            return []
        column = quote(self._key[depth])
        found = self._ask(f"SELECT MIN({column}) AS v", [*self._equal(prefix), f"{column} >= {self._escape(near)}"])
        if found["v"] is None or (ends := self._ends((*prefix, found["v"]), depth + 1)) is None:
            return []
        inner_rows = self._estimate(self._equal((*prefix, found["v"])))
        if inner_rows < rows // 4:
            return []
        before = [] if found["v"] == low else [(*prefix, found["v"])]
        return [*before, *self._split((*prefix, found["v"]), *ends, inner_rows)]

    def _ends(self, prefix: Boundary, depth: int) -> tuple[Any, Any] | None:
        column = quote(self._key[depth])
        found = self._ask(f"SELECT MIN({column}) AS low, MAX({column}) AS high", self._equal(prefix))
        return None if found["low"] is None else (found["low"], found["high"])

    def _equal(self, prefix: Boundary) -> list[str]:
        return [f"{quote(self._key[i])} = {self._escape(value)}" for i, value in enumerate(prefix)]

    def _within(self, prefix: Boundary, low: Any, high: Any) -> list[str]:
        column = quote(self._key[len(prefix)])
        return [*self._equal(prefix), f"{column} >= {self._escape(low)}", f"{column} < {self._escape(high)}"]

    def _escape(self, value: Any) -> str:
        return literal(self._connection, value)

    def _ask(self, select: str, conditions: list[str]) -> dict[str, Any]:
        row: dict[str, Any] = fetch(self._connection, f"{select} FROM {self._table}{self._where(conditions)}")[0]
        return row

    def _estimate(self, conditions: list[str]) -> int:
        query = f"SELECT 1 FROM {self._table}{self._where(conditions)}"
        return self._dialect.estimated_rows(self._connection, query)

    @staticmethod
    def _where(conditions: list[str]) -> str:
        return f" WHERE {' AND '.join(conditions)}" if conditions else ""
