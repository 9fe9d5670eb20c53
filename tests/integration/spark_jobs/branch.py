"""A branch on which runs follow each other, for tests of cleaning: literal rows in, exact rows out."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from lake.contracts import Contract
from lake.extract.landing import write_batches
from lake.layers import raw
from lake.platform import catalog, storage
from lake.run import Run

DAY = [datetime(2026, 1, day, tzinfo=UTC) for day in range(1, 9)]
COMMON = {"description": "x", "owner": "x", "grain": "x", "cursor": "at", "deletes": "keys"}
KEY, INSTANT = {"type": "bigint", "nullable": False}, {"type": "datetime(6)", "nullable": False}


def contract(table: str, **fields: Any) -> Contract:
    """A contract that says no more than the test needs."""
    return Contract.model_validate({**COMMON, "table": table, **fields})


@dataclass(frozen=True)
class RunAt(Run):
    """A run on a branch that it shares with the runs before it."""

    at: str = ""

    @property
    def branch(self) -> str:
        return self.at


class Branch:
    """A branch of its own, with tables that have these contracts."""

    def __init__(self, spark: Any, contracts: Mapping[str, Contract]) -> None:
        self.spark = spark
        self.contracts = dict(contracts)
        self._landed: set[int] = set()
        self.name = f"test_{uuid.uuid4().hex[:12]}"
        raw.prepare(catalog.MAIN)
        catalog.create_branch(self.name)

    def drop(self) -> None:
        """Remove the branch and what was landed for it."""
        catalog.delete_branch(self.name)
        storage.delete_prefix(f"{storage.LANDING}/{self.name}")

    def run(
        self, day: int, full: bool = False, problems: str | None = None, **rows: list[tuple[Any, ...]]
    ) -> dict[str, tuple[int, int, int]]:
        """Clean ``(operation, values...)`` per table; how many rows of each table were judged, refused, deleted.

        The last column, ``at``, is the day's instant where a row does not have it. The reader told ``problems`` of
        every row.
        Called again for the same day it is the same run tried again: its rows have landed already.
        """
        from spark_jobs.candidates import Work
        from spark_jobs.cleaned import clean

        run = RunAt(f"{self.name}_{day}", "", at=self.name)
        if day not in self._landed:
            self._landed.add(day)
            for table, listed in rows.items():
                self._land(run, self.contracts[table], day, listed, problems)
        read = {table: len(listed) for table, listed in rows.items()}
        work = Work(read, full=set(self.contracts) if full else set(), touched=set(rows), waiting=set(self.contracts))
        outcomes = clean(self.spark, run, sorted(self.contracts), self.contracts, work)
        return {outcome.table: (outcome.judged, outcome.refused, outcome.deleted) for outcome in outcomes}

    def _land(self, run: Run, contract: Contract, day: int, rows: list[tuple[Any, ...]], problems: str | None) -> None:
        names, at = contract.raw_schema.names, [DAY[day]]
        values = [row[1:] if len(row) > len(contract.columns) else (*row[1:], *at) for row in rows]
        marks = [(problems, run.run_id, *at, row[0]) for row in rows]
        marked = [(*row, *mark) for row, mark in zip(values, marks, strict=True)]
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
