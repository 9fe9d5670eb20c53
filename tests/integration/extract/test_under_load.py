"""Whole extractions while the source is written to all the time: each is one state, each increment its own view."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lake.changes import increments
from lake.changes.increments import Moment
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


@dataclass(frozen=True)
class Extent:
    """How much is tried.

    Attributes:
        seconds: for which is written before each snapshot.
        pause: of each writer between two batches, in seconds.
        least: commits a second.
    """

    extractions: int
    writers: int
    seconds: float
    pause: float
    least: float


@pytest.fixture(
    params=[
        pytest.param(Extent(3, writers=2, seconds=0.1, pause=0.02, least=20), id="short"),
        pytest.param(Extent(50, writers=4, seconds=0.2, pause=0.002, least=500), id="long", marks=pytest.mark.slow),
    ]
)
def extent(request: pytest.FixtureRequest) -> Extent:
    """A few extractions in every test run, many in that of the slow ones."""
    found: Extent = request.param
    return found


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


class Writers:
    """Processes that move money as long as they may."""

    def __init__(self, origin: Source, number: int, pause: float) -> None:
        program = [sys.executable, str(Path(__file__).with_name("transfers.py")), origin.host, str(origin.port)]
        self._processes = [
            subprocess.Popen(
                [*program, origin.user, origin.database, str(seed), str(pause)],
                env={**os.environ, "TRANSFERS_PASSWORD": origin.password.get_secret_value()},
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )
            for seed in range(number)
        ]  # fmt: skip
        self._since = time.monotonic()
        self._seconds = 0.0

    def go_on(self) -> None:
        """Let them write."""
        self._since = time.monotonic()
        for process in self._processes:
            process.send_signal(signal.SIGCONT)

    def stand_still(self) -> None:
        """Stop them where they are, in the middle of transactions."""
        for process in self._processes:
            process.send_signal(signal.SIGSTOP)
        self._seconds += time.monotonic() - self._since

    def rate(self) -> float:
        """End them; how many transactions they committed a second while they might."""
        self.go_on()
        commits = sum(int(process.communicate(timeout=60)[0]) for process in self._processes)
        return commits / self._seconds

    def kill(self) -> None:
        """End them at once."""
        for process in self._processes:
            process.kill()
            process.wait(timeout=60)


@pytest.fixture
def writers(origin: Source, accounts: list[Contract], extent: Extent) -> Iterator[Writers]:
    """They write while views are opened and until it is known how far the binlog is to be read; not while it is read,
    since a slow machine would never come to its end."""
    started = Writers(origin, extent.writers, extent.pause)
    yield started
    started.kill()


@pytest.fixture
def seen(writers: Writers, extent: Extent, monkeypatch: pytest.MonkeyPatch) -> list[list[State_]]:
    """Of every snapshot what each of its connections shows, by plain SQL."""
    found: list[list[State_]] = []
    consistent, inside_snapshot = snapshot.consistent, increments.inside_snapshot

    @contextmanager
    def watched(*arguments: Any) -> Iterator[View]:
        writers.go_on()
        time.sleep(extent.seconds)
        with consistent(*arguments) as view:
            found.append([_state(connection) for connection in view.connections])
            yield view

    def then_stand_still(connection: Any, before: Moment) -> Moment:
        moment = inside_snapshot(connection, before)
        writers.stand_still()
        return moment

    monkeypatch.setattr(snapshot, "consistent", watched)
    monkeypatch.setattr(increments, "inside_snapshot", then_stand_still)
    return found


def _state(connection: Any) -> State_:
    return {
        table: {row["id"]: row["held"] for row in client.fetch(connection, f"SELECT id, held FROM {table}")}
        for table in TABLES
    }


def differences(left: dict[int, int], right: dict[int, int]) -> list[Any]:
    """Some of the accounts that differ."""
    return sorted(left.items() ^ right.items())[:5]


def applied(held: dict[int, int], manifest: Manifest) -> dict[int, int]:
    """The table after a run: all that it read, or what was held with the increment upon it."""

    def rows(parts: list[Part]) -> Iterator[dict[str, Any]]:
        for part in parts:
            yield from pq.read_table(storage.path_of(part.uri), filesystem=storage.filesystem()).to_pylist()

    kept = dict(held) if manifest.mode == "increment" else {}
    for row in rows(manifest.deletes):
        kept.pop(row["id"], None)
    return kept | {row["id"]: row["held"] for row in rows(manifest.parts)}


def test_every_extraction_is_one_state_and_every_increment_is_its_own_view(
    extent: Extent, accounts: list[Contract], origin: Source, writers: Writers, seen: list[list[State_]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("LAKE_SOURCE_CONNECTIONS", "4")
    settings.cache_clear()
    held: State_ = {table: {} for table in TABLES}
    states: dict[str, State | None] = dict.fromkeys(TABLES)
    ways: set[str] = set()
    for number in range(extent.extractions):
        requests = [Request(contract, states[contract.table], lambda _: NotAsked()) for contract in accounts]
        found = extract.extract(origin, requests, f"r{number}")
        first, *others = seen[-1]
        assert len(others) == 3, found[0].snapshot
        for table in TABLES:
            for other in others:
                assert differences(first[table], other[table]) == [], (number, table, found[0].snapshot)
        assert sum(sum(rows.values()) for rows in first.values()) == TOTAL
        for manifest in found:
            table = manifest.table
            held[table] = applied(held[table], manifest)
            assert differences(held[table], first[table]) == [], (number, table, manifest.way, manifest.reason)
            assert manifest.source_rows == len(first[table])
            states[table] = State.from_json(manifest.state)
        ways |= {manifest.way for manifest in found} if number else set()
    settings.cache_clear()
    assert ways == {"binlog"}
    assert writers.rate() >= extent.least, "the writers were too slow to prove anything"
