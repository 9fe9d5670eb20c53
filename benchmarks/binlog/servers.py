"""A server of the benchmark's own that keeps a binlog, MariaDB or MySQL: in a scratch folder, gone at the end."""

from __future__ import annotations

import secrets
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pymysql
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from lake.errors import ServiceError
from lake.runtime.artifacts import artifacts
from lake.runtime.mariadb import MariaDB
from lake.runtime.mysql import MySQL
from lake.runtime.pair import Pair
from lake.runtime.service import own_by_unprivileged, unprivileged

DATABASE = "bench"
KINDS: dict[str, type[Pair]] = {"mariadb": MariaDB, "mysql": MySQL}


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes:
        kind: `mariadb` or `mysql`.
        port: on loopback.
        password: of root.
    """

    kind: str
    port: int
    password: str

    def connect(self, database: str | None = DATABASE) -> pymysql.Connection[Any]:
        """A session of root."""
        return pymysql.connect(
            host="127.0.0.1", port=self.port, user="root", password=self.password, database=database,
            charset="utf8mb4", autocommit=True, connect_timeout=10, read_timeout=3600,
        )  # fmt: skip

    def place(self) -> tuple[str, int, str]:
        """File, offset and executed GTIDs (MySQL) of the binlog's end."""
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute("SHOW MASTER STATUS" if self.kind == "mariadb" else "SHOW BINARY LOG STATUS")
            row: Any = cursor.fetchone()
            return str(row[0]), int(row[1]), "" if self.kind == "mariadb" else str(row[4]).replace("\n", "")


def is_installed(kind: str) -> bool:
    """Whether this machine has such a server."""
    return artifacts()[kind].is_installed


@contextmanager
def running(kind: str) -> Iterator[Server]:
    """A server with an empty database, for the length of the block.

    Raises:
        ServiceError: it did not start; the end of its log is in the message.
    """
    pair = KINDS[kind](0, 0, 0, 0)
    with TemporaryDirectory(prefix="shoplake-binlog-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        for part in ("data", "tmp"):
            own_by_unprivileged(folder / part)
        server = Server(kind, _free_port(), secrets.token_hex(16))
        places = (*pair.places, f"--datadir={folder}/data", f"--tmpdir={folder}/tmp")
        rights = (
            f"ALTER USER root@localhost IDENTIFIED BY '{server.password}'",
            f"CREATE USER root@'127.0.0.1' IDENTIFIED BY '{server.password}'",
            "GRANT ALL ON *.* TO root@'127.0.0.1' WITH GRANT OPTION",
        )
        pair.initialize(("--no-defaults", *places), folder, rights)
        log = folder / "server.log"
        with log.open("w") as words:
            process = subprocess.Popen(
                [*unprivileged(), *_command(pair, places, server.port)], stdout=words, stderr=subprocess.STDOUT
            )
        try:
            _wait(server, process, log)
            yield server
        finally:
            process.terminate()
            process.wait(timeout=120)


def _command(pair: Pair, places: tuple[str, ...], port: int) -> tuple[str, ...]:
    own = ("--mysqlx=OFF", "--gtid-mode=ON", "--enforce-gtid-consistency=ON") if pair.kind == "mysql" else ()
    return (
        str(pair.program),
        "--no-defaults",
        *places,
        f"--port={port}",
        "--bind-address=127.0.0.1",
        "--socket=",
        "--skip-name-resolve",
        "--server-id=1",
        "--log-bin=binlog",
        "--binlog-format=ROW",
        "--max-binlog-size=1G",
        "--sync-binlog=0",
        "--innodb-flush-log-at-trx-commit=0",
        "--innodb-buffer-pool-size=512M",
        "--performance-schema=0",
        *own,
    )


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
