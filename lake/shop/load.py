"""Filling an empty database with the shop."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import pyarrow as pa
from pymysql.connections import Connection

from lake.errors import LakeError, SourceError
from lake.shop import tsv
from lake.shop.build import TABLES, build, copies
from lake.shop.database import LOADED, exclusive, marker, speaking, value

LOADING = "shoplake demo: loading"
"""How the comment on ``orders`` begins that schema.sql sets; the end of a load makes `LOADED` of it."""

BATCH_ROWS = 150_000
"""Rows per transaction: small enough for the replica to apply one while the next is being loaded."""

ORPHANS = (
    ("orders", "customer_id", "customers"),
    ("orders", "store_id", "stores"),
    ("order_items", "order_id", "orders"),
    ("order_items", "product_id", "products"),
    ("payments", "order_id", "orders"),
    ("refunds", "order_id", "orders"),
    ("shipments", "order_id", "orders"),
    ("products", "category_id", "categories"),
    ("coupons", "product_id", "products"),
    ("clickstream", "customer_id", "customers"),
    ("clickstream", "product_id", "products"),
    ("reviews", "customer_id", "customers"),
)
"""Foreign keys that are counted after the load, during which the server did not look at them."""


@dataclass(frozen=True)
class LoadSummary:
    """What a load did.

    Attributes:
        rows: rows per table; empty when the shop was there already.
        seconds: wall time, without the wait for the replica.
        is_new: False when the shop was there already and was left alone.
        description: the comment that the shop carries: its anchor, seed, sample and scale.
    """

    rows: dict[str, int]
    seconds: float
    is_new: bool
    description: str


def load(
    connection: Connection[Any],
    anchor: date,
    seed: int = 1,
    sample: float = 1.0,
    scale: int = 1,
    replace: bool = False,
    progress: Callable[[str, int], None] = lambda table, rows: None,
) -> LoadSummary:
    """Create the schema in the connection's database and load every table.

    A shop that is there already is left alone unless ``replace`` is given; one whose load was interrupted is begun
    again.

    Args:
        anchor: everything happened before this day (UTC); today at the latest.
        sample: fraction of the customers to keep, above 0 and at most 1.
        scale: how many times orders, their items, payments and shipments are repeated.
        progress: called with a table's name and the rows just loaded.

    Raises:
        LakeError: when an argument is out of range, or a foreign key does not hold afterwards.
        SourceError: when the database refuses us, or holds an ``orders`` table that is not the demo's.
        ServiceError: when another load or tick is at work.
    """
    _check_arguments(anchor, seed, sample, scale)
    started = time.monotonic()
    with speaking(connection), exclusive(connection):
        today = value(connection, "SELECT UTC_DATE()")
        if anchor > today:
            raise LakeError(
                f"anchor {anchor} lies after the database's today, {today}: orders would lie in the future",
                "choose today or an earlier day",
            )
        found = marker(connection)
        if found is not None and not replace:
            if found.startswith(LOADED):
                return LoadSummary({}, 0.0, is_new=False, description=found)
            if not found.startswith(LOADING):
                raise SourceError(
                    f"database {str(connection.db)!r} holds a table orders that `lake shop load` did not make",
                    "let LAKE_SOURCE_DATABASE name another database, or drop the tables with --replace",
                )
        description = f"{LOADED}, anchor {anchor}, seed {seed}, sample {sample:g}, scale {scale}"
        tables = build(anchor, seed, sample)
        _create_schema(connection)
        rows = _load_tables(connection, tables, scale, progress)
        _check_foreign_keys(connection)
        _run(connection, f"ALTER TABLE orders COMMENT = '{description}'")
    return LoadSummary(rows, time.monotonic() - started, is_new=True, description=description)


def _check_arguments(anchor: date, seed: int, sample: float, scale: int) -> None:
    if anchor.year < 1980:
        raise LakeError(f"anchor {anchor} is too early", "choose a day from 1980-01-01 to today")
    if not 0 < sample <= 1:
        raise LakeError(f"sample {sample:g} is not a fraction of the customers", "give a number above 0, at most 1")
    if not 1 <= scale <= 1000:
        raise LakeError(f"scale {scale} is not a number of copies", "give a whole number from 1 to 1000")
    if seed < 0:
        raise LakeError(f"seed {seed} is negative", "give a whole number from 0 on")


def _create_schema(connection: Connection[Any]) -> None:
    """Drop the shop's tables where they exist, and create them empty."""
    script = files("lake.shop").joinpath("schema.sql").read_text(encoding="utf-8")
    lines = [line for line in script.splitlines() if not line.startswith("--")]
    _run(connection, "SET foreign_key_checks = 0")
    _run(connection, f"DROP TABLE IF EXISTS {', '.join(reversed(TABLES))}")
    for statement in "\n".join(lines).split(";\n"):
        if statement.strip(" ;\n"):
            _run(connection, statement)


def _load_tables(
    connection: Connection[Any], tables: dict[str, pa.Table], scale: int, progress: Callable[[str, int], None]
) -> dict[str, int]:
    """Load every table in batches; while the server takes one, the text of the next is being written."""
    # Switched off for speed, and looked at afterwards: see _check_foreign_keys. Generated keys are given, from 1.
    _run(connection, "SET foreign_key_checks = 0, unique_checks = 0")
    rows = dict.fromkeys(tables, 0)
    batches = (
        (name, copy.slice(start, BATCH_ROWS))
        for name in tables
        for copy in copies(name, tables, scale)
        for start in range(0, copy.num_rows, BATCH_ROWS)
    )
    with tempfile.TemporaryDirectory(prefix="shoplake-") as folder, ThreadPoolExecutor(max_workers=1) as writer:

        def write(number: int, batch: pa.Table) -> Path:
            path = Path(folder) / f"{number}.tsv"
            tsv.write(batch, path)
            return path

        def take(name: str, batch: pa.Table, path: Path) -> None:
            statement = (
                f"LOAD DATA LOCAL INFILE %s INTO TABLE {name} CHARACTER SET utf8mb4 "
                f"FIELDS TERMINATED BY '\\t' ESCAPED BY '\\\\' LINES TERMINATED BY '\\n' "
                f"({', '.join(batch.column_names)})"
            )
            with connection.cursor() as cursor:
                taken = cursor.execute(statement, (str(path),))
                # LOCAL makes the server replace what does not fit by something that does, and only warn of it.
                cursor.execute("SHOW WARNINGS LIMIT 1")
                warning = cursor.fetchone()
            connection.commit()
            path.unlink()
            if warning or taken != batch.num_rows:
                raise SourceError(
                    f"table {name}: {taken} of {batch.num_rows} rows were taken: {warning[2] if warning else ''}",
                    "`lake shop load --replace` begins again; a full disk is the usual cause",
                )
            rows[name] += taken
            progress(name, taken)

        waiting = None
        for number, (name, batch) in enumerate(batches):
            coming = (name, batch, writer.submit(write, number, batch))
            if waiting:
                take(waiting[0], waiting[1], waiting[2].result())
            waiting = coming
        if waiting:
            take(waiting[0], waiting[1], waiting[2].result())
    _run(connection, "SET foreign_key_checks = 1, unique_checks = 1")
    return rows


def _check_foreign_keys(connection: Connection[Any]) -> None:
    for child, column, parent in ORPHANS:
        parent_key = "category_id" if parent == "categories" else f"{parent[:-1]}_id"
        query = (
            f"SELECT COUNT(*) FROM (SELECT DISTINCT {column} FROM {child} WHERE {column} IS NOT NULL) AS used "
            f"LEFT JOIN {parent} ON {parent}.{parent_key} = used.{column} WHERE {parent}.{parent_key} IS NULL"
        )
        orphans = value(connection, query)
        if orphans:
            raise LakeError(
                f"{child}.{column} names {orphans} {parent} that do not exist",
                "begin again with `lake shop load --replace`; if it stays, the dataset is damaged: reinstall it",
            )


def _run(connection: Connection[Any], statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
    connection.commit()
