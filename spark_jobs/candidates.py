"""Which rows of a table a run has to judge.

Parents are cleaned before the tables that point at them, so the keys that exist are those that ``cleaned`` holds.
"""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lake.contracts import DELETE, EXTRACTED_AT, OPERATION, PROBLEMS, READ, RUN_ID, Contract
from spark_jobs import rules
from spark_jobs.session import Lake, small, union

FEW_KEYS = 2_000_000
"""Keys of a parent that Spark may hold in memory whole."""


@dataclass(frozen=True)
class Work:
    """What a run found.

    Attributes:
        read: rows that this run read, per table.
        full: tables that this run read whole.
        touched: tables of which this run read a row or found one deleted.
        waiting: tables with rows in quarantine.
    """

    read: dict[str, int]
    full: set[str]
    touched: set[str]
    waiting: set[str]


class Candidates:
    """The rows of one table that a run judges.

    Args:
        lost: parents that may have lost rows in this run: those with a row deleted or refused, and those read whole.
    """

    def __init__(self, lake: Lake, contract: Contract, work: Work, lost: set[str]) -> None:
        self._lake = lake
        self._contract = contract
        self._work = work
        self._lost = {column: parent for column, parent in contract.references.items() if parent[0] in lost}
        self.is_full = contract.table in work.full

    def exist(self) -> bool:
        """Whether any row has to be judged in this run."""
        work = self._work
        return bool(self._lost) or self._contract.table in work.touched | work.full | work.waiting

    def new_rows(self) -> DataFrame:
        """What the run read or found deleted: the contract's columns, the reader's problems, the marks and the
        operation."""
        raw = self._lake.table("raw", self._contract.table).where(F.col(RUN_ID) == self._lake.run.run_id)
        return _with_problems(raw).select(*self._columns, OPERATION)

    def judged(self) -> DataFrame:
        """The rows to be judged that still exist in the source, with their reasons."""
        existing = self._rows().where(F.col(OPERATION) != DELETE).drop(OPERATION)
        references = self._contract.references.items()
        return rules.judge(existing, self._contract, {column: self._keys(*parent) for column, parent in references})

    def _rows(self) -> DataFrame:
        """New rows, those waiting in quarantine, and those whose parent has gone."""
        found, key = self.new_rows(), list(self._contract.key)
        if self.is_full:
            return found
        marks = {RUN_ID: F.lit(self._lake.run.run_id), OPERATION: F.lit(READ)}
        again = [self._orphaned(column, *parent) for column, parent in self._lost.items()]
        # Asked of the table as it is, because a try that was killed may have put rows there.
        if self._lake.count("quarantine", self._contract.table):
            again.append(self._lake.table("quarantine", self._contract.table))
        if not again:
            return found
        older = [_with_problems(rows).withColumns(marks).select(*self._columns, OPERATION) for rows in again]
        once = union(older).dropDuplicates(key)
        return found.unionAll(once.join(found.select(*key), key, "left_anti").select(*found.columns))

    def _orphaned(self, column: str, parent: str, parent_column: str) -> DataFrame:
        """Rows held that point at a parent which ``cleaned`` has no more."""
        held = self._lake.table("cleaned", self._contract.table).where(F.col(f"`{column}`").isNotNull())
        return held.join(self._keys(parent, parent_column), F.col(f"`{column}`") == F.col("_parent"), "left_anti")

    def _keys(self, parent: str, column: str) -> DataFrame:
        keys = self._lake.table("cleaned", parent).select(F.col(f"`{column}`").alias("_parent"))
        return small(keys, self._lake.count("cleaned", parent), FEW_KEYS)

    @property
    def _columns(self) -> list[str]:
        return [*self._contract.read_schema.names, RUN_ID, EXTRACTED_AT]


def _with_problems(rows: DataFrame) -> DataFrame:
    """With the reader's problems, of which a row of ``cleaned`` has none and an old table has no column."""
    return rows if PROBLEMS in rows.columns else rows.withColumn(PROBLEMS, F.lit(None).cast("string"))
