"""Keys of row events, put right: signs, padding, character sets, zones."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from lake.changes import row_keys
from lake.contracts import Contract, types


@pytest.mark.parametrize(
    "given, mysql, charset, expected",
    [
        (-1, "bigint unsigned", "", Decimal(2**64 - 1)),
        (-1, "int(10) unsigned", "", 2**32 - 1),
        (-1, "mediumint unsigned", "", 2**24 - 1),
        (-1, "tinyint(3) unsigned zerofill", "", 255),
        (-1, "bigint", "", -1),
        (5, "bigint unsigned", "", Decimal(5)),
        (b"a", "varchar(9)", "utf8mb4", "a"),
        ("", "varchar(9)", "utf8mb4", ""),
        ("", "varbinary(9)", "", b""),
        ("", "binary(3)", "", b"\0\0\0"),
        (b"\x01", "binary(3)", "", b"\x01\0\0"),
        (b"\x80\x81\xe9", "varchar(9)", "latin1", "€\x81é"),
        (datetime(2026, 1, 1), "timestamp", "", datetime(2026, 1, 1, tzinfo=UTC)),
        (date(2026, 1, 1), "date", "", date(2026, 1, 1)),
        (Decimal("1.50"), "decimal(5,2)", "", Decimal("1.50")),
    ],
)
def test_values(given: Any, mysql: str, charset: str, expected: Any) -> None:
    found = row_keys.value(given, mysql, types.parse(mysql.replace(" zerofill", "")).arrow, charset)
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(
    "given, mysql, charset",
    [(None, "date", ""), (b"a", "varchar(9)", "gbk"), (b"\xff", "varchar(9)", "utf8mb4"), ("x", "decimal(5,2)", "")],
)
def test_what_cannot_be_told_is_refused(given: Any, mysql: str, charset: str) -> None:
    with pytest.raises(ValueError):
        row_keys.value(given, mysql, types.parse(mysql).arrow, charset)


def test_a_table_of_keys() -> None:
    columns = {name: {"type": mysql, "nullable": False} for name, mysql in (("a", "bigint unsigned"), ("b", "char(3)"))}
    common = {"description": "x", "owner": "x", "grain": "x", "deletes": "keys"}
    contract = Contract.model_validate({**common, "table": "t", "key": ["a", "b"], "columns": columns})
    table = row_keys.table(contract, [(Decimal(2**64 - 1), "x"), (Decimal(0), "y")])
    assert table.schema == pa.schema([("a", pa.decimal128(20, 0)), ("b", pa.string())])
    assert table.num_rows == 2
    assert row_keys.table(contract, []).num_rows == 0
