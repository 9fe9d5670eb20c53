"""What every fault must end in: the lake holds what the source holds, no more and no less, to the byte.

The source is asked in plain SQL and answers in text, and the lake's values are written as the server would print them.
Neither the program's decoder nor its row hashes have a part in this.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pymysql
from mysql_arrow.hashes import hash_expression

from lake.contracts import OPERATION, RUN_ID, Contract
from lake.layers import raw
from lake.platform import storage
from lake.platform.catalog import MAIN

Key = tuple[str | bytes | None, ...]
Texts = dict[Key, tuple[str | bytes | None, ...]]


@dataclass(frozen=True)
class Proof:
    """What source and lake were found to agree in.

    Attributes:
        rows: of all tables together.
        keys: distinct keys of all tables together.
        hash_sum: order-free sum of the rows' hashes, computed by the server.
    """

    rows: int
    keys: int
    hash_sum: int

    def __str__(self) -> str:
        return f"{self.rows:,} rows, {self.keys:,} keys, hash sum {self.hash_sum:x}"


def prove(connection: pymysql.connections.Connection[Any], contracts: dict[str, Contract], at: str = MAIN) -> Proof:
    """Compare every table of the source with the lake, value by value.

    Args:
        connection: to the source's database, in UTC.
        at: branch of the lake.

    Raises:
        AssertionError: naming the table and the first keys that differ.
    """
    total = [0, 0, 0]
    for contract in contracts.values():
        kinds = {name: column.type for name, column in contract.columns.items()}
        count, hash_sum, wanted = _source(connection, contract, kinds)
        rows = lake_rows(contract, at)
        found = {_key(contract, row): row for row in rows}
        wrong = sorted((key for key in wanted.keys() | found.keys() if wanted.get(key) != found.get(key)), key=repr)[:3]
        differing = [(key, "source", wanted.get(key), "lake", found.get(key)) for key in wrong]
        assert not wrong, f"{contract.table}: rows differ, among them {differing}"
        assert len(rows) == count, f"{contract.table}: {count} rows in the source, {len(rows)} in the lake"
        assert len(found) == count, f"{contract.table}: {count} rows in the lake, but {len(found)} keys"
        in_lake = sum(_hash(row, kinds) for row in rows)
        assert in_lake == hash_sum, f"{contract.table}: hash sums differ: {hash_sum:x} in the source, {in_lake:x}"
        _raw_is_sound(contract, at)
        total = [total[0] + count, total[1] + len(found), total[2] + hash_sum]
    return Proof(*total)


def _source(
    connection: pymysql.connections.Connection[Any], contract: Contract, kinds: dict[str, str]
) -> tuple[int, int, Texts]:
    table = _quoted(contract.name_in_source)
    sources = [contract.column_in_source(name) for name in contract.columns]
    expression = hash_expression(zip(sources, kinds.values(), strict=True))
    # Without converters every value comes as the text that the server sent.
    with connection.cursor() as cursor:
        before, connection.decoders = connection.decoders, {}
        try:
            cursor.execute(f"SELECT {', '.join(map(_quoted, sources))} FROM {table}")
            rows = [tuple(map(_plain, row, kinds.values())) for row in cursor.fetchall()]
            cursor.execute(f"SELECT COUNT(*), {expression} FROM {table}")
            (count, hash_sum) = cursor.fetchone() or ("0", None)
        finally:
            connection.decoders = before
    return int(count), int(hash_sum or 0), {_key(contract, row): row for row in rows}


def _plain(value: Any, kind: str) -> str | bytes | None:
    return bytes.fromhex(value.hex()) if _is_bytes(kind) and value is not None else value


def lake_rows(contract: Contract, at: str = MAIN) -> list[tuple[str | bytes | None, ...]]:
    """The rows of ``cleaned.<table>``, each value as the server prints it."""
    table = raw.find(at, "cleaned", contract.table)
    if table is None:
        return []
    data = table.scan(selected_fields=tuple(contract.columns)).to_arrow().select(list(contract.columns))
    kinds = [column.type for column in contract.columns.values()]
    return [
        tuple(as_printed(value, kind) for value, kind in zip(row.values(), kinds, strict=True))
        for row in data.to_pylist()
    ]


def as_printed(value: Any, kind: str) -> str | bytes | None:
    """A value of the lake as the server prints it in a column of this type.

    >>> as_printed(datetime(2026, 1, 2, 3, 4, 5, 60), "datetime(6)")
    '2026-01-02 03:04:05.000060'
    >>> as_printed(Decimal("1.50"), "decimal(10,2)")
    '1.50'
    """
    match value:
        case None | str() | bytes():
            return value
        case datetime():
            digits = int(kind.partition("(")[2].rstrip(")") or 0)
            text = value.strftime("%Y-%m-%d %H:%M:%S.%f")
            return text[: 19 + (digits + 1 if digits else 0)]
        case date() | int():
            return str(value)
        case Decimal():
            return f"{value:f}"
    raise TypeError(f"{value!r} of {kind}: the oracle does not know how the server prints it")


def _hash(row: tuple[str | bytes | None, ...], kinds: dict[str, str]) -> int:
    """The hash of one row as `mysql_arrow.hashes` describes it, computed anew."""
    whole = b""
    for value, kind in zip(row, kinds.values(), strict=True):
        if value is None:
            whole += b"N,"
        elif isinstance(value, bytes):
            whole += value.hex().upper().encode() + b","
        elif kind.startswith(("char", "varchar", "enum", "set", "json")) or "text" in kind:
            encoded = value.encode()
            whole += b"%d:%s," % (len(encoded), encoded)
        else:
            whole += value.encode() + b","
    return int(hashlib.sha256(whole).hexdigest()[:16], 16)


def _raw_is_sound(contract: Contract, at: str) -> None:
    """No run may have put a key into ``raw`` twice: a doubled file would not show in the merged table."""
    table = raw.find(at, "raw", contract.table)
    if table is None:
        return
    fields = (*contract.key, RUN_ID, OPERATION)
    rows = [tuple(row.values()) for row in table.scan(selected_fields=fields).to_arrow().to_pylist()]
    assert len(rows) == len(set(rows)), f"raw.{contract.table}: {len(rows) - len(set(rows))} rows stand there twice"


def landed(source: str) -> set[str]:
    """Every object that the runs over a source have left in the landing area."""
    return set(storage.list_keys(f"{storage.LANDING}/{source}"))


def raw_rows(contracts: dict[str, Contract], at: str = MAIN) -> int:
    """Rows of all versions in the raw layer, of the tables that are read in increments."""
    counted = [table for table, contract in contracts.items() if contract.increment != "full"]
    return sum(raw.row_count(at, "raw", table) for table in counted)


def _key(contract: Contract, row: tuple[str | bytes | None, ...]) -> Key:
    places = list(contract.columns)
    return tuple(row[places.index(name)] for name in contract.key)


def _is_bytes(kind: str) -> bool:
    return kind.startswith(("binary", "varbinary")) or "blob" in kind


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def strays(source: str, contracts: dict[str, Contract], at: str = MAIN) -> set[str]:
    """Objects of the landing area that are no manifest of a published run and to which no raw table refers."""
    known = set()
    for name in contracts:
        table = raw.find(at, "raw", name)
        if table is not None:
            known |= set(table.inspect.all_files()["file_path"].to_pylist())
    published = {uri.rpartition("/")[2].removesuffix(".json") for uri in storage.list_keys(storage.RECEIPTS)}
    for uri in landed(source):
        name = uri.rpartition("/")[2]
        if name.startswith("run=") and name.removeprefix("run=").removesuffix(".json") in published:
            known.add(uri)
    return landed(source) - known
