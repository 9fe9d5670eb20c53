"""Cleaning through Spark on a Nessie branch of its own: a handful of literal rows, and exactly the rows expected."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from lake.contracts import DELETE, READ, Contract
from lake.extract.landing import write_batches
from lake.layers import raw
from lake.platform import catalog, storage
from lake.run import Run

DAY = [datetime(2026, 1, day, tzinfo=UTC) for day in range(1, 9)]
COMMON = {"description": "x", "owner": "x", "grain": "x", "cursor": "at", "deletes": "keys"}
KEY, INSTANT = {"type": "bigint", "nullable": False}, {"type": "datetime(6)", "nullable": False}
STATE = {"type": "enum('good','fine')", "nullable": False}
REFERENCE = {"type": "bigint", "references": "parents.p"}
CONTRACTS = {
    item["table"]: Contract.model_validate({**COMMON, **item})
    for item in (
        {"table": "parents", "key": ["p"], "history": True, "columns": {"p": KEY, "state": STATE, "at": INSTANT}},
        {"table": "children", "key": ["c"], "columns": {"c": KEY, "p": REFERENCE, "at": INSTANT}},
    )
}


@dataclass(frozen=True)
class RunAt(Run):
    """A run on a branch that it shares with the runs before it."""

    at: str = ""

    @property
    def branch(self) -> str:
        return self.at


class Branch:
    """A branch on which runs follow each other. Children are named before parents: the order must not matter."""

    def __init__(self, spark: Any) -> None:
        self.spark = spark
        self._landed: set[int] = set()
        self.name = f"test_{uuid.uuid4().hex[:12]}"
        raw.prepare(catalog.MAIN)
        catalog.create_branch(self.name)

    def run(
        self, day: int, full: bool = False, problems: str | None = None, **rows: list[tuple[Any, ...]]
    ) -> dict[str, tuple[int, int, int]]:
        """Clean ``(operation, values...)`` per table; how many rows of each table were judged, refused, deleted.

        The reader told ``problems`` of every row.
        Called again for the same day it is the same run tried again: its rows have landed already.
        """
        from spark_jobs.candidates import Work
        from spark_jobs.cleaned import clean

        run = RunAt(f"{self.name}_{day}", "", at=self.name)
        if day not in self._landed:
            self._landed.add(day)
            for table, listed in rows.items():
                self._land(run, CONTRACTS[table], day, listed, problems)
        read = {table: len(listed) for table, listed in rows.items()}
        work = Work(read, full=set(CONTRACTS) if full else set(), touched=set(rows), waiting=set(CONTRACTS))
        outcomes = clean(self.spark, run, ["children", "parents"], CONTRACTS, work)
        return {outcome.table: (outcome.judged, outcome.refused, outcome.deleted) for outcome in outcomes}

    def _land(self, run: Run, contract: Contract, day: int, rows: list[tuple[Any, ...]], problems: str | None) -> None:
        names = contract.raw_schema.names
        marked = [(*row[1:], DAY[day], problems, run.run_id, DAY[day], row[0]) for row in rows]
        records = [dict(zip(names, row, strict=True)) for row in marked]
        data = pa.Table.from_pylist(records, contract.raw_schema)
        uri = f"{storage.LANDING}/{self.name}/{contract.table}/run={run.run_id}/part-00000.parquet"
        write_batches(uri, contract.raw_schema, {}, data.to_batches())
        table = raw.open_catalog(self.name).create_table_if_not_exists(("raw", contract.table), contract.raw_schema)
        table.add_files([uri])

    def rows(self, layer: str, table: str, *columns: str) -> list[tuple[Any, ...]]:
        """Some columns of a table, sorted."""
        found = raw.find(self.name, layer, table)
        assert found is not None
        return sorted((tuple(row[name] for name in columns) for row in found.scan().to_arrow().to_pylist()), key=str)


@pytest.fixture
def branch(platform: None) -> Iterator[Branch]:
    """A branch with two parents, and with three children of which one points at no parent."""
    from spark_jobs.session import connect

    spark = connect()
    opened = Branch(spark)
    try:
        counts = opened.run(
            0,
            full=True,
            parents=[(READ, 1, "good"), (READ, 2, "good")],
            children=[(READ, 10, 1), (READ, 20, 2), (READ, 30, 3), (READ, 40, None)],
        )
        assert counts == {"parents": (2, 0, 0), "children": (4, 1, 0)}
        yield opened
    finally:
        spark.stop()
        catalog.delete_branch(opened.name)
        storage.delete_prefix(f"{storage.LANDING}/{opened.name}")


def test_a_full_load_puts_an_orphan_into_quarantine_and_null_points_at_nothing(branch: Branch) -> None:
    assert branch.rows("cleaned", "children", "c", "p") == [(10, 1), (20, 2), (40, None)]
    assert branch.rows("quarantine", "children", "c", "_reasons") == [(30, ["orphan:p"])]


def test_a_child_leaves_quarantine_when_its_parent_arrives(branch: Branch) -> None:
    assert branch.run(1, parents=[(READ, 3, "fine")]) == {"parents": (1, 0, 0), "children": (1, 0, 0)}
    assert branch.rows("cleaned", "children", "c", "p") == [(10, 1), (20, 2), (30, 3), (40, None)]
    assert branch.rows("quarantine", "children", "c") == []


@pytest.mark.parametrize("tries", [1, 2])
def test_a_refused_parent_takes_its_children_along_and_brings_them_back(branch: Branch, tries: int) -> None:
    for _ in range(tries):
        branch.run(1, parents=[(READ, 2, "broken")])
        assert branch.rows("cleaned", "parents", "p", "state") == [(1, "good")]
        assert branch.rows("quarantine", "parents", "p", "_reasons") == [(2, ["not_accepted:state"])]
        assert branch.rows("cleaned", "children", "c") == [(10,), (40,)]
        assert branch.rows("quarantine", "children", "c", "_reasons") == [(20, ["orphan:p"]), (30, ["orphan:p"])]

    branch.run(2, parents=[(READ, 2, "good")])
    assert branch.rows("cleaned", "parents", "p") == [(1,), (2,)]
    assert branch.rows("cleaned", "children", "c") == [(10,), (20,), (40,)]
    assert branch.rows("quarantine", "parents", "p") == []


def test_a_row_with_an_unreadable_value_waits_in_quarantine_and_says_why(branch: Branch) -> None:
    """The value is NULL, which is not held against the row a second time, and the row's children go along with it."""
    told = "state: 0xFF is no text; at: '0000-00-00' is no date and time"
    branch.run(1, parents=[(READ, 2, None)], problems=told)
    waiting = branch.rows("quarantine", "parents", "p", "state", "_problems", "_reasons")
    assert waiting == [(2, None, told, ["unreadable:state", "unreadable:at"])]
    assert branch.rows("cleaned", "parents", "p") == [(1,)]
    assert branch.rows("cleaned", "children", "c") == [(10,), (40,)]

    assert branch.run(2, parents=[(READ, 3, "good")])["parents"] == (2, 1, 0)
    assert branch.rows("quarantine", "parents", "p", "_problems") == [(2, told)]


def test_changes_and_deletes_are_merged_and_history_keeps_what_was(branch: Branch) -> None:
    branch.run(3, parents=[(READ, 1, "fine"), (DELETE, 2, None)], children=[(DELETE, 20, None)])
    assert branch.rows("cleaned", "parents", "p", "state") == [(1, "fine")]
    assert branch.rows("cleaned", "children", "c") == [(10,), (40,)]
    assert branch.rows("history", "parents", "p", "state", "valid_from", "valid_to", "is_current") == [
        (1, "fine", DAY[3], None, True),
        (1, "good", DAY[0], DAY[3], False),
        (2, "good", DAY[0], DAY[3], False),
    ]
