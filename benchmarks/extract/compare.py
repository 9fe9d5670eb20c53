"""What a reader made of a table, against what stands in it: every type and every value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

SHOWN = 60


@dataclass(frozen=True)
class Finding:
    """One column that came out wrong.

    Attributes:
        column: its name.
        type: what it became and what it should hold, where the type cannot hold every value; None if it can.
        values_wrong: how many values differ.
        example: the first of them, with what stands in the source.
    """

    column: str
    type: str | None = None
    values_wrong: int = 0
    example: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {name: value for name, value in asdict(self).items() if value not in (None, 0)}


@dataclass(frozen=True)
class Comparison:
    """All columns of one table. ``widened`` names types that are others than the exact ones and lose nothing."""

    findings: tuple[Finding, ...] = ()
    widened: Mapping[str, str] | None = None

    @property
    def type_errors(self) -> int:
        """Columns of which the type or a value is wrong."""
        return len(self.findings)

    @property
    def values_wrong(self) -> int:
        """Values that differ, of all columns."""
        return sum(finding.values_wrong for finding in self.findings)


def table(output: Path, truth: pa.Table) -> Comparison:
    """Compare a Parquet file, or a folder of them in any order of rows, with the source's rows."""
    parquet = ds.ParquetFileFormat(coerce_int96_timestamp_unit="us")
    files = sorted(output.rglob("*.parquet")) if output.is_dir() else [output]
    found = ds.dataset([str(file) for file in files], format=parquet)
    names = {name.lower(): name for name in found.schema.names}
    key = truth.schema.names[0]
    order = _order(_read(found, names[key])) if key in names else None
    findings, widened = [], {}
    for name in truth.schema.names:
        if name not in names:
            findings.append(Finding(name, type="the column is missing"))
            continue
        values = _read(found, names[name])
        if order is not None:
            values = values.take(order)
        finding = column(name, values, truth[name])
        if finding:
            findings.append(finding)
        elif values.type != truth[name].type:
            widened[name] = f"{values.type} for {truth[name].type}"
    return Comparison(tuple(findings), widened)


def _read(found: ds.Dataset, name: str) -> pa.Array:
    # Arrow's types that differ in nothing but their memory are made one.
    values = found.to_table(columns=[name]).column(0).combine_chunks()
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_large_string(values.type) or pa.types.is_string_view(values.type):
        values = values.cast(pa.string())
    if pa.types.is_large_binary(values.type) or pa.types.is_binary_view(values.type):
        values = values.cast(pa.binary())
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values


def _order(keys: pa.Array) -> pa.Array | None:
    numbers = keys.cast(pa.decimal128(38, 0) if pa.types.is_decimal(keys.type) else pa.uint64())
    indices = pc.sort_indices(numbers)
    return None if indices.equals(pa.array(range(len(indices)), pa.uint64())) else indices


def column(name: str, values: pa.Array, truth: pa.ChunkedArray) -> Finding | None:
    """What is wrong with one column; None if nothing is."""
    wrong_type = None if holds(truth.type, values.type) else f"{values.type} for {truth.type}"
    if len(values) != len(truth):
        return Finding(name, wrong_type, abs(len(values) - len(truth)), f"{len(values)} rows instead of {len(truth)}")
    wrong = _differences(values, truth.combine_chunks())
    if wrong_type is None and not len(wrong):
        return None
    example = None
    if len(wrong):
        row = int(wrong[0])
        example = f"row {row + 1}: {_show(values[row])} instead of {_show(truth[row])}"
    return Finding(name, wrong_type, len(wrong), example)


def holds(exact: pa.DataType, found: pa.DataType) -> bool:
    """Whether a type holds every value that the exact one holds, as what it is.

    A boolean is no integer, a float no decimal, a text no number; nanoseconds end in 2262. A wider integer or decimal
    is right, and so are instants without a zone where they are UTC's.
    """
    if found == exact:
        return True
    if pa.types.is_integer(exact):
        if pa.types.is_integer(found):
            grows = found.bit_width > exact.bit_width
            same = pa.types.is_unsigned_integer(found) == pa.types.is_unsigned_integer(exact)
            return (grows and pa.types.is_signed_integer(found)) or (same and found.bit_width >= exact.bit_width)
        digits = {8: 3, 16: 5, 32: 10, 64: 20 if pa.types.is_unsigned_integer(exact) else 19}[exact.bit_width]
        return pa.types.is_decimal(found) and found.scale >= 0 and found.precision - found.scale >= digits
    if pa.types.is_decimal(exact):
        whole = exact.precision - exact.scale
        return pa.types.is_decimal(found) and found.scale >= exact.scale and found.precision - found.scale >= whole
    if pa.types.is_timestamp(exact):
        return pa.types.is_timestamp(found) and found.unit == "us" and found.tz in (None, "UTC", "+00:00")
    if pa.types.is_date(exact):
        return pa.types.is_date(found)
    if pa.types.is_duration(exact):
        return pa.types.is_string(found) or found == pa.int64()
    return False


def _differences(values: pa.Array, truth: pa.Array) -> pa.Array | list[int]:
    """Numbers of the rows in which the two differ."""
    try:
        # A cast that is not exact raises, and then each value is looked at by itself.
        same = values if values.type == truth.type else values.cast(truth.type)
        if pa.types.is_floating(values.type) != pa.types.is_floating(truth.type):
            raise pa.ArrowInvalid("a float is equal to a decimal only by its own digits")
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return [row for row, pair in enumerate(zip(values, truth, strict=True)) if _plain(pair[0]) != _plain(pair[1])]
    nulls = pc.not_equal(pc.is_null(same), pc.is_null(truth))
    differ = pc.or_(nulls, pc.fill_null(pc.not_equal(same, truth), False))
    return pc.indices_nonzero(differ)


def _plain(scalar: pa.Scalar) -> Any:
    try:
        value = scalar.as_py()
    except (ValueError, OverflowError):
        return str(scalar)
    if isinstance(value, float):
        return Decimal(value) if value == value else "nan"
    return value


def _show(scalar: pa.Scalar) -> str:
    text = repr(_plain(scalar)) if not isinstance(_plain(scalar), Decimal) else str(_plain(scalar))
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
