"""Tables as the text that ``LOAD DATA`` reads in its own format: tabs, newlines, ``\\N`` for NULL, backslash escapes.

Neither CSV writer at hand can tell NULL from an empty string in that format, so lines are joined by Arrow's kernels:
1.5 million lines take about a second.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

MONEY = {
    "total_amount",
    "sales_value",
    "retail_discount",
    "coupon_discount",
    "coupon_match_discount",
    "amount",
    "list_price",
}
"""Columns that frames hold in integer cents and the shop in DECIMAL(_, 2)."""

COSTS = {"unit_cost"}
"""Columns that frames hold in hundredths of a cent and the shop in DECIMAL(_, 4)."""

DATES = {"opened_on", "starts_on", "ends_on", "redeemed_on"}


def table(frame: pd.DataFrame) -> pa.Table:
    """The frame with the shop's types: cents as exact decimals, dates, instants in microseconds."""
    columns: dict[str, pa.Array] = {}
    for name in frame.columns:
        values = pa.array(frame[name], from_pandas=True)
        if name in MONEY:
            values = pc.multiply(values.cast(pa.decimal128(19, 0)), pa.scalar(Decimal("0.01")))
        elif name in COSTS:
            values = pc.multiply(values.cast(pa.decimal128(19, 0)), pa.scalar(Decimal("0.0001")))
        elif name in DATES:
            values = values.cast(pa.date32())
        elif pa.types.is_timestamp(values.type):
            values = values.cast(pa.timestamp("us"))
        elif pa.types.is_boolean(values.type):
            values = values.cast(pa.int8())
        columns[name] = values
    return pa.table(columns)


def write(rows: pa.Table, path: Path) -> None:
    """Write ``rows`` to ``path``, one line each; an empty table makes an empty file."""
    fields = [_escaped(column.combine_chunks()) for column in rows.columns]
    lines = pc.binary_join_element_wise(*fields, "\t", null_handling="replace", null_replacement="\\N")
    ended = pc.binary_join_element_wise(lines, "", "\n")
    with path.open("wb") as file:
        # The character data of an Arrow string array is its strings, one after the other.
        for chunk in ended.chunks if isinstance(ended, pa.ChunkedArray) else [ended]:
            if len(chunk):
                file.write(memoryview(chunk.buffers()[2]))


def _escaped(values: pa.Array) -> pa.Array:
    if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        return values.cast(pa.string())
    text = values.cast(pa.string())
    for plain, escaped in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r"), ("\0", "\\0")):
        text = pc.replace_substring(text, plain, escaped)
    return text
