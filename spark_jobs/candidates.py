"""Which rows of a table a run has to judge, and which parent keys exist for them to point at.

Both are functions of the branch as it is, not of the order in which tables are worked on: a table's parents are judged
again where it needs them, so tables can be cleaned in parallel and in any order with the same outcome.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lake.contracts import EXTRACTED_AT, OPERATION, RUN_ID, Contract
from lake.extract.extract import DELETE, READ
from spark_jobs import rules
from spark_jobs.session import Lake


@dataclass(frozen=True)
class Work:
    """What a run found.

    Attributes:
        full: tables that this run read whole.
        touched: tables of which this run read a row or found one deleted.
        waiting: tables with rows in quarantine.
    """

    full: set[str]
    touched: set[str]
    waiting: set[str]


class Candidates:
    """The rows that a run judges, per table."""

    def __init__(self, lake: Lake, contracts: dict[str, Contract], work: Work) -> None:
        self._lake = lake
        self._contracts = contracts
        self._full = work.full
        self._touched = work.touched
        self._waiting = work.waiting
        self._gone: dict[str, DataFrame | None] = {}

    def needs_work(self, table: str) -> bool:
        """Whether any row of the table has to be judged in this run."""
        parents = {parent for parent, _ in self._contracts[table].references.values()}
        if table in self._touched | self._full | self._waiting:
            return True
        return any(parent in self._full or self._gone_keys(parent) is not None for parent in parents)

    def new_rows(self, table: str) -> DataFrame:
        """What the run read or found deleted: the contract's columns, the marks and the operation."""
        raw = self._lake.table("raw", table).where(F.col(RUN_ID) == self._lake.run.run_id)
        return raw.select(*self._columns(table), OPERATION)

    def rows(self, table: str) -> DataFrame:
        """Every row to be judged: new ones, those waiting in quarantine, and those whose parent has just gone."""
        contract, key = self._contracts[table], list(self._contracts[table].key)
        found = self.new_rows(table)
        if table in self._full:
            return found
        marks = {RUN_ID: F.lit(self._lake.run.run_id), OPERATION: F.lit(READ)}
        again = []
        # Asked of the table as it is, because a try that was killed may have put rows there.
        if self._lake.has_rows("quarantine", table):
            again.append(self._lake.table("quarantine", table).withColumns(marks))
        for column, (parent, parent_column) in contract.references.items():
            again += [held.withColumns(marks) for held in self._orphaned(table, column, parent, parent_column)]
        if not again:
            return found
        older = reduce(DataFrame.unionAll, [rows.select(*self._columns(table), OPERATION) for rows in again])
        return found.unionAll(
            older.dropDuplicates(key).join(found.select(*key), key, "left_anti").select(*found.columns)
        )

    def _orphaned(self, table: str, column: str, parent: str, parent_column: str) -> list[DataFrame]:
        """Rows held that point at a parent which leaves in this run; as a list of one, or none."""
        if not self._lake.exists("cleaned", table):
            return []
        held = self._lake.table("cleaned", table)
        if parent in self._full:
            valid = self._parent_keys(parent).select(F.col(f"`{parent_column}`").alias("_valid"))
            pointing = held.where(F.col(f"`{column}`").isNotNull())
            return [pointing.join(valid, F.col(f"`{column}`") == F.col("_valid"), "left_anti")]
        gone = self._gone_keys(parent)
        if gone is None:
            return []
        gone = gone.select(F.col(f"`{parent_column}`").alias("_gone"))
        return [held.join(gone, F.col(f"`{column}`") == F.col("_gone"), "left_semi")]

    def judged(self, table: str) -> DataFrame:
        """The rows to be judged that still exist in the source, with their reasons."""
        existing = self.rows(table).where(F.col(OPERATION) != DELETE).drop(OPERATION)
        references = self._contracts[table].references
        parents = {column: self._parent_keys(parent) for column, (parent, _) in references.items()}
        return rules.judge(existing, self._contracts[table], parents)

    def _parent_keys(self, parent: str) -> DataFrame:
        """Keys of a parent table that are valid after this run: held and not judged again, or judged valid."""
        key = list(self._contracts[parent].key)
        if not self._lake.exists("cleaned", parent) or parent in self._full:
            return rules.valid(self.judged(parent)).select(*key)
        held = self._lake.table("cleaned", parent).select(*key)
        if not self.needs_work(parent):
            return held
        kept = held.join(self.rows(parent).select(*key), key, "left_anti")
        return kept.unionAll(rules.valid(self.judged(parent)).select(*key))

    def _gone_keys(self, table: str) -> DataFrame | None:
        """Keys that leave ``cleaned.<table>`` in this run, deleted or refused; nothing if none does."""
        if table in self._full:
            return None
        if table not in self._gone:
            self._gone[table] = None
            if self.needs_work(table):
                key = list(self._contracts[table].key)
                deleted = self.rows(table).where(F.col(OPERATION) == DELETE).select(*key)
                gone = deleted.unionAll(rules.refused(self.judged(table)).select(*key))
                self._gone[table] = None if gone.isEmpty() else gone
        return self._gone[table]

    def _columns(self, table: str) -> list[str]:
        return [*self._contracts[table].schema.names, RUN_ID, EXTRACTED_AT]
