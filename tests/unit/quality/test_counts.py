"""Row counts as checks: equal passes, anything else stops the publish."""

from __future__ import annotations

import re

import pytest

from lake.contracts import Contract
from lake.contracts.model import Column
from lake.quality import counts, suites
from lake.quality.counts import Checked
from lake.quality.severity import BLOCK

CONTRACT = Contract.model_validate(
    {
        "table": "orders",
        "description": "x",
        "owner": "x",
        "grain": "x",
        "key": ["k"],
        "deletes": "none",
        "columns": {"k": {"type": "bigint", "nullable": False}},
    }
)


@pytest.mark.parametrize(("rows", "is_passed"), [(5, True), (4, False), (6, False)])
def test_a_table_has_exactly_the_rows_of_the_source(rows: int, is_passed: bool) -> None:
    result = counts.complete(CONTRACT, 5, rows)
    assert (result.is_passed, result.blocks, result.severity) == (is_passed, not is_passed, BLOCK)
    assert "expected 5" in result.notes
    assert "deletes: none" in result.notes


@pytest.mark.parametrize(("rows", "is_passed"), [(5, True), (6, False)])
def test_no_key_is_there_twice(rows: int, is_passed: bool) -> None:
    result = counts.unique(CONTRACT, 5, rows)
    assert (result.is_passed, result.blocks, result.column_name) == (is_passed, not is_passed, "k")


def test_each_fact_has_the_rows_of_its_cleaned_table() -> None:
    cleaned = {"orders": 2, "order_items": 7, "payments": 3, "refunds": 1}
    curated = {"fct_orders": 2, "fct_order_items": 6, "fct_payments": 3, "fct_refunds": 1}
    passed = {result.table_name: result.is_passed for result in counts.reconciled(curated, cleaned)}
    assert passed == {"fct_orders": True, "fct_order_items": False, "fct_payments": True, "fct_refunds": True}


def test_one_statement_counts_many_tables_but_no_more_than_trino_carries(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def rows(statement: str, catalog: str) -> list[dict[str, object]]:
        asked.append(statement)
        names = re.findall(r"SELECT '(\w+)' AS name, ARRAY\[([^]]*)\]", statement)
        return [{"name": name, "counts": [5] * len(re.findall("count", counts))} for name, counts in names]

    monkeypatch.setattr(counts.sql, "rows", rows)
    column = Column(type="int", nullable=False)
    wide = CONTRACT.model_copy(update={"table": "wide"}).with_columns(
        {"k": column, **{f"c{i}": column for i in range(990)}}
    )
    narrow = [CONTRACT.model_copy(update={"table": f"t{i}"}) for i in range(90)]

    found = counts.contents("branch", [*map(Checked, [wide, *narrow])])

    assert found["wide"].filled == {"k": 5, **{f"c{i}": 5 for i in range(990)}}
    assert found["t89"] == counts.Contents(5, {"k": 5}, {})
    assert len(found) == 91
    assert [statement.count("SELECT") for statement in asked] == [5, 40, 40, 6]


def test_a_required_column_without_a_value_stops_the_publish() -> None:
    assert counts.not_null(CONTRACT, "k", 5, 5).is_passed
    assert counts.not_null(CONTRACT, "k", 5, 4).blocks
    assert not counts.waiting("orders", 3).blocks


def test_an_enum_is_counted_where_its_labels_are_known_and_has_a_suite_where_a_person_lists_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(counts.sql, "rows", lambda statement, _: asked.append(statement) or [])
    columns = {
        "k": CONTRACT.columns["k"],
        "e": Column(type="enum('it''s','b')"),
        "unknown": Column(type="enum('a?')"),
        "listed": Column(type="enum('a','b')", accepted=("a",)),
    }
    contract = CONTRACT.with_columns(columns)
    counts.contents("branch", [Checked(contract)])
    (statement,) = asked
    assert re.findall(r"count_if\(.*?\)\)", statement) == [
        """count_if("e" NOT IN ('it''s', 'b'))""",
        """count_if("unknown" IN (''))""",
    ]
    assert [expectation.column for expectation in suites.cleaned(contract).expectations] == ["listed"]
    assert counts.labels(contract, "e", 1).blocks
    assert counts.labels(contract, "e", 0).is_passed
