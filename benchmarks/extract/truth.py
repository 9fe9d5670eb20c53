"""The source's values, exactly, by a way that shares no code with any reader: the server prints them, Arrow reads them.

Texts, bytes and doubles are printed in hexadecimal, everything else as the server prints it, so that a line needs no
quoting.
"""

from __future__ import annotations

import struct
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from benchmarks.extract.tables import Column, Table
from benchmarks.servers import Server

NULL = "\\N"


def read(server: Server, table: Table) -> pa.Table:
    """All rows in the order of the first column, in the table's exact types.

    A date that is none (``0000-00-00``) is NULL here: there is no other right answer in Arrow.
    """
    path = server.folder / "tmp" / f"{table.name}.truth"
    path.unlink(missing_ok=True)
    columns = ", ".join(_printed(column) for column in table.columns)
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {columns} INTO OUTFILE '{path}' FIELDS TERMINATED BY '\\t' ESCAPED BY '\\\\'"
            f" FROM `{table.name}` ORDER BY `{table.columns[0].name}`"
        )
    texts = _parse(path, [column.name for column in table.columns])
    path.unlink()
    arrays = [exact(texts[column.name], column.arrow) for column in table.columns]
    return pa.table(arrays, schema=table.schema)


def _printed(column: Column) -> str:
    name, base = f"`{column.name}`", column.mysql.split("(")[0].split()[0].upper()
    if base == "BIT":
        bits = int(column.mysql.partition("(")[2].rstrip(")") or 1)
        return f"LPAD(HEX({name} + 0), {(bits + 7) // 8 * 2}, '0')"
    if pa.types.is_string(column.arrow):
        return f"HEX(CONVERT({name} USING utf8mb4))"
    if pa.types.is_binary(column.arrow):
        return f"HEX({name})"
    if pa.types.is_floating(column.arrow):
        # Its bytes, behind a point's 9 of SRID, byte order and kind: MySQL prints a fifth of all doubles inexactly.
        return f"HEX(SUBSTR(POINT({name}, 0), 10, 8))"
    return f"CAST({name} AS CHAR)"


def _parse(path: Path, names: list[str]) -> pa.Table:
    return pacsv.read_csv(
        path,
        pacsv.ReadOptions(column_names=names),
        pacsv.ParseOptions(delimiter="\t", quote_char=False, escape_char=False),
        pacsv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), null_values=[NULL], strings_can_be_null=True
        ),
    )


def exact(texts: pa.ChunkedArray, target: pa.DataType) -> pa.ChunkedArray:
    """A column as it was printed, in its exact type."""
    if pa.types.is_string(target) or pa.types.is_binary(target):
        return _by_value(texts, lambda text: bytes.fromhex(text), pa.binary()).cast(target)
    if pa.types.is_floating(target):
        return _by_value(texts, lambda text: struct.unpack("<d", bytes.fromhex(text))[0], pa.float64()).cast(target)
    if pa.types.is_duration(target):
        return _by_value(texts, duration, target)
    if pa.types.is_date(target) or pa.types.is_timestamp(target):
        texts = pc.if_else(pc.match_substring_regex(texts, "^0000-|-00"), pa.scalar(None, pa.string()), texts)
        zone = pa.types.is_timestamp(target) and target.tz
        return texts.cast(pa.timestamp("us")).cast(target) if zone else texts.cast(target)
    return texts.cast(target)


def duration(text: str) -> timedelta:
    """``-838:59:59.000001``."""
    sign = -1 if text.startswith("-") else 1
    hours, minutes, seconds = text.lstrip("-").split(":")
    whole, _, fraction = seconds.partition(".")
    micros = int(fraction.ljust(6, "0") or 0)
    return sign * timedelta(hours=int(hours), minutes=int(minutes), seconds=int(whole), microseconds=micros)


def _by_value(texts: pa.ChunkedArray, parse: object, target: pa.DataType) -> pa.ChunkedArray:
    """Each distinct text is parsed once."""
    encoded = texts.combine_chunks().dictionary_encode()
    values = pa.array([parse(text) for text in encoded.dictionary.to_pylist()], target)  # type: ignore[operator]
    return pa.chunked_array([values.take(encoded.indices)])
