"""Counts and order-free sums of a table by bucket of its key, computed by the server inside the snapshot.

Two runs that see the same count and sums in a bucket saw the same keys (or rows) in it, so nothing of it has to
travel. Buckets are ranges of the key. Their bounds are keys that existed, every so many of them, found while the keys
are read in the order of the index; they stay from run to run, and the first and the last range are open. The order of
text belongs to the server's collation, which the lake does not know, so keys of text are dealt out by CRC32 instead.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import Any, Literal

import mysql_arrow
import pyarrow as pa
from pymysql.connections import Connection

from lake.changes import hashes, ranges
from lake.changes.increment import Resnapshot
from lake.changes.ranges import Condition, Range
from lake.contracts import Contract
from lake.contracts.types import ColumnType
from lake.source import reader
from lake.source.client import fetch
from lake.source.quoting import quote

Content = Literal["keys", "rows", "held"]
"""What is summed: keys, rows as the source has them, or rows as the lake holds them."""

AIM = 256
"""Buckets of a table, more or less: enough that one change makes little travel, few enough to store with each run."""

SMALLEST, LARGEST = 5_000, 100_000
"""Rows of a bucket."""

PER_STATEMENT = 32


@dataclass(frozen=True)
class Bucket:
    """What the server said of one bucket: its rows, and the sums of `expressions`."""

    count: int
    sums: tuple[int, ...]

    def __add__(self, other: Bucket) -> Bucket:
        """Both buckets as one."""
        return Bucket(self.count + other.count, tuple(a + b for a, b in zip(self.sums, other.sums, strict=True)))


@dataclass(frozen=True)
class Buckets:
    """All buckets of a table at one snapshot.

    Attributes:
        fingerprint: of what was summed; sums of another one cannot be compared.
        size: rows that a bucket should have.
        bounds: first keys of all ranges but the first, in plain JSON values; None where buckets go by CRC32.
    """

    fingerprint: str
    size: int
    bounds: list[list[Any]] | None
    buckets: list[Bucket]

    @property
    def rows(self) -> int:
        """Rows of the table."""
        return sum(bucket.count for bucket in self.buckets)

    def fits(self, contract: Contract, content: Content) -> bool:
        """Whether the sums are of this content of this contract."""
        return self.fingerprint == _fingerprint(contract, content)

    def ranges(self, contract: Contract) -> list[Range]:
        """The ranges of the buckets, in their order."""
        assert self.bounds is not None
        edges = [None, *(ranges.from_json(bound, contract) for bound in self.bounds), None]
        return [Range(lower, upper) for lower, upper in pairwise(edges)]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {**asdict(self), "buckets": [[bucket.count, *bucket.sums] for bucket in self.buckets]}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Buckets:
        """The inverse of `to_json`."""
        return cls(**{**value, "buckets": [Bucket(count, tuple(sums)) for count, *sums in value["buckets"]]})


def why_not(contract: Contract) -> str:
    """Why a table cannot be compared in buckets; empty if it can."""
    if not contract.key:
        return "it has no key"
    if ranges.has_order(contract) or _hashable(contract):
        return ""
    return f"keys of the types of ({', '.join(contract.key)}) cannot be put into buckets"


def first(connection: Connection[Any], contract: Contract, content: Content) -> Buckets:
    """Lay the buckets out and sum them: the keys are read once in their order, without being kept.

    Raises:
        Resnapshot: a row is too large to be summed.
    """
    key = list(contract.key)
    statement = reader.statement(contract, key)
    if not ranges.has_order(contract):
        (row,) = fetch(connection, f"SELECT COUNT(*) AS n FROM {quote(contract.name_in_source)}")
        size = size_of(int(row["n"]))
        return by_hash(connection, contract, content, size, max(1, int(row["n"]) // size))
    columns = ", ".join(quote(contract.column_in_source(name)) for name in key)
    schema = pa.schema([contract.schema.field(name) for name in key])
    stream = mysql_arrow.query(connection, f"{statement} ORDER BY {columns}", (), schema=schema)
    seen, samples = 0, []
    with reader.refusals(contract.table):
        for batch in map(pa.record_batch, stream):
            picked = batch.take(pa.array(range(-seen % SMALLEST, batch.num_rows, SMALLEST), pa.int64()))
            samples += [tuple(row.values()) for row in picked.to_pylist()]
            seen += batch.num_rows
    size = size_of(seen)
    every = max(1, size // SMALLEST)
    bounds = [ranges.to_json(sample) for sample in samples[every::every]]
    laid_out = Buckets(_fingerprint(contract, content), every * SMALLEST, bounds, [])
    return now(connection, contract, content, laid_out)


def size_of(rows: int) -> int:
    """Rows of a bucket for a table of so many rows."""
    return min(max(rows // AIM, SMALLEST), LARGEST)


def now(connection: Connection[Any], contract: Contract, content: Content, before: Buckets) -> Buckets:
    """The same buckets as of the snapshot that is open.

    Raises:
        Resnapshot: a row is too large to be summed.
    """
    if before.bounds is None:
        return by_hash(connection, contract, content, before.size, len(before.buckets))
    return replace(before, buckets=of_ranges(connection, contract, content, before.ranges(contract)))


def of_ranges(
    connection: Connection[Any], contract: Contract, content: Content, wanted: Sequence[Range]
) -> list[Bucket]:
    """Sums of some ranges: many short scans of the index, rather than one long one that groups."""
    table, sums = quote(contract.name_in_source), _sums(contract, content)
    found: list[Bucket] = []
    for start in range(0, len(wanted), PER_STATEMENT):
        statements: list[str] = []
        parameters: list[Any] = []
        for number, one in enumerate(wanted[start : start + PER_STATEMENT]):
            text, values = one.condition(contract)
            where = f" WHERE {text}" if text else ""
            statements.append(f"SELECT {number} AS bucket, COUNT(*) AS n, {sums} FROM {table}{where}")
            parameters += values
        rows = _summed(connection, contract, " UNION ALL ".join(statements), tuple(parameters))
        found += [_bucket(row) for row in sorted(rows, key=lambda row: int(row["bucket"]))]
    return found


def by_hash(connection: Connection[Any], contract: Contract, content: Content, size: int, number: int) -> Buckets:
    """Sums of all buckets of a key without a common order, in one grouped scan."""
    statement = (
        f"SELECT MOD({_hash(contract)}, {number}) AS bucket, COUNT(*) AS n, {_sums(contract, content)} "
        f"FROM {quote(contract.name_in_source)} GROUP BY bucket"
    )
    rows = _summed(connection, contract, statement, ())
    found = {int(row["bucket"]): _bucket(row) for row in rows}
    nothing = Bucket(0, (0,) * len(expressions(contract, content)))
    return Buckets(_fingerprint(contract, content), size, None, [found.get(place, nothing) for place in range(number)])


def hash_condition(contract: Contract, number: int, wanted: Sequence[int]) -> Condition:
    """Rows of some buckets of a key without a common order, in SQL; the server reads the whole index for it."""
    return f"MOD({_hash(contract)}, {number}) IN ({', '.join(map(str, wanted))})", ()


def hash_buckets(rows: pa.Table | pa.RecordBatch, contract: Contract, number: int) -> pa.Array:
    """The bucket of each row, as the server counts: the CRC32 of its key's texts, bytes and whole numbers."""
    columns = [rows[name].to_pylist() for name in _hashable(contract)]
    keys = (b",".join(map(_bytes, key)) for key in zip(*columns, strict=True))
    return pa.array([zlib.crc32(key) % number for key in keys], pa.int64())


def expressions(contract: Contract, content: Content) -> list[str]:
    """The aggregates that are summed in each bucket.

    Rows: the sum of their hashes. Keys of whole numbers only: the sum of the squares of their CRC32 and, exactly, the
    sums of the numbers themselves, which costs a fraction of the row hash. Squares, since CRC32 is linear: where two
    rows exchange parts of their keys, one time in 12,000 their checksums have the old sum. Other keys: the row hash.
    """
    if content == "held":
        return [hashes.sum_in_source(contract)]
    names = contract.key if content == "keys" else tuple(contract.columns)
    if content == "keys" and all(_is_whole(contract.columns[name].parsed.arrow) for name in names):
        columns = [quote(contract.column_in_source(name)) for name in names]
        texts = columns[0] if len(columns) == 1 else f"CONCAT_WS(',', {', '.join(columns)})"
        return [f"SUM(CRC32({texts}) * CRC32({texts}))", *(f"SUM({column})" for column in columns)]
    columns_and_types = [(contract.column_in_source(name), contract.columns[name].type) for name in names]
    # As a template, whose % are doubled.
    return [mysql_arrow.hash_expression(columns_and_types).replace("%", "%%")]


def _sums(contract: Contract, content: Content) -> str:
    return ", ".join(f"{text} AS sum_{number}" for number, text in enumerate(expressions(contract, content)))


def _summed(connection: Connection[Any], contract: Contract, statement: str, parameters: tuple[Any, ...]) -> list[Any]:
    rows = fetch(connection, statement, parameters)
    # Only the row hash comes to this; it is the one sum then, and a sum of checksums is less.
    if any(int(row["sum_0"] or 0) >= mysql_arrow.UNHASHED for row in rows):
        raise Resnapshot(f"a row of {contract.name_in_source} is larger than the server's max_allowed_packet")
    return rows


def _bucket(row: dict[str, Any]) -> Bucket:
    sums = sorted((name, value) for name, value in row.items() if name.startswith("sum_"))
    return Bucket(int(row["n"]), tuple(int(value or 0) for _, value in sums))


def _fingerprint(contract: Contract, content: Content) -> str:
    text = "\n".join([content, *contract.key, *expressions(contract, content)])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _is_whole(arrow: pa.DataType) -> bool:
    return bool(pa.types.is_integer(arrow) or (pa.types.is_decimal(arrow) and arrow.scale == 0))


def _hashable(contract: Contract) -> list[str]:
    """Key columns whose values are written alike by the server and here."""

    def alike(parsed: ColumnType) -> bool:
        is_text = pa.types.is_string(parsed.arrow) or pa.types.is_binary(parsed.arrow)
        return is_text or (_is_whole(parsed.arrow) and parsed.base not in {"bit", "year"})

    return [name for name in contract.key if alike(contract.columns[name].parsed)]


def _hash(contract: Contract) -> str:
    pieces = []
    for name in _hashable(contract):
        column, arrow = quote(contract.column_in_source(name)), contract.columns[name].parsed.arrow
        # A sum has no ZEROFILL.
        text = f"{column} + 0" if _is_whole(arrow) else column
        pieces.append(column if pa.types.is_binary(arrow) else f"CAST(CONVERT({text} USING utf8mb4) AS BINARY)")
    return f"CRC32(CONCAT_WS(',', {', '.join(pieces)}))"


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()
