"""A server of the benchmarks' own, MariaDB or MySQL: in a scratch folder, on a free port, gone at the end."""

from __future__ import annotations

import secrets
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil
import pymysql
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from benchmarks.measure import cpu_seconds
from lake.errors import ServiceError
from lake.runtime.artifacts import artifacts
from lake.runtime.mariadb import MariaDB
from lake.runtime.mysql import MySQL
from lake.runtime.pair import Pair
from lake.runtime.service import own_by_unprivileged, unprivileged

DATABASE, USER = "bench", "bench"
KINDS: dict[str, type[Pair]] = {"mariadb": MariaDB, "mysql": MySQL}
QUIET_SECONDS = 0.02
"""CPU in a second at which a server counts as idle."""

DIGIT = "digit"
"""Table of the ten digits, out of which `numbers` makes rows."""


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes:
        kind: `mariadb` or `mysql`.
        port: on loopback.
        password: of the user `bench`, who may do everything.
        pid: of its process.
        folder: scratch, removed with the server.
    """

    kind: str
    port: int
    password: str
    pid: int
    folder: Path

    @property
    def url(self) -> str:
        """``mysql://user:password@host:port/database``, which every peer takes in one form or another."""
        return f"mysql://{USER}:{self.password}@127.0.0.1:{self.port}/{DATABASE}"

    def connect(self, database: str | None = DATABASE) -> pymysql.Connection[Any]:
        """A session of any zone's instants in UTC, which lets every value in."""
        return pymysql.connect(
            host="127.0.0.1",
            port=self.port,
            user=USER,
            password=self.password,
            database=database,
            charset="utf8mb4",
            local_infile=True,
            autocommit=True,
            connect_timeout=10,
            read_timeout=3600,
            init_command="SET SESSION sql_mode='', time_zone='+00:00'",
        )

    def do(self, *statements: str) -> None:
        """Execute some statements."""
        with self.connect() as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def place(self) -> tuple[str, int, str]:
        """File, offset and executed GTIDs (MySQL) of the binlog's end."""
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute("SHOW MASTER STATUS" if self.kind == "mariadb" else "SHOW BINARY LOG STATUS")
            row: Any = cursor.fetchone()
            return str(row[0]), int(row[1]), "" if self.kind == "mariadb" else str(row[4]).replace("\n", "")

    def cpu_seconds(self) -> float:
        """What it has used so far."""
        return cpu_seconds(self.pid)

    def wait_until_idle(self, patience_seconds: int = 120) -> None:
        """Let it finish what it does after large writes, so that no measured run pays for it."""
        process = psutil.Process(self.pid)
        for _ in range(patience_seconds):
            before = self.cpu_seconds()
            process.cpu_percent(interval=1.0)
            if self.cpu_seconds() - before <= QUIET_SECONDS:
                return


def numbers(places: int) -> str:
    """What stands behind FROM to have a row for each whole number of so many decimal places, in the column ``n``."""
    total = " + ".join(f"d{place}.n * {10**place}" for place in range(places))
    return f"(SELECT {total} AS n FROM {', '.join(f'{DIGIT} d{place}' for place in range(places))}) AS numbers"


def is_installed(kind: str) -> bool:
    """Whether this machine has such a server."""
    return artifacts()[kind].is_installed


@contextmanager
def running(kind: str, options: Sequence[str]) -> Iterator[Server]:
    """A server with a database `bench` that holds nothing but `DIGIT`, for the length of the block.

    Args:
        options: of its program, beside where its files are and how it is reached.

    Raises:
        ServiceError: it is not installed, or did not start; the end of its log is in the message.
    """
    if not is_installed(kind):
        raise ServiceError(f"{kind} is not installed", "run `make setup`; not every machine can have MySQL")
    pair = KINDS[kind](0, 0, 0, 0)
    with TemporaryDirectory(prefix="shoplake-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        for part in ("data", "tmp"):
            own_by_unprivileged(folder / part)
        password, port = secrets.token_hex(16), _free_port()
        places = (*pair.places, f"--datadir={folder}/data", f"--tmpdir={folder}/tmp")
        pair.initialize(
            ("--no-defaults", *places),
            folder,
            (
                f"CREATE USER {USER}@'127.0.0.1' IDENTIFIED BY '{password}'",
                f"GRANT ALL ON *.* TO {USER}@'127.0.0.1'",
                "DROP USER root@localhost",
            ),
        )
        log = folder / "server.log"
        command = (str(pair.program), "--no-defaults", *places, *_reached(kind, port), *options)
        with log.open("w") as words:
            process = subprocess.Popen([*unprivileged(), *command], stdout=words, stderr=subprocess.STDOUT)
        try:
            server = Server(kind, port, password, process.pid, folder)
            _wait(server, process, log)
            server.do(
                f"CREATE TABLE {DIGIT} (n INT PRIMARY KEY)",
                f"INSERT INTO {DIGIT} VALUES {', '.join(f'({n})' for n in range(10))}",
            )
            yield server
        finally:
            process.terminate()
            process.wait(timeout=120)


def _reached(kind: str, port: int) -> tuple[str, ...]:
    """Over TCP on loopback."""
    own = ("--mysqlx=OFF",) if kind == "mysql" else ()
    return (f"--port={port}", "--bind-address=127.0.0.1", "--socket=", "--skip-name-resolve", *own)


@retry(retry=retry_if_exception_type(pymysql.OperationalError), stop=stop_after_delay(60), wait=wait_fixed(0.2))
def _wait(server: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    if process.poll() is not None:
        said = "\n".join(log.read_text().splitlines()[-10:])
        raise ServiceError(f"{server.kind} ended with exit code {process.returncode}:\n{said}")
    with server.connect(None) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE IF NOT EXISTS {DATABASE} CHARACTER SET utf8mb4")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
