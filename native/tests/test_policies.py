"""Values that no column of their type can hold: refused, NULL and counted, or told in a column of their own."""

from __future__ import annotations

from datetime import date
from typing import Any

import mysql_arrow
import pyarrow as pa
import pytest
from packets import column, end, reply
from support import DATABASE, Reader, execute

DATES = [
    ("DATE", "'0000-00-00'", "0000-00-00", "date"),
    ("DATE", "'2021-00-00'", "2021-00-00", "date"),
    ("DATE", "'2021-02-00'", "2021-02-00", "date"),
    ("DATE", "'2021-02-31'", "2021-02-31", "date"),
    ("DATETIME NOT NULL", "'0000-00-00 00:00:00'", "0000-00-00 00:00:00", "date and time"),
    ("DATETIME(3)", "'2021-00-10 01:02:03.500'", "2021-00-10 01:02:03.500", "date and time"),
    ("TIMESTAMP", "'0000-00-00 00:00:00'", "0000-00-00 00:00:00", "date and time"),
]


@pytest.mark.parametrize(("mysql", "literal", "shown", "kind"), DATES)
def test_dates(connection, reader: Reader, protocol: str, mysql: str, literal: str, shown: str, kind: str) -> None:
    execute(
        connection,
        "SET SESSION sql_mode='ALLOW_INVALID_DATES'",
        f"CREATE TABLE t (v {mysql})",
        f"INSERT INTO t VALUES ({literal}), ('2021-01-01')",
    )

    def read(**options: Any) -> Any:
        return reader.query(connection, "SELECT v FROM t", protocol=protocol, **options)

    with pytest.raises(mysql_arrow.ValueRefused) as refused:
        list(read())
    assert (refused.value.column, refused.value.value) == ("v", f"'{shown}'")
    connection.connect()
    connection.select_db(DATABASE)

    stream = read(dates="null")
    [batch] = [pa.record_batch(batch) for batch in stream]
    assert [value is None for value in batch["v"].to_pylist()] == [True, False]
    assert stream.stats.nulled == {"v": 1}

    table = pa.table(read(dates="problem", problems="_problems"))
    assert table["v"].null_count == 1
    assert table["_problems"].to_pylist() == [f"v: '{shown}' is no {kind}", None]


RANGES = [
    ("INT", "128", pa.int8(), "128", "int8"),
    ("INT", "-1", pa.uint64(), "-1", "uint64"),
    ("BIGINT UNSIGNED", "9223372036854775808", pa.int64(), "9223372036854775808", "int64"),
    ("DECIMAL(10,2)", "1234.50", pa.decimal128(5, 2), "1234.50", "decimal128(5, 2)"),
    ("DECIMAL(65,0)", "9" * 65, pa.decimal128(38, 0), "9" * 60 + "…", "decimal128(38, 0)"),
    ("DECIMAL(30,0)", "9" * 30, pa.int64(), "9" * 30, "int64"),
    ("INT", "1000", pa.decimal128(3, 0), "1000", "decimal128(3, 0)"),
    ("DOUBLE", "0.1", pa.float32(), "0.1", "float"),
    ("BIT(16)", "0x0100", pa.uint8(), "0x0100", "uint8"),
    ("BIT(64)", "0xFFFFFFFFFFFFFFFF", pa.decimal128(19, 0), "0xFFFFFFFFFFFFFFFF", "decimal128(19, 0)"),
    ("TINYINT(1)", "2", pa.bool_(), "2", "bool"),
    ("TINYINT", "-1", pa.bool_(), "-1", "bool"),
]


@pytest.mark.parametrize(("mysql", "literal", "arrow", "shown", "name"), RANGES)
def test_ranges(connection, reader: Reader, protocol: str, mysql: str, literal: str, arrow, shown: str, name) -> None:
    execute(connection, f"CREATE TABLE t (v {mysql})", f"INSERT INTO t VALUES ({literal}), (NULL)")
    options = {"protocol": protocol, "schema": pa.schema([("v", arrow)])}
    with pytest.raises(mysql_arrow.ValueRefused, match=r"column v: .* is no .*; the type is too narrow") as refused:
        list(reader.query(connection, "SELECT v FROM t", **options))
    assert (refused.value.column, refused.value.value, refused.value.target) == ("v", shown, name)
    connection.connect()
    connection.select_db(DATABASE)
    table = reader.table(connection, "SELECT v FROM t", range="problem", problems="p", **options)
    assert table["v"].to_pylist() == [None, None]
    assert table["p"].to_pylist() == [f"v: {shown} is no {name}", None]


def test_text_in_another_character_set(connection, reader: Reader, protocol: str) -> None:
    execute(connection, "SET character_set_results = latin1")
    with pytest.raises(mysql_arrow.TypeRefused, match="character set 8, not utf8mb4"):
        reader.query(connection, "SELECT 'ä' AS v", protocol=protocol)


def test_invalid_text_policies(reader: Reader) -> None:
    data = reply([column("v", 253)], [[b"ok"], [b"a\xffb"], [b"\xc3"], [b"\xa4"], [None]], end())
    with pytest.raises(mysql_arrow.ValueRefused, match="column v: 0x61FF62 is no string; its bytes are no UTF-8"):
        reader.decode(data, protocol="text")
    decode = {
        "null": [b"ok", None, None, None, None],
        "problem": [b"ok", None, None, None, None],
        "replace": [b"ok", "a\ufffdb".encode(), "\ufffd".encode(), "\ufffd".encode(), None],
    }
    for policy, expected in decode.items():
        table = reader.decode(data, protocol="text", text=policy, problems="p")
        assert table["v"].to_pylist() == [value if value is None else value.decode() for value in expected]
        told = ["v: 0x61FF62 is no text", "v: 0xC3 is no text", "v: 0xA4 is no text"]
        assert table["p"].to_pylist() == [None, *(told if policy == "problem" else [None] * 3), None]


def test_bad_text_cannot_be_mistaken_for_another_problem(reader: Reader) -> None:
    """What is valid of it would fill the sixty bytes that are shown."""
    bad = b"; b: 1 is no date" + b"." * 80 + b"\xff"
    data = reply([column("a", 253), column("b", 253)], [[bad, b"ok"]], end())
    table = reader.decode(data, protocol="text", text="problem", problems="p")
    assert table["p"].to_pylist() == [f"a: 0x{bad[:60].hex().upper()}… is no text"]


def test_problems_with_texts_come_last(reader: Reader) -> None:
    data = reply([column("a", 253), column("b", 10)], [[b"\xff", b"0000-00-00"]], end())
    table = reader.decode(data, protocol="text", text="problem", dates="problem", problems="p")
    assert table["p"].to_pylist() == ["b: '0000-00-00' is no date; a: 0xFF is no text"]


def test_a_column_has_its_own_policy(connection, reader: Reader, protocol: str) -> None:
    execute(connection, "CREATE TABLE t (a DATE, b DATE, c DATE)")
    execute(connection, "INSERT INTO t VALUES (0, 0, '2021-01-01'), (0, 0, 0)")
    options = {"protocol": protocol, "dates": "problem", "problems": "p"}

    stream = reader.query(connection, "SELECT * FROM t LIMIT 1", columns={"b": "null", "c": "error"}, **options)
    [row] = [row for batch in stream for row in pa.record_batch(batch).to_pylist()]
    assert row == {"a": None, "b": None, "c": date(2021, 1, 1), "p": "a: '0000-00-00' is no date"}
    assert stream.stats.nulled == {"a": 1, "b": 1}

    with pytest.raises(mysql_arrow.ValueRefused, match="column c: '0000-00-00' is no date"):
        list(reader.query(connection, "SELECT * FROM t", columns={"b": "null", "c": "error"}, **options))


def test_a_policy_for_a_column_that_is_not_there(connection, reader: Reader) -> None:
    with pytest.raises(mysql_arrow.SchemaMismatch, match=r"no column .x.*for which there is a policy"):
        reader.query(connection, "SELECT 1 AS a", columns={"x": "null"})


def test_problems_of_a_row_are_joined(connection, reader: Reader, protocol: str) -> None:
    execute(connection, "CREATE TABLE t (a DATE, b INT, c DATE)")
    execute(connection, "INSERT INTO t VALUES (0, 1, '2021-00-00'), ('2021-01-01', 300, NULL)")
    schema = pa.schema([("a", pa.date32()), ("b", pa.int8()), ("c", pa.date32())])
    policies = {"dates": "problem", "range": "problem", "problems": "_problems"}
    table = reader.table(connection, "SELECT * FROM t", protocol=protocol, schema=schema, **policies)
    assert table.to_pylist() == [
        {"a": None, "b": 1, "c": None, "_problems": "a: '0000-00-00' is no date; c: '2021-00-00' is no date"},
        {"a": date(2021, 1, 1), "b": None, "c": None, "_problems": "b: 300 is no int8"},
    ]


REFUSED = [
    ("VARCHAR(9)", pa.int32(), "text cannot become int32"),
    ("VARBINARY(9)", pa.string(), "bytes cannot become string"),
    ("INT", pa.string(), "INT cannot become string"),
    ("BIGINT UNSIGNED", pa.float64(), "BIGINT UNSIGNED cannot become double"),
    ("DECIMAL(10,2)", pa.decimal128(10, 1), r"DECIMAL\(10,2\) cannot become decimal128\(10, 1\): its scale would lose"),
    ("DECIMAL(10,2)", pa.int64(), r"DECIMAL\(10,2\) cannot become int64: an integer would lose digits"),
    ("DECIMAL(10,2)", pa.float64(), "cannot become double"),
    ("DATE", pa.timestamp("us"), "DATE cannot become timestamp"),
    ("DATETIME", pa.timestamp("us", "Europe/Berlin"), "no MySQL type becomes this"),
    ("DATETIME", pa.timestamp("ms"), "no MySQL type becomes this"),
    ("BIT(2)", pa.bool_(), r"BIT\(2\) cannot become bool"),
    ("TIME", pa.time64("us"), "no MySQL type becomes this"),
]


@pytest.mark.parametrize(("mysql", "arrow", "message"), REFUSED)
def test_types_that_are_refused_before_the_first_row(connection, reader: Reader, mysql: str, arrow, message) -> None:
    execute(connection, f"CREATE TABLE t (v {mysql})")
    with pytest.raises(mysql_arrow.TypeRefused, match=message) as refused:
        reader.query(connection, "SELECT v FROM t", schema=pa.schema([("v", arrow)]))
    assert refused.value.column == "v"


def test_not_null(connection, reader: Reader, protocol: str) -> None:
    schema = pa.schema([pa.field("v", pa.int64(), nullable=False)])
    assert reader.table(connection, "SELECT 1 AS v", protocol=protocol, schema=schema).schema == schema
    with pytest.raises(mysql_arrow.ValueRefused, match="the schema says that the column has none"):
        list(reader.query(connection, "SELECT NULLIF(1, 1) AS v", protocol=protocol, schema=schema))


def test_schema_with_other_columns(connection, reader: Reader) -> None:
    with pytest.raises(mysql_arrow.SchemaMismatch, match="b"):
        reader.query(connection, "SELECT 1 AS a", schema=pa.schema([("b", pa.int64())]))


def test_options_out_of_range(reader: Reader) -> None:
    for options in (
        {"protocol": "x"},
        {"dates": "replace"},
        {"text": "x"},
        {"dates": "problem"},
        {"columns": {"a": "problem"}},
        {"columns": {"a": "replace"}},
        {"rows_per_batch": 0},
        {"bytes_per_batch": 1 << 31},
        {"max_packet": 0},
    ):
        with pytest.raises(ValueError):
            reader.decoders.Decoder(**options)
