"""Columns that are added, dropped, renamed or retyped between two runs (43): told first, and followed once the contract
says so."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from pymysql.connections import Connection

from lake.commands.add_table import add_tables
from lake.contracts import Contract, load_all
from lake.errors import ContractError
from lake.extract.extract import Request, extract
from lake.layers import raw
from lake.platform import catalog, sql
from lake.run import Run
from lake.settings import settings
from lake.source import sources
from tests.faults.record import Tell


@dataclass(frozen=True)
class RunAt(Run):
    """A run on a branch that it shares with the runs before it."""

    at: str = ""

    @property
    def branch(self) -> str:
        return self.at


@pytest.fixture
def run_once(source: Connection[Any]) -> Iterator[Callable[[Contract], list[dict[str, Any]]]]:
    """Takes the table through raw and cleaned, one run after the other on one branch; gives what is in cleaned."""
    from lake.layers.work import Work
    from spark_jobs.cleaned import clean
    from spark_jobs.session import connect, disconnect

    branch = f"{settings().source_name}_changing_{uuid.uuid4().hex[:6]}"
    raw.prepare(catalog.MAIN)
    catalog.create_branch(branch)
    spark = connect()
    runs = []

    def once(contract: Contract) -> list[dict[str, Any]]:
        run = RunAt(f"{branch}_{len(runs)}", "", sources=(contract.source,), has_marts=False, at=branch)
        runs.append(run)
        (manifest,) = extract(sources.shop(), [Request(contract)], run.run_id)
        contract = manifest.under(contract)
        raw.register(manifest, contract, branch)
        clean(spark, run, ["changing"], {"changing": contract}, Work.of([manifest], waiting=set()))
        rows = sql.rows("SELECT * FROM cleaned.changing ORDER BY id", branch)
        return [{name: value for name, value in row.items() if not name.startswith("_")} for row in rows]

    try:
        with sql.catalog_at(branch, branch):
            yield once
    finally:
        disconnect(spark)
        catalog.delete_branch(branch)


def _drafted() -> Contract:
    name = settings().source_name
    add_tables(["changing"], source_name=name, replace=True)
    return load_all([name])["changing"]


def _execute(connection: Connection[Any], *statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@pytest.mark.fault("shape_wider")
def test_columns_change_between_two_runs(
    source: Connection[Any],
    run_once: Callable[[Contract], list[dict[str, Any]]],
    caplog: pytest.LogCaptureFixture,
    tell: Tell,
) -> None:
    _execute(
        source,
        "CREATE TABLE changing (id INT PRIMARY KEY, a INT, b DECIMAL(10,2), c VARCHAR(10), gone INT)",
        "INSERT INTO changing VALUES (1, 1, 1.25, 'x', 7)",
    )
    before = _drafted()
    assert run_once(before) == [{"id": 1, "a": 1, "b": Decimal("1.25"), "c": "x", "gone": 7}]

    _execute(source, "ALTER TABLE changing ADD fresh VARCHAR(9) DEFAULT 'new'")
    with caplog.at_level(logging.WARNING):
        assert run_once(before) == [{"id": 1, "a": 1, "b": Decimal("1.25"), "c": "x", "gone": 7, "fresh": "new"}]
        run_once(before.model_copy(update={"new_columns": "leave"}))
    assert "the contract of changing follows its table: fresh: new, varchar(9)" in caplog.text
    assert "column changing.fresh is in no contract: it is not extracted" in caplog.text

    _execute(
        source,
        "ALTER TABLE changing MODIFY a BIGINT, MODIFY b DECIMAL(14,2), RENAME COLUMN c TO d, DROP gone",
        "INSERT INTO changing VALUES (2, 5000000000, 123456789012.25, 'y', 'n')",
    )
    with pytest.raises(ContractError) as stale:
        run_once(before)
    # What holds more than before is followed; whether `c` was dropped or is `d` now, only a person knows.
    assert [line.split(": ", 1)[1] for line in stale.value.what.splitlines()] == [
        "column changing.c is not in the source, which has id, a, b, d, fresh",
        "column changing.gone is not in the source, which has id, a, b, d, fresh",
    ]

    # The lake's name of the renamed column stays, and with it what is built on it.
    columns = _drafted().model_dump(by_alias=True)["columns"]
    columns["c"] = {**columns.pop("d"), "source_name": "d"}
    after = Contract.model_validate({**before.model_dump(by_alias=True), "columns": columns})
    assert run_once(after) == [
        {"id": 1, "a": 1, "b": Decimal("1.25"), "c": "x", "gone": None, "fresh": "new"},
        {"id": 2, "a": 5_000_000_000, "b": Decimal("123456789012.25"), "c": "y", "gone": None, "fresh": "n"},
    ]

    _execute(source, "ALTER TABLE changing MODIFY a VARCHAR(20)")
    columns["a"]["type"] = "varchar(20)"
    retyped = Contract.model_validate({**after.model_dump(by_alias=True), "columns": columns})
    with pytest.raises(ContractError, match=r"raw\.changing holds values .* a: long -> string\n.*`source_name`"):
        run_once(retyped)

    columns["a_text"] = {**columns.pop("a"), "source_name": "a"}
    renamed = Contract.model_validate({**after.model_dump(by_alias=True), "columns": columns})
    assert [(row["a"], row["a_text"]) for row in run_once(renamed)] == [(None, "1"), (None, "5000000000")]
    tell("a new column and two wider types followed, a renamed and a dropped one told; every value right in cleaned")


def test_a_column_that_is_dropped_stays_as_null_where_the_contract_says_so(
    source: Connection[Any], run_once: Callable[[Contract], list[dict[str, Any]]]
) -> None:
    _execute(
        source,
        "DROP TABLE IF EXISTS changing",
        "CREATE TABLE changing (id INT PRIMARY KEY, gone INT)",
        "INSERT INTO changing VALUES (1, 7)",
    )
    contract = _drafted().model_copy(update={"gone_columns": "keep"})
    assert run_once(contract) == [{"id": 1, "gone": 7}]
    _execute(source, "ALTER TABLE changing DROP gone", "INSERT INTO changing VALUES (2)")
    assert run_once(contract) == [{"id": 1, "gone": None}, {"id": 2, "gone": None}]
    _execute(source, "INSERT INTO changing VALUES (3)")
    assert run_once(contract)[2] == {"id": 3, "gone": None}
