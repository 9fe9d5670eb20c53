"""A Spark Connect session that sees the lake at one branch."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from lake.contracts import Contract
from lake.layers import raw
from lake.platform import catalog
from lake.run import Run
from lake.settings import settings

FEW = 500_000
"""Rows that Spark may hold in memory whole to join a larger table with them."""

TABLES_AT_ONCE = 4
"""Tables that one session works on: most of a small table's time is planning and round trips."""


def connect() -> SparkSession:
    """A new session on the Spark Connect server; the caller stops it."""
    return SparkSession.builder.remote(settings().spark_remote).create()  # type: ignore[no-any-return]


class Lake:
    """The tables of a run's branch, for one session."""

    def __init__(self, spark: SparkSession, run: Run) -> None:
        self.spark = spark
        self.run = run
        # What the optimizer infers from conditions grows exponentially with them, and a contract's rules are conditions
        # on every column: with 20 of them it came to no end. All that it would infer is that keys are not NULL.
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
        self._show(name, f"{catalog.MAIN}@{self.run.base}")
        return self.spark.table(f"`{name}`.`{layer}`.`{table}`")

    def exists(self, layer: str, table: str) -> bool:
        """Whether the branch has the table."""
        return f"{layer}.{table}" in self._tables

    def ensure(
        self, layer: str, table: str, columns: dict[str, str], partition: str = "", properties: str = ""
    ) -> None:
        """Create the table with these columns, or add those of them that it lacks and widen those that have grown.

        Args:
            columns: name -> SQL type, as `columns_of` tells them.
            partition: a partition transform such as ``months(order_date)``.
            properties: further table properties, as in ``TBLPROPERTIES``.
        """
        name = self.name(layer, table)
        if not self.exists(layer, table):
            listed = ", ".join(f"`{column}` {kind}" for column, kind in columns.items())
            by = f"PARTITIONED BY ({partition})" if partition else ""
            extra = f", {properties}" if properties else ""
            self.spark.sql(
                f"CREATE TABLE {name} ({listed}) USING iceberg {by} TBLPROPERTIES ({TABLE_PROPERTIES}{extra})"
            )
            self._tables.add(f"{layer}.{table}")
            return
        have = columns_of(self.table(layer, table))
        missing = ", ".join(f"`{column}` {kind}" for column, kind in columns.items() if column not in have)
        if missing:
            self.spark.sql(f"ALTER TABLE {name} ADD COLUMNS ({missing})")
        for column, kind in columns.items():
            # What cannot be widened the raw layer has refused before.
            if have.get(column, kind) != kind:
                self.spark.sql(f"ALTER TABLE {name} ALTER COLUMN `{column}` TYPE {kind}")

    def replace_rows(self, layer: str, table: str, rows: DataFrame) -> int:
        """Replace the content of a table in one commit and return how many rows it has now."""
        rows.writeTo(self.name(layer, table)).overwrite(F.lit(True))
        return self.count(layer, table)

    def replace_keys(
        self, layer: str, table: str, key: list[str], outdated: DataFrame, rows: DataFrame, count: int
    ) -> None:
        """Delete the rows with some keys and append others. Repeating both ends in the same table.

        Not one MERGE: that brings the whole table into the order of the key to find a few rows in it.

        Args:
            outdated: the columns of ``key``, once or several times each.
            count: how many rows ``outdated`` and ``rows`` have, at most.
        """
        view = f"outdated_{layer}_{table}"
        small(outdated, count).createOrReplaceTempView(view)
        columns = ", ".join(f"`{name}`" for name in key)
        self.spark.sql(f"DELETE FROM {self.name(layer, table)} WHERE ({columns}) IN (SELECT {columns} FROM {view})")
        if count <= FEW:
            # One file a run and partition, not one for each part that Spark cut its input into. Not `coalesce`, which
            # would have the input read in one part too.
            rows = rows.repartition(1)
        rows.writeTo(self.name(layer, table)).append()

    def count(self, layer: str, table: str) -> int:
        """Rows of a table that has no row-level deletes, from its metadata: no data is read."""
        return raw.row_count(self.run.branch, layer, table)


def small(rows: DataFrame, count: int, few: int = FEW) -> DataFrame:
    """The rows, marked to be sent to wherever they are joined, if they are few enough for that."""
    return F.broadcast(rows) if count <= few else rows


def union(parts: list[DataFrame]) -> DataFrame:
    """The rows of all parts, which have the same columns. By `DataFrame.unionAll` each part would be a level deeper."""
    named = {f"part_{i}": part for i, part in enumerate(parts)}
    query = " UNION ALL ".join(f"SELECT * FROM {{{name}}}" for name in named)
    return parts[0].sparkSession.sql(query, **named)


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
    return F.struct(*exact)


def columns_of(rows: DataFrame) -> dict[str, str]:
    """Names and SQL types of the columns. Each DataFrame that is asked costs a round trip and an analysis of a plan."""
    return {field.name: field.dataType.simpleString() for field in rows.schema.fields}


# Row-level changes are written beside the data and merged on reading: an increment costs what it changes, not what
# the table holds. Data is neither shuffled nor sorted before it is written.
TABLE_PROPERTIES = (
    "'format-version'='2', 'write.merge.mode'='merge-on-read', 'write.delete.mode'='merge-on-read', "
    "'write.update.mode'='merge-on-read', 'write.distribution-mode'='none', 'write.spark.fanout.enabled'='true', "
    "'write.merge.distribution-mode'='none', 'write.parquet.compression-codec'='zstd', "
    "'write.parquet.compression-level'='1'"
)
