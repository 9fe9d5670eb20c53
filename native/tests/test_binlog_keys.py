"""Keys of every type out of row events: the values that the reader of results gives for the same keys."""

from __future__ import annotations

import mysql_arrow
import pyarrow as pa
import pymysql
import pytest
from following import DELETE, INSERT, UPDATE, Follow, is_mariadb
from support import execute

pytestmark = [
    pytest.mark.skipif(not mysql_arrow.NATIVE, reason="missing part: the extension is not built"),
]

INSTANT = pa.timestamp("us", tz="UTC")
TYPES = {
    "tinyint": (pa.int32(), ["-128", "0", "127"]),
    "tinyint unsigned": (pa.int32(), ["0", "128", "255"]),
    "smallint": (pa.int32(), ["-32768", "0", "32767"]),
    "smallint unsigned": (pa.int32(), ["0", "32768", "65535"]),
    "mediumint": (pa.int32(), ["-8388608", "-1", "0", "8388607"]),
    "mediumint unsigned": (pa.int32(), ["0", "8388608", "16777215"]),
    "int": (pa.int32(), ["-2147483648", "-1", "2147483647"]),
    "int unsigned": (pa.int64(), ["0", "2147483648", "4294967295"]),
    "bigint": (pa.int64(), ["-9223372036854775808", "-1", "9223372036854775807"]),
    "bigint unsigned": (pa.decimal128(20, 0), ["0", "9223372036854775808", "18446744073709551615"]),
    "decimal(20,4)": (pa.decimal128(20, 4), ["-1.5", "0", "-0.0001", "1234567890123456.7891"]),
    "decimal(9,9)": (pa.decimal128(9, 9), ["-0.000000001", "0.999999999"]),
    "decimal(38,0)": (pa.decimal128(38, 0), ["-" + "9" * 38, "0", "123456789012345678901"]),
    "decimal(60,20)": (pa.string(), ["-1.00000000000000000001", "9" * 40 + ".5", "0"]),
    "float": (pa.float32(), ["-1.5", "0", "0.1", "3.4e38", "1e-40"]),
    "double": (pa.float64(), ["-1.5", "0", "0.1", "1.7976931348623157e308"]),
    "date": (pa.date32(), ["'1000-01-01'", "'1969-12-31'", "'9999-12-31'"]),
    "datetime": (INSTANT, ["'1000-01-01 00:00:00'", "'9999-12-31 23:59:59'"]),
    "datetime(3)": (INSTANT, ["'1582-10-04 00:00:00'", "'2026-01-01 00:00:00.001'", "'9999-12-31 23:59:59.999'"]),
    "timestamp": (INSTANT, ["'1970-01-01 00:00:01'", "'2000-02-29 23:59:59'", "'2038-01-19 03:14:07'"]),
    "timestamp(6)": (INSTANT, ["'1970-01-01 00:00:01.000001'", "'2026-03-29 01:30:00.5'"]),
    "time": (pa.string(), ["'-838:59:59'", "'00:00:00'", "'23:00:01'"]),
    "time(2)": (pa.string(), ["'-00:00:00.01'", "'-01:00:00.99'", "'838:59:58.50'"]),
    "time(6)": (pa.string(), ["'-00:00:00.000001'", "'00:00:00.5'", "'-838:59:58.999999'"]),
    "year": (pa.int32(), ["0", "1901", "2155"]),
    "bit(1)": (pa.int32(), ["0", "1"]),
    "bit(10)": (pa.int32(), ["0", "1", "513"]),
    "bit(64)": (pa.decimal128(20, 0), ["1", "18446744073709551615"]),
    "binary(4)": (pa.binary(), ["x'00000000'", "x'01000000'", "x'FFFFFF00'", "x'20202020'"]),
    "varbinary(300)": (pa.binary(), ["''", "x'00'", "x'0000'", "x'FF'", "REPEAT(x'AB', 300)"]),
    "varchar(20)": (pa.string(), ["''", "'a '", "'Ü'", "'😀'", "'100%'"]),
    "varchar(90)": (pa.string(), ["''", "REPEAT('😀', 90)"]),
    "char(8)": (pa.string(), ["'x'", "'y z'", "'é'"]),
    "char(90)": (pa.string(), ["'x'", "REPEAT('😀', 90)"]),
    "varchar(20) character set latin1": (pa.string(), ["'Ü'", "'€'", "x'81'", "'x'"]),
    "char(20) character set ascii": (pa.string(), ["''", "'x'"]),
    "varchar(20) character set utf8mb3": (pa.string(), ["'Ü'", "'x'"]),
}
MARIADB_TYPES = {
    "uuid": (
        pa.string(),
        [
            "'00000000-0000-0000-0000-000000000000'",
            "'123e4567-e89b-12d3-a456-426655440000'",
            "'017f22e2-79b0-7cc3-98c4-dc0c0c07398f'",
            "'f81d4fae-7dec-41d0-8765-00a0c91e6b00'",
            "'ffffffff-ffff-ffff-ffff-ffffffffffff'",
            "'c232ab00-9414-11ec-b3c8-9f6bdeced846'",
        ],
    ),
    "inet4": (pa.string(), ["'0.0.0.0'", "'10.0.0.1'", "'255.255.255.0'"]),
    "inet6": (
        pa.string(),
        ["'::'", "'::1'", "'2001:db8::ff00:42:8329'", "'::ffff:10.0.0.1'", "'fe80::'", "'::1.2.3.4'"],
    ),
}


@pytest.mark.parametrize("mysql", [*TYPES, *MARIADB_TYPES])
def test_keys_are_the_values_that_the_reader_gives(follow: Follow, connection: pymysql.Connection, mysql: str) -> None:
    if mysql in MARIADB_TYPES and not is_mariadb(connection):
        pytest.skip("a type of MariaDB")
    arrow, values = (TYPES | MARIADB_TYPES)[mysql]
    schema = pa.schema([("k", arrow), ("line", pa.int64())])
    table = follow(
        f"CREATE TABLE t (doc JSON, kind ENUM('a','b'), many SET('a','b'), shape POINT, k {mysql} NOT NULL, "
        "line INT, n INT, PRIMARY KEY (k, line))",
        keys={"t": schema},
    )
    rows = ", ".join(
        f"({value}, 1, 0, '{{}}', 'a', 'a,b', POINT(1, 2)), ({value}, 2, 0, NULL, NULL, NULL, NULL)" for value in values
    )
    execute(connection, f"INSERT INTO t (k, line, n, doc, kind, many, shape) VALUES {rows}")
    stream = mysql_arrow.query(connection, "SELECT k, line FROM t", schema=schema)
    expected = {(row["k"], row["line"]) for batch in stream for row in pa.record_batch(batch).to_pylist()}
    assert len(expected) == 2 * len(values)
    assert table.changes() == dict.fromkeys(expected, INSERT)
    execute(connection, "UPDATE t SET line = line + 10 WHERE line = 1", "DELETE FROM t WHERE line = 2")
    moved = {(k, line + 10): UPDATE for k, line in expected if line == 1}
    assert table.changes() == dict.fromkeys(expected, DELETE) | moved


@pytest.mark.parametrize(
    "mysql, arrow, value, reason",
    [
        ("date", pa.date32(), "'0000-00-00'", "no date"),
        ("timestamp", INSTANT, "0", "no date"),
        ("bigint unsigned", pa.int64(), "18446744073709551615", "beyond int64"),
        ("double", pa.float64(), "-0e0", "-0.0"),
        ("varchar(9) character set gbk", pa.string(), "'x'", "gbk"),
        ("enum('a')", pa.string(), "'a'", "not taken from row events"),
    ],
)
def test_a_key_that_cannot_be_told_leaves_its_table(
    follow: Follow, connection: pymysql.Connection, mysql: str, arrow: pa.DataType, value: str, reason: str
) -> None:
    schema = pa.schema([("k", arrow)])
    table = follow(f"CREATE TABLE t (k {mysql} NOT NULL PRIMARY KEY)", keys={"t": schema})
    execute(connection, f"INSERT INTO t VALUES ({value})")
    found = table.read()["t"]
    assert (found.keys, found.is_lost) == (None, False)
    assert reason in found.reason
