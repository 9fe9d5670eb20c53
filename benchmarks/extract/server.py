"""A MariaDB of the benchmark's own: in a scratch folder, on a free port, gone at the end."""

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

import psutil
import pymysql
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from benchmarks.measure import cpu_seconds
from lake.errors import ServiceError
from lake.runtime.artifacts import artifacts
from lake.runtime.service import own_by_unprivileged, unprivileged

DATABASE, USER = "bench", "bench"
QUIET_SECONDS = 0.02
"""CPU in a second at which a server counts as idle."""


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes:
        port: on loopback.
        password: of the user `bench`, who may do everything.
        pid: of its process.
        folder: scratch, removed with the server.
    """

    port: int
    password: str
    pid: int
    folder: Path

    @property
    def url(self) -> str:
        """``mysql://user:password@host:port/database``, which every peer takes in one form or another."""
        return f"mysql://{USER}:{self.password}@127.0.0.1:{self.port}/{DATABASE}"

    def connect(self) -> pymysql.Connection[Any]:
        """A session of any zone's instants in UTC, which lets every value in."""
        return pymysql.connect(
            host="127.0.0.1",
            port=self.port,
            user=USER,
            password=self.password,
            database=DATABASE,
            charset="utf8mb4",
            local_infile=True,
            autocommit=True,
            init_command="SET SESSION sql_mode='', time_zone='+00:00'",
        )

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


@contextmanager
def running(memory_mib: int) -> Iterator[Server]:
    """A server with an empty database `bench`, for the length of the block.

    Args:
        memory_mib: InnoDB's buffer pool. Give it room for the whole table: this measures readers, not a disk.

    Raises:
        ServiceError: it was not installed, or it did not start; the end of its log is in the message.
    """
    if not artifacts()["mariadb"].is_installed:
        raise ServiceError("MariaDB is not installed", "run `make setup`")
    with TemporaryDirectory(prefix="shoplake-extract-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        for part in ("data", "tmp"):
            own_by_unprivileged(folder / part)
        password, port = secrets.token_hex(16), _free_port()
        _make_data(folder, password)
        log = folder / "server.log"
        with log.open("w") as words:
            process = subprocess.Popen(
                [*unprivileged(), *_command(folder, port, memory_mib)], stdout=words, stderr=subprocess.STDOUT
            )
        try:
            server = Server(port, password, process.pid, folder)
            _wait(server, process, log)
            yield server
        finally:
            process.terminate()
            process.wait(timeout=120)


def _base() -> Path:
    return artifacts()["mariadb"].folder


def _options(folder: Path) -> tuple[str, ...]:
    base = _base()
    places = (f"--datadir={folder}/data", f"--tmpdir={folder}/tmp")
    return ("--no-defaults", f"--basedir={base}", f"--lc-messages-dir={base}/share", *places)


def _command(folder: Path, port: int, memory_mib: int) -> tuple[str, ...]:
    return (
        f"{_base()}/bin/mariadbd",
        *_options(folder),
        f"--port={port}",
        "--bind-address=127.0.0.1",
        "--socket=",
        "--skip-name-resolve",
        # Some clients encrypt unasked where the server offers it; nobody does here.
        "--skip-ssl",
        "--character-set-server=utf8mb4",
        "--default-time-zone=+00:00",
        "--max-allowed-packet=64M",
        "--local-infile=1",
        f"--secure-file-priv={folder}/tmp",
        f"--innodb-buffer-pool-size={memory_mib}M",
        "--innodb-flush-log-at-trx-commit=0",
        "--innodb-log-file-size=1G",
        "--innodb-doublewrite=0",
        "--skip-log-bin",
        "--performance-schema=0",
    )


def _make_data(folder: Path, password: str) -> None:
    install = (f"{_base()}/scripts/mariadb-install-db", *_options(folder))
    _run(*install, "--auth-root-authentication-method=normal", "--skip-test-db")
    statements = (
        "FLUSH PRIVILEGES",
        f"CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4",
        f"CREATE USER {USER}@'127.0.0.1' IDENTIFIED BY '{password}'",
        f"GRANT ALL ON *.* TO {USER}@'127.0.0.1'",
        "DROP USER root@localhost",
    )
    _run(f"{_base()}/bin/mariadbd", *_options(folder), "--bootstrap", text="".join(f"{line};\n" for line in statements))


def _run(*command: str, text: str = "") -> None:
    result = subprocess.run([*unprivileged(), *command], input=text, check=False, capture_output=True, text=True)
    if result.returncode:
        said = "\n".join((result.stdout + result.stderr).splitlines()[-10:])
        raise ServiceError(f"{Path(command[0]).name} failed with exit code {result.returncode}:\n{said}")


@retry(retry=retry_if_exception_type(pymysql.OperationalError), stop=stop_after_delay(60), wait=wait_fixed(0.2))
def _wait(server: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    if process.poll() is not None:
        said = "\n".join(log.read_text().splitlines()[-10:])
        raise ServiceError(f"MariaDB ended with exit code {process.returncode}:\n{said}")
    server.connect().close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
