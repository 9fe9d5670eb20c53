"""Which rows of a table a run has to judge.

Parents are cleaned before the tables that point at them, so the keys that exist are those that ``cleaned`` holds.
"""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lake.contracts import DELETE, EXTRACTED_AT, OPERATION, PROBLEMS, READ, RUN_ID, Contract
from lake.layers.work import Work
from spark_jobs import rules
from spark_jobs.session import Lake, row_bytes, small


class Candidates:
    """The rows of one table that a run judges.

    Args:
        lost: parents that may have lost rows in this run: those with a row deleted or refused, and those read whole.
    """

    def __init__(self, lake: Lake, contract: Contract, work: Work, lost: set[str]) -> None:
        self._lake = lake
        self._contract = contract
        self._work = work
        self._references = work.references(contract)
        self.landed = work.landed[contract.table]
        # Whoever was held until now has not heard which parents have lost rows meanwhile.
        lost = {parent for parent, _ in self._references.values()} if self.landed.was_held else lost
        self._lost = {column: parent for column, parent in self._references.items() if parent[0] in lost}

    def exist(self) -> bool:
        """Whether any row has to be judged in this run."""
        return bool(self._lost) or self._work.has_news(self._contract.table)

    def new_rows(self) -> DataFrame:
        """What the run read or found deleted: the contract's columns, the reader's problems, the marks and the
        operation."""
        raw = self._lake.table("raw", self._contract.table).where(F.col(RUN_ID) == self._lake.run.run_id)
        return _with_problems(raw).select(*self._columns, OPERATION)

    def judged(self) -> DataFrame:
        """The rows to be judged that still exist in the source, with their reasons."""
        existing = self._rows().where(F.col(OPERATION) != DELETE).drop(OPERATION)
        return rules.judge(existing, self._contract, self._parents(self._references))

    def _rows(self) -> DataFrame:
        """New rows, those waiting in quarantine, and those whose parent has gone; each key once."""
        rows, table, key = self.new_rows(), self._contract.table, list(self._contract.key)
        if self.landed.is_full:
            return rows
        again = []
        # Asked of the table as it is, because a try that was killed may have put rows there, and left them in cleaned.
        if self._lake.count("quarantine", table):
            again.append(_with_problems(self._lake.table("quarantine", table)))
        if self._lost:
            held = self._lake.table("cleaned", table).withColumn(PROBLEMS, F.lit(None).cast("string"))
            again.append(rules.orphaned(held, self._contract, self._parents(self._lost)))
        marks = {RUN_ID: F.lit(self._lake.run.run_id), OPERATION: F.lit(READ)}
        for older in again:
            marked = older.withColumns(marks).select(*rows.columns)
            rows = rows.unionAll(marked.join(rows.select(*key), key, "left_anti").select(*rows.columns))
        return rows

    def _parents(self, references: Mapping[str, tuple[str, str]]) -> dict[str, DataFrame]:
        return {column: self._keys(column, *parent) for column, parent in references.items()}

    def _keys(self, pointer: str, parent: str, column: str) -> DataFrame:
        """The keys of a parent that ``pointer``, a column of the table, may hold."""
        keys = self._lake.table("cleaned", parent).select(F.col(f"`{column}`").alias("_parent"))
        return small(keys, self._lake.count("cleaned", parent), row_bytes(self._contract, [pointer]))

    @property
    def _columns(self) -> list[str]:
        return [*self._contract.read_schema.names, RUN_ID, EXTRACTED_AT]


def _with_problems(rows: DataFrame) -> DataFrame:
    """With the reader's problems, for which an old table has no column."""
    return rows if PROBLEMS in rows.columns else rows.withColumn(PROBLEMS, F.lit(None).cast("string"))
