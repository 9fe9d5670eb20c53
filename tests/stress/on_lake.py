"""Faults of the lake: what runs find in the sources, and what no run brings forward. Each is really so in the lake."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from ruamel.yaml import YAML

from lake.ledger import receipts
from lake.platform import sql
from lake.runtime.pair import Pair
from lake.settings import PROJECT, settings
from lake.shop.database import connect as as_shop
from lake.shop.replica import wait_for_replica
from tests.stress.on_databases import ask, until
from tests.stress.stage import Stage

COMMAND_SECONDS = 1200
FLOOD = 200
CRM = "crm"
"""A source beside the shop, on the second server."""

OLD, YOUNG = "inventory", "campaigns"
"""Tables of the shop: one that may be a minute old, one that may be a day old."""

SHORN, RENAMED, FLOODED, DIVERGED = "reviews", "clickstream", "order_items", "stores"
PILED = "history.stress_piled"
PILED_FILES, PILED_DELETES = 60, 7

one_at_a_time = threading.RLock()
"""Held by who runs the pipeline, or takes away what a run would ask."""


def lake(*arguments: str, may_fail: bool = False) -> str:
    """Run the command as a person does; what it printed.

    Raises:
        AssertionError: it failed, and may not.
    """
    command = [str(PROJECT / ".venv/bin/lake"), *arguments]
    with one_at_a_time:
        done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_SECONDS, cwd=PROJECT)
    assert may_fail or done.returncode == 0, (done.stdout + done.stderr)[-1000:]
    return done.stdout + done.stderr


# -- the lake before anything goes wrong
def prepare(shop: Pair, second: Pair | None) -> None:
    """A small shop, and a source beside it, published; some of their tables may not get old."""
    _edit(OLD, stale_after_minutes=1)
    _edit(YOUNG, stale_after_minutes=1440)
    # Of a row that is gone no increment of this kind hears.
    _edit(SHORN, increment="cursor")
    lake("shop", "load", "--replace", "--sample", "0.02")
    if second:
        _make_crm(second)
    lake("run", "--full")


def _make_crm(pair: Pair) -> None:
    ask(
        pair.primary_port,
        f"DROP DATABASE IF EXISTS {CRM}",
        f"CREATE DATABASE {CRM}",
        f"CREATE TABLE {CRM}.leads (id INT PRIMARY KEY, name VARCHAR(20) NOT NULL, updated_at DATETIME(6) NOT NULL)",
        f"INSERT INTO {CRM}.leads VALUES (1, 'a', now(6)), (2, 'b', now(6))",
        f"GRANT SELECT, SHOW VIEW ON {CRM}.* TO lake_reader",
    )
    until(lambda: CRM in str(ask(pair.replica_port, "SHOW GRANTS FOR lake_reader")))
    password = settings().source_password.get_secret_value()
    lake("add-source", f"mysql://lake_reader:{password}@127.0.0.1:{pair.replica_port}/{CRM}", "--name", CRM)
    lake("add-table", "--all", "--source", CRM)
    _edit(f"{CRM}_leads", CRM, stale_after_minutes=1)


def _edit(table: str, source: str = "shop", **entries: Any) -> None:
    """Change a contract, as a person does."""
    file, yaml = settings().contracts / source / f"{table}.yml", YAML()
    yaml.width = 1000
    document = yaml.load(file)
    document.update(entries)
    with file.open("w") as stream:
        yaml.dump(document, stream)


def _in_shop(*statements: str) -> None:
    """Change the shop, and wait until its replica has it."""
    config = settings()
    primary = as_shop(
        config.shop_host,
        config.shop_port,
        config.shop_user,
        config.shop_password.get_secret_value(),
        config.source_database,
    )
    with primary as connection:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
        connection.commit()
        wait_for_replica(connection)


# -- what goes wrong
def alone(strike: Callable[[Stage], Any]) -> Callable[[Stage], Any]:
    """A fault that no run is to meet."""

    @contextmanager
    def struck(stage: Stage) -> Iterator[float]:
        with one_at_a_time:
            began = time.time()
            with strike(stage):
                yield began

    return struck


@contextmanager
def not_read(stage: Stage) -> Iterator[float]:
    """No run brings the lake forward. Mended as the runbook says."""
    # By a run that finds nothing new all tables are young: the first one takes longer than they may be old.
    lake("run")
    yield datetime.fromisoformat(receipts.latest().source_instant).timestamp()
    lake("run")


@contextmanager
def spoilt(stage: Stage) -> Iterator[float]:
    """Rows that break a rule, and a column that has another name. Mended in the source, and in the contract."""
    began = time.time()
    _in_shop(
        f"UPDATE {FLOODED} SET quantity = -quantity WHERE quantity > 0 ORDER BY order_item_id LIMIT {FLOOD}",
        f"ALTER TABLE {RENAMED} RENAME COLUMN properties TO details",
    )
    lake("run", "--table", FLOODED, "--table", RENAMED)
    yield began
    _in_shop(f"UPDATE {FLOODED} SET quantity = -quantity WHERE quantity < 0")
    file, yaml = settings().contracts / "shop" / f"{RENAMED}.yml", YAML()
    columns = yaml.load(file)["columns"]
    columns["properties"]["source_name"] = "details"
    _edit(RENAMED, columns=columns)
    lake("run", "--table", FLOODED, "--table", RENAMED)


@contextmanager
def shorn(stage: Stage) -> Iterator[float]:
    """A row is gone of which no increment hears. Mended as the runbook says."""
    began = time.time()
    _in_shop(f"DELETE FROM {SHORN} LIMIT 1", f"UPDATE {SHORN} SET title = concat(title, '!') LIMIT 1")
    said = lake("run", "--table", SHORN, may_fail=True)
    assert "stop the publish" in said, said[-500:]
    yield began
    lake("run", "--full", "--table", SHORN)


def diverged(pair: Pair) -> Callable[[Stage], Any]:
    """A row on the replica, and so in the lake, is another than the primary's. Mended as the runbook says."""

    @contextmanager
    def strike(stage: Stage) -> Iterator[float]:
        began = time.time()
        table = f"{settings().source_database}.{DIVERGED}"
        ((key, city),) = ask(pair.primary_port, f"SELECT store_id, city FROM {table} LIMIT 1")
        change = "UPDATE {} SET city = {!r}, updated_at = updated_at WHERE store_id = {}"
        ask(pair.replica_port, "SET sql_log_bin = 0", change.format(table, "elsewhere", key))
        lake("run", "--full", "--table", DIVERGED)
        lake("parity", DIVERGED, "--against", "primary", may_fail=True)
        yield began
        ask(pair.replica_port, "SET sql_log_bin = 0", change.format(table, city, key))
        lake("parity", DIVERGED, "--repair", may_fail=True)
        lake("run", "--table", DIVERGED)
        lake("parity", DIVERGED, "--against", "primary")

    return strike


@contextmanager
def piled(stage: Stage) -> Iterator[float]:
    """Deletes that nobody has folded. Mended as the runbook says."""
    began = time.time()
    with one_at_a_time:
        sql.query(f"DROP TABLE IF EXISTS {PILED}")
        sql.query(
            f"CREATE TABLE {PILED} WITH (partitioning = ARRAY['part']) AS SELECT part, n"
            f" FROM UNNEST(sequence(1, {PILED_FILES})) AS parts(part) CROSS JOIN UNNEST(sequence(1, 100)) AS ns(n)"
        )
        for number in range(1, PILED_DELETES + 1):
            sql.query(f"DELETE FROM {PILED} WHERE n = {number}")
    try:
        yield began
        lake("maintenance")
    finally:
        stage.stack.callback(sql.query, f"DROP TABLE IF EXISTS {PILED}")
