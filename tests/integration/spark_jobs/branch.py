"""A branch on which runs follow each other, for tests of cleaning: literal rows in, exact rows out."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyiceberg.expressions import EqualTo
from pyiceberg.table import Table

from lake.contracts import DELETE, OPERATION, READ, RUN_ID, Contract
from lake.extract.landing import write_batches
from lake.layers import raw
from lake.layers.outcome import Outcome
from lake.platform import catalog, storage
from lake.run import Run

if TYPE_CHECKING:
    from spark_jobs.curated import Curated

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

    @property
    def base_reference(self) -> str:
        return f"{self.at}@{self.base}"


def _new_name() -> str:
    return f"test_{uuid.uuid4().hex[:12]}"


class Branch:
    """A branch of its own, with tables that have these contracts.

    Attributes:
        in_memory: whether runs that do not say it themselves take tables in without Spark where that is possible.
    """

    def __init__(self, spark: Any, contracts: Mapping[str, Contract], in_memory: bool = False) -> None:
        self.spark = spark
        self.in_memory = in_memory
        self.contracts = dict(contracts)
        self._landed: set[int] = set()
        self._base: dict[int, str] = {}
        self.name = _new_name()
        raw.prepare(catalog.MAIN)
        catalog.create_branch(self.name)

    def fork(self, spark: Any) -> Branch:
        """Another branch with the same tables, which goes on by itself."""
        forked = copy(self)
        forked.spark, forked.name = spark, _new_name()
        forked.contracts, forked._landed, forked._base = dict(self.contracts), set(self._landed), dict(self._base)
        here = {"type": "DETACHED", "hash": catalog.head(self.name)}
        catalog._call("POST", "trees", params={"name": forked.name, "type": "BRANCH"}, json=here)
        return forked

    def drop(self) -> None:
        """Remove the branch and what was landed for it."""
        catalog.delete_branch(self.name)
        storage.delete_prefix(f"{storage.LANDING}/{self.name}")

    def run(
        self,
        day: int,
        full: bool = False,
        problems: str | None = None,
        held: str = "",
        was_held: str = "",
        in_memory: bool | None = None,
        **rows: list[tuple[Any, ...]],
    ) -> dict[str, tuple[int, int, int]]:
        """Clean ``(operation, values...)`` per table; how many rows of each table were judged, refused, deleted.

        One table may be held back, or have been so in the run before. The last column, ``at``, is the day's instant
        where a row does not have it. The reader told ``problems`` of every row.
        Tables are taken in by Spark, or ``in_memory`` where that is possible.
        Called again for the same day it is the same run tried again: its rows have landed already.
        """
        if day not in self._landed:
            self._landed.add(day)
            self._base[day] = catalog.head(self.name)
            for table, listed in rows.items():
                self.land(day, table, listed, problems)
        return {
            outcome.table: (outcome.judged, outcome.refused, outcome.deleted)
            for outcome in self.clean(day, full, held, was_held, in_memory, **rows)
        }

    def clean(
        self,
        day: int,
        full: bool = False,
        held: str = "",
        was_held: str = "",
        in_memory: bool | None = None,
        **rows: list[tuple[Any, ...]],
    ) -> list[Outcome]:
        """Clean what has landed of these rows."""
        is_landed = self.in_memory if in_memory is None else in_memory
        from lake.layers.work import Landed, Work
        from spark_jobs.cleaned import clean

        said = {table: Counter(row[0] for row in rows.get(table, [])) for table in self.contracts}
        landed = {
            table: Landed(
                one[READ],
                one[DELETE],
                full,
                DAY[day],
                table == held,
                table == was_held,
                (self._uri(day, table),) if is_landed and one[READ] else (),
                (self._uri(day, table, DELETE),) if is_landed and one[DELETE] else (),
            )
            for table, one in said.items()
        }
        work = Work(landed, waiting=set(self.contracts))
        return clean(self.spark, self._run(day), sorted(self.contracts.keys() - {held}), self.contracts, work)

    def curate(self, day: int, full: set[str], touched: set[str]) -> Curated:
        """Build the curated tables."""
        from spark_jobs.curated import curate

        uris = {table: [self._uri(day, table, operation) for operation in (READ, DELETE)] for table in self.contracts}
        landed = {table: [uri for uri in found if storage.exists(uri)] for table, found in uris.items()}
        return curate(self.spark, self._run(day), self.contracts, full, touched, landed)

    def _run(self, day: int) -> Run:
        return RunAt(f"{self.name}_{day}", self._base.get(day, ""), at=self.name)

    def land(self, day: int, table: str, rows: list[tuple[Any, ...]], problems: str | None = None) -> None:
        """Add rows of a run to ``raw``."""
        contract, run = self.contracts[table], self._run(day)
        names, at = contract.raw_schema.names, [DAY[day]]
        values = [row[1:] if len(row) > len(contract.columns) else (*row[1:], *at) for row in rows]
        marks = [(problems, run.run_id, *at, row[0]) for row in rows]
        marked = [(*row, *mark) for row, mark in zip(values, marks, strict=True)]
        records = [dict(zip(names, row, strict=True)) for row in marked]
        uris = []
        for operation in (READ, DELETE):
            some = [record for record in records if record[OPERATION] == operation]
            if some:
                uris.append(self._uri(day, table, operation))
                data = pa.Table.from_pylist(some, contract.raw_schema)
                write_batches(uris[-1], contract.raw_schema, {}, data.to_batches())
        created = raw.open_catalog(self.name).create_table_if_not_exists(("raw", table), contract.raw_schema)
        with created.update_schema() as update:
            update.union_by_name(contract.raw_schema)
        if uris:
            created.add_files(uris)

    def _uri(self, day: int, table: str, operation: str = READ) -> str:
        name = {READ: "part", DELETE: "deletes"}[operation]
        return f"{storage.LANDING}/{self.name}/{table}/run={self._run(day).run_id}/{name}-00000.parquet"

    def forget(self, day: int, table: str) -> None:
        """Remove the rows of a run from ``raw``."""
        self.found("raw", table).delete(EqualTo(RUN_ID, self._run(day).run_id))

    def rows(self, layer: str, table: str, *columns: str) -> list[tuple[Any, ...]]:
        """Some columns of a table, sorted."""
        found = self.found(layer, table)
        return sorted((tuple(row[name] for name in columns) for row in found.scan().to_arrow().to_pylist()), key=str)

    def found(self, layer: str, table: str) -> Table:
        """A table as the catalog describes it."""
        found = raw.find(self.name, layer, table)
        assert found is not None
        return found

    def columns(self, layer: str, table: str) -> list[str]:
        """Names of a table's columns."""
        return [field.name for field in self.found(layer, table).schema().fields]
