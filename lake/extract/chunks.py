"""Cut a table into ranges of its key, so that no query runs long and a part is a unit of work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from pymysql.connections import Connection

from lake.contracts import Contract
from lake.extract.source import fetch

ROWS_PER_CHUNK = 1_000_000


@dataclass(frozen=True)
class Chunk:
    """One part of a table: a condition with its parameters; the empty condition is the whole table."""

    number: int
    condition: str = ""
    parameters: tuple[Any, ...] = ()


def quote(name: str) -> str:
    """A name as MySQL wants it in a statement, which is a template: its ``%`` are doubled."""
    return "`" + name.replace("`", "``").replace("%", "%%") + "`"


def by_key(connection: Connection[Any], contract: Contract, row_estimate: int) -> list[Chunk]:
    """Ranges of a single whole-number key of about `ROWS_PER_CHUNK` rows; other tables are one chunk.

    The boundaries are keys that exist, found on the index, so a sparse or skewed key does not matter. The first and the
    last range are open: no row can fall outside.
    """
    arrow = contract.columns[contract.key[0]].parsed.arrow
    whole = pa.types.is_integer(arrow) or (pa.types.is_decimal(arrow) and arrow.scale == 0)
    if len(contract.key) != 1 or not whole or row_estimate <= ROWS_PER_CHUNK:
        return [Chunk(0)]
    key, table = quote(contract.column_in_source(contract.key[0])), quote(contract.name_in_source)
    edges = fetch(connection, f"SELECT MIN({key}) AS low, MAX({key}) AS high FROM {table}")[0]
    if edges["low"] is None:
        return [Chunk(0)]
    low, high = int(edges["low"]), int(edges["high"])
    pieces = -(-row_estimate // ROWS_PER_CHUNK)
    guesses = sorted({low + (high - low) * piece // pieces for piece in range(1, pieces)})
    found = [
        fetch(connection, f"SELECT MIN({key}) AS edge FROM {table} WHERE {key} >= %s", (guess,)) for guess in guesses
    ]
    bounds = sorted({int(rows[0]["edge"]) for rows in found if rows[0]["edge"] is not None} - {low})
    conditions: list[tuple[str, tuple[Any, ...]]] = []
    for lower, upper in zip([None, *bounds], [*bounds, None], strict=True):
        parts = [(f"{key} >= %s", lower)] if lower is not None else []
        parts += [(f"{key} < %s", upper)] if upper is not None else []
        conditions.append((" AND ".join(text for text, _ in parts), tuple(value for _, value in parts)))
    return [Chunk(number, text, values) for number, (text, values) in enumerate(conditions)]
