"""The hash of a table's rows as the lake holds them: in the source's SQL, and of rows that are Arrow values.

Both give the same number for the same row, whatever its types, so that sums of the source and of the lake can be
compared without a row being moved. A value that no type of the lake can hold is hashed as what became of it: NULL where
the contract says ``unreadable: null``, and a mark of its own where the reader tells the problem, which keeps a row
apart whose source was set to NULL since.

Text that is no UTF-8, and days that the month does not have, are not mapped in SQL: finding them would cost more than
the hash. Rows with such values differ in their sums, and are found equal when they are read by `of_rows`.
"""

from __future__ import annotations

from collections.abc import Mapping

import mysql_arrow
import pyarrow as pa

from lake.contracts import PROBLEMS, Contract
from lake.contracts.model import Unreadable
from lake.source.quoting import quote

_PIECES: Mapping[Unreadable, str] = {"null": mysql_arrow.NULL, "quarantine": mysql_arrow.UNREADABLE}


def sum_in_source(contract: Contract) -> str:
    """The aggregate of all rows' hashes in SQL, a template; with a row that cannot be hashed `UNHASHED` or more."""
    return _template(mysql_arrow.hash_expression(_columns(contract), _instead(contract)))


def one_in_source(contract: Contract) -> str:
    """The hash of one row in SQL, a template; `UNHASHED` of a row that cannot be hashed."""
    return _template(mysql_arrow.row_hash_expression(_columns(contract), _instead(contract)))


def of_rows(contract: Contract, rows: pa.RecordBatch) -> pa.Array:
    """The hashes, as uint64, of rows of the contract's `read_schema`, be they just read or held."""
    columns = [(name, column.type) for name, column in contract.columns.items()]
    return pa.array(mysql_arrow.row_hashes(rows, columns, problems=PROBLEMS))


def _columns(contract: Contract) -> list[tuple[str, str]]:
    return [(contract.column_in_source(name), column.type) for name, column in contract.columns.items()]


def _instead(contract: Contract) -> dict[str, tuple[str, str]]:
    """What is hashed instead of values that cannot be held, by the column's name in the source."""
    found = {}
    for name, column in contract.columns.items():
        condition = _unreadable(column.parsed.base, column.as_, quote(contract.column_in_source(name)))
        policy = contract.when_unreadable(name)
        if condition and policy in _PIECES:
            found[contract.column_in_source(name)] = condition.replace("%%", "%"), _PIECES[policy]
    return found


def _unreadable(base: str, as_type: str | None, column: str) -> str:
    """The condition in SQL that a value cannot be held; empty for types that hold every value."""
    if base in {"date", "datetime", "timestamp"}:
        return f"0 IN (YEAR({column}), MONTH({column}), DAYOFMONTH({column}))"
    if as_type == "boolean" and base == "tinyint":
        return f"{column} NOT IN (0, 1)"
    return f"{column} > {2**63 - 1}" if as_type == "bigint" else ""


def _template(expression: str) -> str:
    return expression.replace("%", "%%")
