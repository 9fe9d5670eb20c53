"""A source database and a lake in memory, for finding what changed. The oracle is always SQL on the source."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pyarrow as pa
import pymysql
import pytest
from pydantic import SecretStr
from pymysql.connections import Connection
from pymysql.cursors import Cursor, DictCursor
from tenacity import Retrying, stop_after_delay, wait_fixed

from lake.changes import by_key, increments
from lake.changes.increment import Increment
from lake.changes.increments import Found
from lake.changes.ranges import Range
from lake.changes.strategy import State
from lake.contracts import Contract
from lake.extract import overlap
from lake.runtime.pair import Pair
from lake.runtime.service import own_by_unprivileged, unprivileged
from lake.runtime.services import KINDS
from lake.settings import PROJECT
from lake.shop.replica import committed, has_applied
from lake.source import reader
from lake.source.sources import Source

COMMON = {"description": "x", "owner": "x", "grain": "x", "deletes": "keys", "lateness_seconds": 0}


@dataclass
class MemoryLake:
    """What the lake holds of one table: rows by key. It gives more than it is asked for, as it may."""

    contract: Contract
    by_key: dict[tuple[Any, ...], dict[str, Any]] = field(default_factory=dict)
    asked: int = 0

    def rows(self, ranges: Sequence[Range], columns: Sequence[str]) -> Iterable[pa.RecordBatch]:
        self.asked += 1
        return self.table().select(list(columns)).to_batches(max_chunksize=1000)

    def since(self, instant: datetime) -> pa.Table:
        assert self.contract.cursor
        rows = [row for row in self.by_key.values() if row[self.contract.cursor] > instant]
        return pa.Table.from_pylist(rows, schema=self.contract.read_schema)

    def table(self) -> pa.Table:
        return pa.Table.from_pylist(list(self.by_key.values()), schema=self.contract.read_schema)

    def key(self, row: dict[str, Any]) -> tuple[Any, ...]:
        return tuple(row[name] for name in self.contract.key)


@dataclass(frozen=True)
class Ran:
    """What one run did: how, which keys it landed as changed and as deleted."""

    found: Found
    landed: list[tuple[Any, ...]]
    deleted: set[tuple[Any, ...]]

    @property
    def kind(self) -> str:
        return self.found.plan.way

    @property
    def reason(self) -> str:
        return self.found.plan.reason


class Lab:
    """One table of a database of our own, its contract, and the lake that follows it."""

    def __init__(
        self, connect: dict[str, Any], create: str, contract: dict[str, Any], replica: dict[str, Any] | None = None
    ) -> None:
        self.connect = connect
        self.replica = replica
        self.contract = Contract.model_validate({**COMMON, **contract})
        self.lake = MemoryLake(self.contract)
        self.states: list[str] = []
        self.do(create)

    @property
    def origin(self) -> Source:
        """The database as a source of the lake."""
        config = self.replica or self.connect
        return Source(
            "test", config["host"], config["port"], config["user"], config["database"], SecretStr(config["password"])
        )

    def do(self, *statements: str) -> None:
        """Run statements in one transaction and commit."""
        with self.session() as connection, connection.cursor() as cursor:
            connection.begin()
            for statement in statements:
                cursor.execute(statement)
            connection.commit()

    def each(self, *statements: str) -> None:
        """Run statements in one session, each in a transaction of its own."""
        with self.session() as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def _caught_up(self) -> None:
        """Wait until the replica has what the primary has committed."""
        with self.session(cursorclass=Cursor) as primary:
            position = committed(primary)
        with self.session(self.replica, cursorclass=Cursor) as replica:
            assert has_applied(replica, position, 120)

    @contextmanager
    def session(
        self, connect: dict[str, Any] | None = None, cursorclass: type[Cursor] = DictCursor
    ) -> Iterator[Connection[Any]]:
        """Another connection, autocommitting, in UTC."""
        connection: Connection[Any] = pymysql.connect(
            **(connect or self.connect),
            charset="utf8mb4",
            collation="utf8mb4_bin",
            autocommit=True,
            init_command="SET time_zone = '+00:00'",
            cursorclass=cursorclass,
        )
        with connection:
            yield connection

    def run(self, during: Iterable[str] = (), meanwhile: Callable[[], None] | None = None) -> Ran:
        """One published run.

        Args:
            during: statements that are committed after the snapshot was opened and before anything is read.
            meanwhile: what else is done then.
        """
        name = self.contract.table
        # Through JSON, as the manifest keeps it.
        state = State.from_json(json.loads(self.states[-1])) if self.states else None
        if self.replica:
            self._caught_up()
        with self.session(self.replica) as connection:
            moment = increments.before_snapshot(connection, [self.contract])
            connection.query("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            connection.query("START TRANSACTION WITH CONSISTENT SNAPSHOT")
            moment = increments.inside_snapshot(connection, moment)
            for statement in during:
                self.do(statement)
            if meanwhile:
                meanwhile()
            found = increments.find(
                connection, moment, self.origin, {name: self.contract}, {name: state}, {name: self.lake}
            )[name]
            ran = self._take(connection, found)
            watermark = self._watermark(connection)
            left = increments.state_after(connection, self.contract, moment, found, watermark)
            expected = self.source(connection)
        self.states.append(json.dumps(left.to_json()))
        assert self.lake_rows() == expected
        return ran

    def _take(self, connection: Connection[Any], found: Found) -> Ran:
        if found.increment is None:
            self.lake.by_key = {}
            landed = self._land(reader.stream(connection, self.contract), None)
            return Ran(found, landed, set())
        increment: Increment = found.increment
        landed = []
        for piece in increment.pieces:
            known = piece.known() if piece.known else None
            landed += self._land(reader.stream(connection, self.contract, piece.condition), known)
        assert len(landed) == len(set(landed)), "a row was read twice"
        assert increment.deleted.schema == by_key.key_schema(self.contract)
        deleted = {tuple(row.values()) for row in increment.deleted.to_pylist()}
        assert not deleted & set(landed)
        for key in deleted:
            self.lake.by_key.pop(key, None)
        return Ran(found, landed, deleted)

    def _land(self, stream: Any, known: pa.Table | None) -> list[tuple[Any, ...]]:
        batches: Iterable[pa.RecordBatch] = [pa.record_batch(batch) for batch in stream]
        if known is not None:
            batches = overlap.unknown(batches, known)
        rows = [row for batch in batches for row in batch.to_pylist()]
        for row in rows:
            self.lake.by_key[self.lake.key(row)] = row
        return [self.lake.key(row) for row in rows]

    def _watermark(self, connection: Connection[Any]) -> datetime | None:
        if not self.contract.cursor:
            return None
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT MAX(`{self.contract.cursor}`) AS high FROM `{self.contract.name_in_source}`")
            high = cursor.fetchone()["high"]  # type: ignore[index]
        return high.replace(tzinfo=UTC) if high else None

    def source(self, connection: Connection[Any]) -> set[tuple[Any, ...]]:
        """Every row as the server prints it, through nothing of ours."""
        columns = ", ".join(_print(name, column.parsed.base) for name, column in self.contract.columns.items())
        with connection.cursor(Cursor) as cursor:
            cursor.execute(f"SELECT {columns} FROM `{self.contract.name_in_source}`")
            return set(cursor.fetchall())

    def lake_rows(self) -> set[tuple[Any, ...]]:
        """Every row of the lake, printed as the server does."""
        return {
            tuple(_printed(row[name], column.type) for name, column in self.contract.columns.items())
            for row in self.lake.by_key.values()
        }

    def keys(self) -> set[tuple[Any, ...]]:
        """Keys that the lake holds."""
        return set(self.lake.by_key)


def _print(name: str, base: str) -> str:
    """The expression with which the server prints a column."""
    if base in {"binary", "varbinary"}:
        return f"HEX(`{name}`)"
    if base in {"float", "double"}:
        return f"`{name}` * 1e0"
    return f"CONCAT(`{name}` + 0)" if base in {"bit", "year"} else f"CONCAT(`{name}`)"


def _printed(value: Any, mysql: str) -> str | float | None:
    if isinstance(value, float):
        return value
    if isinstance(value, datetime):
        digits = int(mysql.partition("(")[2].rstrip(")") or 0)
        text = value.strftime("%Y-%m-%d %H:%M:%S")
        return text + (f".{value.microsecond:06}"[: digits + 1] if digits else "")
    if isinstance(value, bytes):
        return value.hex().upper()
    return None if value is None else str(value)


@dataclass
class PrivateServer:
    """A server of our own, to be killed and purged; root needs no password. It could not be a replica that is read."""

    pair: Pair
    folder: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def connect(self) -> dict[str, Any]:
        return {"host": "127.0.0.1", "port": self.pair.primary_port, "user": "root", "password": "", "read_timeout": 60}

    def install(self) -> None:
        for name in ("data", "tmp"):
            own_by_unprivileged(self.folder / name)
        statements = ("CREATE USER root@'127.0.0.1'", "GRANT ALL ON *.* TO root@'127.0.0.1' WITH GRANT OPTION")
        options = ("--no-defaults", *self.pair.places, *self._folders())
        self.pair.initialize(options, self.folder / "tmp", statements)

    def start(self) -> None:
        self.process = subprocess.Popen(
            [
                *unprivileged(), str(self.pair.program), f"--defaults-file={PROJECT}/infra/{self.pair.kind}/my.cnf",
                *self.pair.places, *self._folders(), f"--port={self.pair.primary_port}", "--bind-address=127.0.0.1",
                "--socket=", "--server-id=77", "--innodb-buffer-pool-size=32M",
                "--log-slave-updates=0" if self.pair.kind == "mariadb" else "--log-replica-updates=0",
            ],
            stdout=(self.folder / "log").open("ab"),
            stderr=subprocess.STDOUT,
        )  # fmt: skip
        for attempt in Retrying(stop=stop_after_delay(120), wait=wait_fixed(0.3), reraise=True):
            with attempt:
                pymysql.connect(**self.connect).close()

    def _folders(self) -> tuple[str, ...]:
        return f"--datadir={self.folder}/data", f"--tmpdir={self.folder}/tmp"

    def kill(self) -> None:
        """As a power cut would."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None


@pytest.fixture(scope="module")
def private_server(server_kind: str) -> Iterator[PrivateServer]:
    """A running server that no other test uses."""
    if server_kind not in KINDS:
        pytest.skip("a server that LAKE_TEST_SERVERS names is not ours to kill")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = Path(mkdtemp(prefix=f"shoplake-{server_kind}-"))
    folder.chmod(0o755)
    made = PrivateServer(KINDS[server_kind](port, 0, 32, 32), folder)
    try:
        made.install()
        made.start()
        yield made
    finally:
        made.kill()
        shutil.rmtree(folder, ignore_errors=True)


MakeLab = Callable[..., Lab]


@pytest.fixture
def lab(source: dict[str, Any]) -> MakeLab:
    """Makes a table, its contract and its lake: ``lab(create_statement, contract)``."""
    return partial(Lab, source)


@pytest.fixture
def source(shop_database: tuple[str, int, str, str, str]) -> dict[str, Any]:
    """Arguments of ``pymysql.connect`` for an empty database of our own on the primary."""
    host, port, user, password, database = shop_database
    return {"host": host, "port": port, "user": user, "password": password, "database": database, "read_timeout": 60}
