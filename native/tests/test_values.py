"""Every MySQL type and its worst values, through both protocols and both decoders: exact types, exact values."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from support import Reader, execute

UTC = dt.UTC
Day, Moment, Span = dt.date, dt.datetime, dt.timedelta

# Column type, SQL literal, Arrow type, value.
CASES: list[tuple[str, str, pa.DataType, Any]] = [
    ("TINYINT", "-128", pa.int8(), -128),
    ("TINYINT UNSIGNED", "255", pa.uint8(), 255),
    ("TINYINT(1)", "2", pa.int8(), 2),
    ("TINYINT(1)", "-1", pa.int8(), -1),
    ("SMALLINT", "-32768", pa.int16(), -32768),
    ("SMALLINT UNSIGNED", "65535", pa.uint16(), 65535),
    ("MEDIUMINT", "-8388608", pa.int32(), -8388608),
    ("MEDIUMINT UNSIGNED", "16777215", pa.uint32(), 16777215),
    ("INT", "-2147483648", pa.int32(), -(2**31)),
    ("INT UNSIGNED", "4294967295", pa.uint32(), 2**32 - 1),
    ("INT(8) UNSIGNED ZEROFILL", "42", pa.uint32(), 42),
    ("BIGINT", "-9223372036854775808", pa.int64(), -(2**63)),
    ("BIGINT UNSIGNED", "18446744073709551615", pa.uint64(), 2**64 - 1),
    ("BIGINT UNSIGNED", "9223372036854775809", pa.uint64(), 2**63 + 1),
    ("BOOLEAN", "TRUE", pa.int8(), 1),
    ("DECIMAL(12,2)", "-0.01", pa.decimal128(12, 2), Decimal("-0.01")),
    ("DECIMAL(10,2) ZEROFILL", "1.5", pa.decimal128(10, 2), Decimal("1.50")),
    ("DECIMAL(20,0)", "18446744073709551615", pa.decimal128(20, 0), Decimal(2**64 - 1)),
    ("DECIMAL(38,0)", "-" + "9" * 38, pa.decimal128(38, 0), Decimal("-" + "9" * 38)),
    ("DECIMAL(38,30)", "99999999.000000000000000000000000000001", pa.decimal128(38, 30),
     Decimal("99999999.000000000000000000000000000001")),
    ("DECIMAL(65,30)", "9" * 35 + "." + "9" * 30, pa.string(), "9" * 35 + "." + "9" * 30),
    ("DECIMAL(65,30)", "-" + "9" * 35 + "." + "9" * 30, pa.string(), "-" + "9" * 35 + "." + "9" * 30),
    ("DOUBLE", "1e308", pa.float64(), 1e308),
    ("DOUBLE", "-1.7976931348623157e308", pa.float64(), -1.7976931348623157e308),
    ("DOUBLE", "5e-324", pa.float64(), 5e-324),
    ("DOUBLE", "0.1 + 0.2e0", pa.float64(), 0.1 + 0.2),
    ("DOUBLE", "-0e0", pa.float64(), -0.0),
    ("FLOAT", "0.5", pa.float32(), 0.5),
    ("DATE", "'1970-01-01'", pa.date32(), Day(1970, 1, 1)),
    ("DATE", "'1969-12-31'", pa.date32(), Day(1969, 12, 31)),
    ("DATE", "'1582-10-10'", pa.date32(), Day(1582, 10, 10)),
    ("DATE", "'0001-01-01'", pa.date32(), Day(1, 1, 1)),
    ("DATE", "'9999-12-31'", pa.date32(), Day(9999, 12, 31)),
    ("DATE", "'2000-02-29'", pa.date32(), Day(2000, 2, 29)),
    ("DATETIME", "'1000-01-01 00:00:00'", pa.timestamp("us"), Moment(1000, 1, 1)),
    ("DATETIME(6)", "'9999-12-31 23:59:59.999999'", pa.timestamp("us"), Moment(9999, 12, 31, 23, 59, 59, 999999)),
    ("DATETIME(6)", "'1969-12-31 23:59:59.999999'", pa.timestamp("us"), Moment(1969, 12, 31, 23, 59, 59, 999999)),
    ("DATETIME(3)", "'2021-06-01 12:00:00.120'", pa.timestamp("us"), Moment(2021, 6, 1, 12, 0, 0, 120000)),
    ("TIMESTAMP", "'2021-03-28 02:30:00'", pa.timestamp("us", "UTC"), Moment(2021, 3, 28, 2, 30, tzinfo=UTC)),
    ("TIMESTAMP(6)", "'2021-10-31 01:30:00.000001'", pa.timestamp("us", "UTC"),
     Moment(2021, 10, 31, 1, 30, 0, 1, tzinfo=UTC)),
    ("TIME", "'-838:59:59'", pa.duration("us"), -Span(hours=838, minutes=59, seconds=59)),
    ("TIME", "'838:59:59'", pa.duration("us"), Span(hours=838, minutes=59, seconds=59)),
    ("TIME(6)", "'24:00:00.000001'", pa.duration("us"), Span(days=1, microseconds=1)),
    ("TIME(6)", "'-00:00:00.000001'", pa.duration("us"), -Span(microseconds=1)),
    ("TIME", "0", pa.duration("us"), Span()),
    ("YEAR", "2155", pa.int16(), 2155),
    ("YEAR", "0", pa.int16(), 0),
    ("BIT(1)", "b'1'", pa.binary(), b"\x01"),
    ("BIT(10)", "b'1000000001'", pa.binary(), b"\x02\x01"),
    ("BIT(64)", "0xFFFFFFFFFFFFFFFF", pa.binary(), b"\xff" * 8),
    ("CHAR(5)", "'a  '", pa.string(), "a"),
    ("VARCHAR(5)", "'a  '", pa.string(), "a  "),
    ("VARCHAR(5)", "''", pa.string(), ""),
    ("VARCHAR(5)", "'😀'", pa.string(), "😀"),
    ("VARCHAR(5)", "CONCAT('a', CHAR(0), 'b')", pa.string(), "a\0b"),
    ("VARCHAR(5)", "CONVERT(0xEFBFBF USING utf8mb4)", pa.string(), "\uffff"),
    ("VARCHAR(9) CHARACTER SET latin1", "0x80939FE4", pa.string(), "€“Ÿä"),
    ("VARCHAR(9) CHARACTER SET latin1", "0xF09F9880", pa.string(), "ðŸ˜€"),
    ("VARCHAR(9) CHARACTER SET utf16", "'😀ä'", pa.string(), "😀ä"),
    ("LONGTEXT", "REPEAT('ä', 70000)", pa.string(), "ä" * 70000),
    ("TINYTEXT", "'x'", pa.string(), "x"),
    ("BINARY(4)", "'a'", pa.binary(), b"a\0\0\0"),
    ("VARBINARY(9)", "'text'", pa.binary(), b"text"),
    ("LONGBLOB", "0x00FF", pa.binary(), b"\x00\xff"),
    ("ENUM('a','b')", "'b'", pa.string(), "b"),
    ("ENUM('a','b')", "0", pa.string(), ""),
    ("SET('a','b')", "'a,b'", pa.string(), "a,b"),
    ("SET('a','b')", "''", pa.string(), ""),
    ("JSON", "'{\"a\": 1, \"a\": 9007199254740993}'", pa.string(), None),
    ("JSON", "'null'", pa.string(), "null"),
    ("JSON", "CONCAT(REPEAT('[', 30), REPEAT(']', 30))", pa.string(), "[" * 30 + "]" * 30),
    ("POINT", "ST_GeomFromText('POINT(1 2)')", pa.binary(), bytes.fromhex(
        "000000000101000000000000000000F03F0000000000000040")),
]  # fmt: skip

# Column type, SQL literal, the type that the schema asks for, value.
TARGETS: list[tuple[str, str, pa.DataType, Any]] = [
    ("TINYINT(1)", "1", pa.bool_(), True),
    ("TINYINT(1)", "0", pa.bool_(), False),
    ("TINYINT UNSIGNED", "255", pa.int32(), 255),
    ("INT UNSIGNED", "4294967295", pa.int64(), 2**32 - 1),
    ("BIGINT UNSIGNED", "18446744073709551615", pa.decimal128(20, 0), Decimal(2**64 - 1)),
    ("BIGINT", "-5", pa.decimal128(20, 2), Decimal("-5.00")),
    ("DECIMAL(10,2)", "-1.50", pa.decimal128(20, 4), Decimal("-1.5000")),
    ("DECIMAL(20,0)", "-7", pa.int64(), -7),
    ("DECIMAL(10,2)", "0.10", pa.string(), "0.10"),
    ("DECIMAL(10,2) ZEROFILL", "0.10", pa.string(), "0.10"),
    ("FLOAT", "0.5", pa.float64(), 0.5),
    ("DOUBLE", "0.5", pa.float32(), 0.5),
    ("DATETIME(6)", "'2021-06-01 12:00:00.000001'", pa.timestamp("us", "UTC"),
     Moment(2021, 6, 1, 12, 0, 0, 1, tzinfo=UTC)),
    ("TIMESTAMP", "'2021-06-01 12:00:00'", pa.timestamp("us"), Moment(2021, 6, 1, 12)),
    ("TIME", "'-838:59:59'", pa.string(), "-838:59:59"),
    ("TIME(3)", "'01:02:03.5'", pa.string(), "01:02:03.500"),
    ("TIME(6)", "'-00:00:00.000001'", pa.string(), "-00:00:00.000001"),
    ("TIME", "'00:00:01'", pa.int64(), 1_000_000),
    ("YEAR", "2155", pa.int32(), 2155),
    ("BIT(1)", "b'1'", pa.bool_(), True),
    ("BIT(64)", "0xFFFFFFFFFFFFFFFF", pa.uint64(), 2**64 - 1),
    ("BIT(64)", "0xFFFFFFFFFFFFFFFF", pa.decimal128(20, 0), Decimal(2**64 - 1)),
    ("BIT(3)", "b'101'", pa.int32(), 5),
    ("VARCHAR(9)", "'ä'", pa.large_string(), "ä"),
    ("VARCHAR(9)", "'ä'", pa.binary(), "ä".encode()),
    ("VARBINARY(9)", "0xFF", pa.large_binary(), b"\xff"),
]  # fmt: skip


@pytest.mark.parametrize(("mysql", "literal", "arrow", "expected"), CASES)
def test_values(connection, reader: Reader, protocol: str, mysql: str, literal: str, arrow, expected) -> None:
    execute(connection, f"CREATE TABLE t (v {mysql}) ENGINE=MyISAM", f"INSERT INTO t VALUES ({literal}), (NULL)")
    table = reader.table(connection, "SELECT v FROM t", protocol=protocol)
    if expected is None:  # a JSON document: MariaDB keeps it as it was written, MySQL normalises it
        with connection.cursor() as cursor:
            cursor.execute("SELECT v FROM t")
            expected = cursor.fetchone()[0]
    assert table.schema.field("v").type == arrow
    value, null = table["v"].to_pylist()
    assert value == expected
    assert null is None or mysql.startswith("TIMESTAMP")  # NULL is now, in an old-fashioned TIMESTAMP
    if isinstance(expected, float):
        assert math.copysign(1, value) == math.copysign(1, expected)


@pytest.mark.parametrize(("mysql", "literal", "arrow", "expected"), TARGETS)
def test_targets(connection, reader: Reader, protocol: str, mysql: str, literal: str, arrow, expected) -> None:
    execute(connection, f"CREATE TABLE t (v {mysql})", f"INSERT INTO t VALUES ({literal})")
    table = reader.table(connection, "SELECT v FROM t", protocol=protocol, schema=pa.schema([("v", arrow)]))
    assert table.schema == pa.schema([("v", arrow)])
    assert table["v"].to_pylist() == [expected]


def test_mariadb_types(connection, reader: Reader, protocol: str) -> None:
    if "MariaDB" not in connection.get_server_info():
        pytest.skip("UUID and INET6 are MariaDB's")
    sql = "SELECT CAST('123e4567-e89b-12d3-a456-426655440000' AS UUID) AS u, CAST('::1' AS INET6) AS i"
    table = reader.table(connection, sql, protocol=protocol)
    assert table.schema.types == [pa.string(), pa.string()]
    assert table.to_pylist() == [{"u": "123e4567-e89b-12d3-a456-426655440000", "i": "::1"}]


def test_float_in_text_needs_a_double(connection, reader: Reader) -> None:
    """The server prints six digits of a FLOAT; the binary protocol has all of it, and so has `f + 0e0` in text."""
    execute(connection, "CREATE TABLE t (f FLOAT)", "INSERT INTO t VALUES (16777215)")
    schema = pa.schema([("f", pa.float32())])
    assert reader.table(connection, "SELECT f FROM t")["f"].to_pylist() == [16777215]
    assert reader.table(connection, "SELECT f FROM t", protocol="text")["f"].to_pylist() == [16777200]
    exact = reader.table(connection, "SELECT f + 0e0 AS f FROM t", protocol="text", schema=schema)
    assert exact["f"].to_pylist() == [16777215]


def test_names(connection, reader: Reader, protocol: str) -> None:
    names = ["select", "a.b", "ba`ck", "sp ace", "qu'o\"te", "ä€", "nAme", "x" * 64]
    columns = ", ".join(f"{at} AS `{name.replace('`', '``')}`" for at, name in enumerate(names))
    table = reader.table(connection, f"SELECT {columns}", protocol=protocol)
    assert table.to_pylist() == [{name: at for at, name in enumerate(names)}]


def test_thousand_columns(connection, reader: Reader, protocol: str) -> None:
    sql = "SELECT " + ", ".join("NULL" if at % 3 == 0 else f"{at}" for at in range(1000))
    table = reader.table(connection, sql, protocol=protocol)
    assert [column[0].as_py() for column in table.columns] == [None if at % 3 == 0 else at for at in range(1000)]


def test_generated_and_invisible_columns(connection, reader: Reader, protocol: str) -> None:
    execute(
        connection,
        "CREATE TABLE t (a INT, b INT AS (a + 1) VIRTUAL, c INT AS (a + 2) STORED, d INT INVISIBLE DEFAULT 9)",
        "INSERT INTO t (a) VALUES (1)",
    )
    assert reader.table(connection, "SELECT a, b, c, d FROM t", protocol=protocol).to_pylist() == [
        {"a": 1, "b": 2, "c": 3, "d": 9}
    ]


def test_no_rows_and_one_row(connection, reader: Reader, protocol: str) -> None:
    for limit in (0, 1):
        table = reader.table(connection, f"SELECT 1 AS a FROM DUAL LIMIT {limit}", protocol=protocol)
        assert (table.num_rows, table.schema.names) == (limit, ["a"])


def test_null_throughout_the_first_batch(connection, reader: Reader, protocol: str) -> None:
    execute(connection, "CREATE TABLE t (a INT, b TEXT)", "INSERT INTO t VALUES (NULL, NULL), (NULL, NULL), (3, 'x')")
    stream = reader.query(connection, "SELECT * FROM t", protocol=protocol, rows_per_batch=2)
    batches = [pa.record_batch(batch).to_pylist() for batch in stream]
    assert batches == [[{"a": None, "b": None}] * 2, [{"a": 3, "b": "x"}]]


def test_row_above_16_mb(connection, reader: Reader, protocol: str) -> None:
    size = 40_000_000
    with connection.cursor() as cursor:
        cursor.execute("SELECT @@max_allowed_packet")
        if cursor.fetchone()[0] < size:
            pytest.skip("the server's max_allowed_packet is smaller")
    sql = f"SELECT 1 AS a, REPEAT('x', {size}) AS b UNION ALL SELECT 2, 'y'"
    a, b = reader.table(connection, sql, protocol=protocol).columns
    assert a.to_pylist() == [1, 2]
    assert [len(value.as_py()) for value in b] == [size, 1]
