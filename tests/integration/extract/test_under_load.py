"""Whole extractions while the source is written to all the time: each is one state, each increment its own view."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lake.changes.strategy import State
from lake.contracts import Contract
from lake.extract import extract
from lake.extract.extract import Request
from lake.extract.manifest import Manifest, Part
from lake.platform import storage
from lake.settings import settings
from lake.source import client, snapshot
from lake.source.snapshot import View
from lake.source.sources import Source
from tests.integration.extract.transfers import ACCOUNTS, EACH, TABLES, TOTAL

Sql = Callable[[str], list[tuple[Any, ...]]]
State_ = dict[str, dict[int, int]]
"""Table -> account -> what it holds."""


class NotAsked:
    """A lake that no increment by the binlog asks for anything."""

    def rows(self, ranges: Sequence[Any], columns: Sequence[str]) -> Iterable[pa.RecordBatch]:
        raise AssertionError("the lake is not asked for rows")

    def since(self, instant: datetime) -> pa.Table:
        raise AssertionError("the lake is not asked for rows")


@pytest.fixture
def accounts(origin: Source, run_sql: Sql, contract_of: Callable[[str], Contract]) -> list[Contract]:
    """Eight tables of accounts."""
    rows = ", ".join(f"({number}, {EACH})" for number in range(ACCOUNTS))
    for table in TABLES:
        run_sql(f"CREATE TABLE {table} (id BIGINT PRIMARY KEY, held BIGINT NOT NULL)")
        run_sql(f"INSERT INTO {table} VALUES {rows}")
    return [contract_of(table) for table in TABLES]


@contextmanager
def transfers(origin: Source, writers: int, pause: float) -> Iterator[list[float]]:
    """Writers in processes of their own; when they have ended, the list holds the commits a second of each."""
    program = [sys.executable, str(Path(__file__).with_name("transfers.py")), origin.host, str(origin.port)]
    environment = {**os.environ, "TRANSFERS_PASSWORD": origin.password.get_secret_value()}
    running = [
        subprocess.Popen(
            [*program, origin.user, origin.database, str(seed), str(pause)],
            env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for seed in range(writers)
    ]  # fmt: skip
    rates: list[float] = []
    try:
        yield rates
        rates += [float(process.communicate(timeout=60)[0]) for process in running]
    finally:
        for process in running:
            process.kill()
            process.wait(timeout=60)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[list[State_]]:
    """Of every snapshot what each of its connections shows, by plain SQL."""
    found: list[list[State_]] = []
    real = snapshot.consistent

    def state(connection: Any) -> State_:
        return {
            table: {row["id"]: row["held"] for row in client.fetch(connection, f"SELECT id, held FROM {table}")}
            for table in TABLES
        }

    @contextmanager
    def watched(*arguments: Any) -> Iterator[View]:
        with real(*arguments) as view:
            found.append([state(connection) for connection in view.connections])
            yield view

    monkeypatch.setattr(snapshot, "consistent", watched)
    return found


def applied(held: dict[int, int], manifest: Manifest) -> dict[int, int]:
    """The table after a run: all that it read, or what was held with the increment upon it."""

    def rows(parts: list[Part]) -> Iterator[dict[str, Any]]:
        for part in parts:
            yield from pq.read_table(storage.path_of(part.uri), filesystem=storage.filesystem()).to_pylist()

    kept = dict(held) if manifest.mode == "increment" else {}
    for row in rows(manifest.deletes):
        kept.pop(row["id"], None)
    return kept | {row["id"]: row["held"] for row in rows(manifest.parts)}


@pytest.mark.parametrize(
    ("extractions", "writers", "pause", "least"),
    [pytest.param(3, 2, 0.1, 20, id="short"), pytest.param(50, 4, 0.005, 500, id="long", marks=pytest.mark.slow)],
)
def test_every_extraction_is_one_state_and_every_increment_is_its_own_view(
    extractions: int, writers: int, pause: float, least: float,
    accounts: list[Contract], origin: Source, seen: list[list[State_]], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("LAKE_SOURCE_CONNECTIONS", "4")
    settings.cache_clear()
    held: State_ = {table: {} for table in TABLES}
    states: dict[str, State | None] = dict.fromkeys(TABLES)
    ways: set[str] = set()
    with transfers(origin, writers, pause) as rates:
        for number in range(extractions):
            requests = [Request(contract, states[contract.table], NotAsked()) for contract in accounts]
            found = extract.extract(origin, requests, f"r{number}")
            shown = seen[-1]
            assert len(shown) == 4, found[0].snapshot
            assert all(one == shown[0] for one in shown), f"extraction {number}: {found[0].snapshot}"
            assert sum(sum(rows.values()) for rows in shown[0].values()) == TOTAL
            for manifest in found:
                held[manifest.table] = applied(held[manifest.table], manifest)
                assert held[manifest.table] == shown[0][manifest.table], f"extraction {number}: {manifest}"
                assert manifest.source_rows == len(held[manifest.table])
                states[manifest.table] = State.from_json(manifest.state)
            ways |= {manifest.way for manifest in found} if number else set()
    settings.cache_clear()
    assert ways == {"binlog"}
    assert sum(rates) >= least, "the writers were too slow to prove anything"
