"""The row hash: the server's SQL and both decoders agree on a nasty table and on thousands of random numbers."""

from __future__ import annotations

import random
import struct

import mysql_arrow
import pymysql
from support import Reader, execute

TABLE = """
CREATE TABLE t (
  a BIGINT UNSIGNED, b INT(8) ZEROFILL, c DECIMAL(65,30), d DECIMAL(10,2) ZEROFILL, e FLOAT, f DOUBLE, g DATE,
  h DATETIME, i DATETIME(3), j TIMESTAMP(6) NULL, k TIME(2), l TIME, m YEAR, n BIT(1), o BIT(10), p CHAR(5),
  q VARCHAR(20), r VARCHAR(20) CHARACTER SET latin1, s LONGTEXT CHARACTER SET utf16, t VARBINARY(20), u BLOB,
  v ENUM('a','b'), w SET('a','b'), x JSON, y POINT, z TINYINT(1), `na``me, 'x'` VARCHAR(5) COLLATE utf8mb4_bin,
  bb BINARY(3)
)"""
ROWS = [
    "NULL" + ", NULL" * 27,
    """18446744073709551615, 42, -0.000000000000000000000000000001, 1.5, 0.1, 1e308, '0000-00-00',
    '0000-00-00 00:00:00', '9999-12-31 23:59:59.999', '2021-03-28 02:30:00.000001', '-838:59:59.99', '-00:00:01', 0,
    b'0', b'1', 'a  ', 'a  ', 0x80939F, '😀', 'N,', 0x00, 0, '', '{"b": 1, "a": [1, 2]}',
    ST_GeomFromText('POINT(1 2)'), -1, ',', 'a'""",
    """0, 123456789, 99999999999999999999999999999999999.9, 0, -0e0, 5e-324, '2021-00-00',
    '1000-01-01 00:00:00', '1969-12-31 23:59:59.001', '1970-01-01 00:00:01.1', '00:00:00', '100:00:00', 2155,
    b'1', b'1000000001', '', '', '', '', '', '', 'b', 'a,b', 'null', NULL, 2, 'ä', ''""",
]


def agree(connection: pymysql.Connection, reader: Reader, protocol: str, select: str = "*") -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name, column_type FROM information_schema.columns"
            " WHERE table_schema = DATABASE() AND table_name = 't' ORDER BY ordinal_position"
        )
        expression = mysql_arrow.hash_expression(cursor.fetchall())
        cursor.execute(f"SELECT {expression}, COUNT(*) FROM t")
        expected = cursor.fetchone()
    # What a policy makes of a value does not matter: the hash is of what the server sent.
    stream = reader.query(
        connection, f"SELECT {select} FROM t", protocol=protocol, hashes=True, dates="null", rows_per_batch=1000
    )
    assert sum(batch.num_rows for batch in stream) == expected[1]
    assert stream.hash_sum == expected[0]


def test_a_nasty_table(connection, reader: Reader, protocol: str) -> None:
    execute(connection, TABLE, *(f"INSERT INTO t VALUES ({row})" for row in ROWS), "INSERT INTO t SELECT * FROM t")
    select = "*"
    if protocol == "text":  # six digits of a FLOAT are not its value
        names = [*"abcd", "e * 1e0", *"fghijklmnopqrstuvwxyz", "`na``me, 'x'`", "bb"]
        select = ", ".join(names)
    agree(connection, reader, protocol, select)


def test_doubles_are_printed_as_the_server_prints_them(connection, reader: Reader, protocol: str) -> None:
    generator = random.Random(20)
    values = [10.0**power for power in range(-30, 31)] + [1.5 * 10.0**power for power in range(-30, 31)]
    values += [generator.uniform(-1e6, 1e6) for _ in range(1000)]
    values += [round(generator.uniform(-1e6, 1e6), 2) for _ in range(1000)]
    while len(values) < 5000:
        value = struct.unpack("<d", generator.randbytes(8))[0]
        if value == value and abs(value) != float("inf"):
            values.append(value)
    execute(connection, "CREATE TABLE t (v DOUBLE)")
    with connection.cursor() as cursor:
        cursor.executemany("INSERT INTO t VALUES (%s)", [(repr(value),) for value in values])
    agree(connection, reader, protocol)


def test_floats(connection, reader: Reader) -> None:
    generator = random.Random(21)
    execute(connection, "CREATE TABLE t (v FLOAT)")
    with connection.cursor() as cursor:
        values = [(repr(generator.uniform(-1, 1) * 10.0 ** generator.randint(-30, 30)),) for _ in range(2000)]
        cursor.executemany("INSERT INTO t VALUES (%s)", values)
    agree(connection, reader, "binary")


def test_one_changed_value_changes_the_hash(connection, reader: Reader) -> None:
    execute(connection, "CREATE TABLE t (a VARCHAR(9), b VARCHAR(9))", "INSERT INTO t VALUES ('a', 'bc'), (NULL, '')")

    def total(select: str) -> int:
        stream = reader.query(connection, f"SELECT {select} FROM t", hashes=True)
        list(stream)
        return stream.hash_sum

    sums = [total("a, b"), total("CONCAT(a, 'b'), b"), total("b, a"), total("a, NULLIF(b, '')")]
    assert len(set(sums)) == len(sums)
