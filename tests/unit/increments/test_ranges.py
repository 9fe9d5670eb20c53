"""Ranges of keys: the same rows in SQL and in Arrow, no row outside, through JSON and back."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pyarrow as pa

from lake.changes import ranges
from lake.changes.ranges import Range
from lake.contracts import Contract


def _contract(**types: str) -> Contract:
    columns = {name: {"type": mysql, "nullable": False} for name, mysql in types.items()}
    common = {"description": "x", "owner": "x", "grain": "x", "deletes": "keys"}
    return Contract.model_validate({**common, "table": "t", "key": list(types), "columns": columns})


TWO = _contract(a="int", b="date")


def test_one_column_in_sql() -> None:
    contract = _contract(id="bigint")
    assert Range((5,), (9,)).condition(contract) == ("`id` >= %s AND `id` < %s", (5, 9))
    assert Range(None, (9,)).condition(contract) == ("`id` < %s", (9,))
    assert Range().condition(contract) == ("", ())


def test_several_columns_in_sql_compare_like_rows() -> None:
    text, parameters = Range((1, date(2026, 1, 1)), (2, date(2026, 2, 1))).condition(TWO)
    assert text == (
        "`a` >= %s AND ((`a` > %s) OR (`a` = %s AND `b` >= %s)) AND "
        "`a` <= %s AND ((`a` < %s) OR (`a` = %s AND `b` < %s))"
    )
    first, second = date(2026, 1, 1), date(2026, 2, 1)
    assert parameters == (1, 1, 1, first, 2, 2, 2, second)


def test_instants_are_parameters_without_a_zone() -> None:
    _, parameters = Range((datetime(2026, 1, 1, tzinfo=UTC),)).condition(_contract(at="datetime(6)"))
    assert parameters == (datetime(2026, 1, 1),)


def test_every_row_is_in_exactly_one_range() -> None:
    days = [date(2026, 1, day) for day in range(1, 6)]
    rows = pa.table(
        {"a": [a for a in range(5) for _ in days], "b": days * 5},
        schema=pa.schema([("a", pa.int32()), ("b", pa.date32())]),
    )
    edges: list[Any] = [None, (0, days[0]), (1, days[3]), (1, days[4]), (3, days[0]), (4, days[4]), None]
    found = [ranges.within(rows, [Range(*edge)], ["a", "b"]).to_pylist() for edge in pairwise(edges)]
    assert sorted((row["a"], row["b"]) for part in found for row in part) == [
        (a, day) for a in range(5) for day in days
    ]
    assert [len(part) for part in found] == [0, 8, 1, 6, 9, 1]


def test_several_ranges_at_once_and_none() -> None:
    rows = pa.table({"id": pa.array(range(10), pa.int64())})
    chosen = ranges.within(rows, [Range(None, (2,)), Range((8,), None)], ["id"])
    assert chosen["id"].to_pylist() == [0, 1, 8, 9]
    assert ranges.within(rows, [], ["id"]).num_rows == 0
    assert ranges.within(rows, [Range((3,), (4,)), Range()], ["id"]).num_rows == 10


def test_keys_survive_json() -> None:
    contract = _contract(
        a="bigint unsigned",
        b="decimal(10,2)",
        c="date",
        d="datetime(6)",
        e="varbinary(9)",
        f="bigint",
        g="int unsigned",
    )
    key = (
        Decimal(2**64 - 1),
        Decimal("-1.50"),
        date(1500, 1, 1),
        datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=UTC),
        b"\x00\xff",
        -(2**63),
        2**32 - 1,
    )
    assert ranges.from_json(ranges.to_json(key), contract) == key


def test_the_order_of_text_belongs_to_the_server() -> None:
    assert ranges.has_order(TWO)
    assert not ranges.has_order(_contract(a="int", b="varchar(10)"))


def test_values_are_put_in_place_and_signs_stay_doubled() -> None:
    class Escaping:
        def escape(self, value: Any) -> str:
            return repr(value)

    found = ranges.rendered(Escaping(), ("`a%%s` = %s AND b = %s", ("100%", 5)))  # type: ignore[arg-type]
    assert found == "`a%%s` = '100%%' AND b = 5"
    assert found % () == "`a%s` = '100%' AND b = 5"
