"""Packets of rows into batches, and into the sum of the rows' hashes."""

from __future__ import annotations

import pyarrow as pa

from mysql_arrow._fallback.cells import Cell
from mysql_arrow._fallback.cut import cut
from mysql_arrow._fallback.hashed import halves, joined


class Rows:
    """The rows of a result: they wait until they are a batch, and are read together then.

    Attributes:
        hash_sum: of the batches' rows.
    """

    def __init__(self, cells: list[Cell], schema: pa.Schema, *, binary: bool, most_rows: int, most_bytes: int):
        """The schema has one field a cell, and one more where problems are told."""
        self.cells, self.hash_sum = cells, 0
        self._schema, self._binary = schema, binary
        self._most_rows, self._most_bytes = most_rows, most_bytes
        self._packets: list[bytes] = []
        self._bytes = 0
        self._overhead = 8 * len(cells)

    @property
    def room(self) -> tuple[int, int, int]:
        """Rows and bytes for which there is room, and the bytes that a row takes besides its own."""
        return self._most_rows - len(self._packets), self._most_bytes - self._bytes, self._overhead

    @property
    def is_empty(self) -> bool:
        """Whether no row waits."""
        return not self._packets

    @property
    def is_full(self) -> bool:
        """Whether the rows are a batch."""
        return len(self._packets) >= self._most_rows or self._bytes >= self._most_bytes

    def push(self, packets: list[bytes]) -> None:
        """Some more rows."""
        self._packets += packets
        self._bytes += sum(map(len, packets)) + self._overhead * len(packets)

    def finish(self) -> pa.RecordBatch:
        """The rows so far as a batch; the next one begins.

        Raises:
            ProtocolError: a packet is no row of these columns.
            ValueRefused: a value is not what the schema and the policies let in; the first such one, by row and column.
        """
        packets, self._packets, self._bytes = self._packets, [], 0
        sent = cut(packets, [cell.column for cell in self.cells], binary=self._binary)
        left = [
            (row, at, value)
            for at, (cell, values) in enumerate(zip(self.cells, sent, strict=True))
            for row, value in cell.begin(values)
        ]
        problems: dict[int, list[str]] = {}
        for row, at, value in sorted(left, key=lambda one: one[:2]):
            if problem := self.cells[at].push(value):
                problems.setdefault(row, []).append(problem)
        columns = [cell.finish() for cell in self.cells]
        arrays = [array for array, _ in columns]
        if len(self._schema) > len(self.cells):
            told = [_joined(problems[row]) if row in problems else None for row in range(len(packets))]
            arrays.append(pa.array(told, pa.string()))
        pieces = [pieces for _, pieces in columns if pieces is not None]
        if pieces:
            self.hash_sum += sum(halves(joined(pieces)))
        return pa.RecordBatch.from_arrays(arrays, schema=self._schema)


def _joined(problems: list[str]) -> str:
    # Texts come last, as with the extension, which looks at them when the batch is complete.
    return "; ".join(sorted(problems, key=lambda problem: problem.endswith(" is no text")))
