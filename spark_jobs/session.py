"""A Spark Connect session that sees the lake at one branch."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from lake.contracts import Contract
from lake.contracts.types import ColumnType
from lake.layers import layout, raw
from lake.platform import catalog
from lake.run import Run
from lake.settings import settings
from spark_jobs.bounds import Bounds

FEW = 500_000
"""Rows that are written as one file."""

SMALL_BYTES = 64 << 20
"""What Spark may hold in memory whole, in every task, to join a larger table with it."""

ROW_OVERHEAD_BYTES = 24
LONGEST_KEY_BYTES = 3072
"""What InnoDB allows."""

TABLES_AT_ONCE = 4
"""Tables that one session works on: most of a small table's time is planning and round trips."""


def connect() -> SparkSession:
    """A new session on the Spark Connect server; the caller stops it."""
    return SparkSession.builder.remote(settings().spark_remote).create()


def disconnect(spark: SparkSession) -> None:
    """End a session.

    What is left of one is closed once more when Python throws it away, at any time and in any thread. Spark's client
    then shuts down the threads that all sessions share and waits for them: one of those threads, of itself, and for
    ever. So there is nothing left to close.
    """
    spark.stop()
    spark.client.close = lambda: None


class Lake:
    """The tables of a run's branch, for one session."""

    def __init__(self, spark: SparkSession, run: Run) -> None:
        self.spark = spark
        self.run = run
        # What the optimizer infers from conditions may grow exponentially with them, and a contract's rules are
        # conditions on every column. Flat plans came through with it too; all that is lost is that keys are not NULL.
        spark.conf.set("spark.sql.constraintPropagation.enabled", "false")
        self._show(run.branch, run.branch)
        self._tables = set(catalog.tables(run.branch))

    def _show(self, name: str, reference: str) -> None:
        for key, value in catalog.spark_configuration(name, reference).items():
            self.spark.conf.set(key, value)

    def name(self, layer: str, table: str) -> str:
        """Full name of a table in SQL."""
        return f"`{self.run.branch}`.`{layer}`.`{table}`"

    def table(self, layer: str, table: str) -> DataFrame:
        """A table as it is on the branch now."""
        return self.spark.table(self.name(layer, table))

    def before(self, layer: str, table: str) -> DataFrame:
        """A table as it was when the run began."""
        name = f"{self.run.branch}_base"
        self._show(name, self.run.base_reference)
        return self.spark.table(f"`{name}`.`{layer}`.`{table}`")

    def was_there(self, layer: str, table: str) -> bool:
        """Whether there was such a table when the run began."""
        return raw.find(self.run.base_reference, layer, table) is not None

    def exists(self, layer: str, table: str) -> bool:
        """Whether the branch has the table."""
        return f"{layer}.{table}" in self._tables

    def ensure(self, layer: str, table: str, columns: dict[str, str]) -> None:
        """Create the table with these columns, or add those of them that it lacks and widen those that have grown.

        Args:
            columns: name -> SQL type, as `columns_of` tells them.
        """
        name = self.name(layer, table)
        if not self.exists(layer, table):
            self.create_anew(layer, table, columns)
            return
        have = columns_of(self.table(layer, table))
        missing = ", ".join(f"`{column}` {kind}" for column, kind in columns.items() if column not in have)
        if missing:
            self.spark.sql(f"ALTER TABLE {name} ADD COLUMNS ({missing})")
        for column, kind in columns.items():
            # What cannot be widened the raw layer has refused before.
            if have.get(column, kind) != kind:
                self.spark.sql(f"ALTER TABLE {name} ALTER COLUMN `{column}` TYPE {kind}")

    def create_anew(self, layer: str, table: str, columns: dict[str, str], partition: str = "") -> None:
        """Create the table, empty and built by nothing yet, in place of the one that may be there.

        Args:
            columns: name -> SQL type, as `columns_of` tells them.
            partition: a partition transform such as ``months(order_date)``.
        """
        listed = ", ".join(f"`{column}` {kind}" for column, kind in columns.items())
        said = {"format-version": layout.FORMAT_VERSION, **layout.PROPERTIES}
        properties = ", ".join(f"'{name}'='{value}'" for name, value in said.items())
        by = f"PARTITIONED BY ({partition})" if partition else ""
        self.spark.sql(
            f"CREATE OR REPLACE TABLE {self.name(layer, table)} ({listed}) USING iceberg {by} "
            f"TBLPROPERTIES ({properties})"
        )
        self._tables.add(f"{layer}.{table}")

    def replace_rows(self, layer: str, table: str, rows: DataFrame) -> int:
        """Replace the content of a table in one commit and return how many rows it has now."""
        rows.writeTo(self.name(layer, table)).overwrite(F.lit(True))
        return self.count(layer, table)

    def delete_keys(self, layer: str, table: str, keys: DataFrame, bounds: Bounds) -> None:
        """Delete the rows with some keys, which may be named several times.

        With `append` in place of a MERGE, which brings the whole table into the order of the key to find a few rows.

        Args:
            bounds: between which all of the keys lie.
        """
        view = f"outdated_{layer}_{table}"
        keys.createOrReplaceTempView(view)
        columns = ", ".join(f"`{name}`" for name in keys.columns)
        is_one = f"({columns}) IN (SELECT {columns} FROM {view})"
        self.spark.sql(f"DELETE FROM {self.name(layer, table)} WHERE {bounds.sql} AND {is_one}")

    def append(self, layer: str, table: str, rows: DataFrame, count: int) -> int:
        """Add rows to a table in one commit; how many it says it added.

        Args:
            count: how many there are, at most.
        """
        if count <= FEW:
            # One file a run and partition, not one for each part that Spark cut its input into. Not `coalesce`, which
            # would have the input read in one part too.
            rows = rows.repartition(1)
        rows.writeTo(self.name(layer, table)).append()
        return raw.rows_added(self.run.branch, layer, table)

    def count(self, layer: str, table: str) -> int:
        """Rows of a table that has no row-level deletes, from its metadata: no data is read."""
        return raw.row_count(self.run.branch, layer, table)


def is_small(count: int, bytes_each: int) -> bool:
    """Whether so many rows of such a size may be sent to wherever they are joined."""
    return count * (bytes_each + ROW_OVERHEAD_BYTES) <= SMALL_BYTES


def small(rows: DataFrame, count: int, bytes_each: int) -> DataFrame:
    """The rows, marked to be sent to wherever they are joined, if they are small enough for that.

    Args:
        count: how many they are, at most.
        bytes_each: see `row_bytes`.
    """
    return F.broadcast(rows) if is_small(count, bytes_each) else rows


def row_bytes(contract: Contract, names: Iterable[str]) -> int:
    """Bytes of some columns of a row, which are a key: texts by their declared length, at a byte a character."""
    return sum(_value_bytes(contract.columns[name].parsed) for name in names)


def _value_bytes(column: ColumnType) -> int:
    if not (pa.types.is_string(column.arrow) or pa.types.is_binary(column.arrow)):
        return 16 if pa.types.is_decimal(column.arrow) else 8
    if column.labels:
        return max(map(len, column.labels))
    declared = re.search(r"\((\d+)\)", column.mysql)
    return int(declared[1]) if declared else LONGEST_KEY_BYTES


def one_value(contract: Contract, names: Iterable[str]) -> Column:
    """Some columns as one value, which equals another exactly where each column does; NULL equals NULL.

    It is one node of the plan for any number of columns. Comparisons joined by AND are as deep as they are many, and a
    message to Spark may nest 100 levels. A floating number goes by its text, for Spark holds -0.0 to be equal to 0.0,
    and the source does not.
    """
    kinds = {name: contract.schema.field(name).type for name in names}
    columns = {name: F.col(f"`{name}`") for name in kinds}
    exact = [
        columns[name].cast("string").alias(name) if pa.types.is_floating(kind) else columns[name]
        for name, kind in kinds.items()
    ]
    return F.struct(*exact) if exact else F.lit(True)


def columns_of(rows: DataFrame) -> dict[str, str]:
    """Names and SQL types of the columns. Each DataFrame that is asked costs a round trip and an analysis of a plan."""
    return {field.name: field.dataType.simpleString() for field in rows.schema.fields}
