"""A primary that takes the shop's writes and a replica that the lake reads, on one machine.

What both kinds of server have in common stands here; ``mariadb`` and ``mysql`` say what is particular to each. Their
configuration is ``infra/<kind>/my.cnf``; what differs between the two servers of a pair is given as arguments.
"""

from __future__ import annotations

import subprocess
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import pymysql
from pymysql.constants import ER
from pymysql.cursors import DictCursor

from lake.errors import ServiceError
from lake.runtime.service import COMPLETE, Service, own_by_unprivileged, unprivileged
from lake.settings import PROJECT, settings

INITIALIZE_SECONDS = 300
REPLY_SECONDS = 60
"""How long a server may take to make its data folder: 5 s on an idle machine."""
EXPORTER_CONNECTIONS = 3
"""What a stuck exporter may take of a server's connections; one scrape takes one."""


@dataclass(frozen=True)
class Following:
    """What a replica says of its replication.

    Args:
        source_port: port of the server that it follows.
        is_receiving: whether it is connected to that server.
        is_applying: whether it applies what it has received.
        error: the last one of either.
    """

    source_port: int
    is_receiving: bool
    is_applying: bool
    error: str


@dataclass(frozen=True)
class Pair(ABC):
    """Two servers of one kind.

    Args:
        primary_port, replica_port: on loopback.
        primary_mib, replica_mib: size of each buffer pool.
    """

    primary_port: int
    replica_port: int
    primary_mib: int
    replica_mib: int

    kind: ClassVar[str]
    """Name of its folder under ``infra/``, and how the names of its services begin."""
    reader_rights: ClassVar[str]
    """What lets the lake's reader see how far a replica is and where a binlog stands, and read the binlog."""
    exporter_rights: ClassVar[str]
    """What lets the exporter see who is connected, how far a replica is and how large the binlog is; no data."""
    change_source: ClassVar[str]
    """The statement that makes a replica follow a server, by GTID; its parameters are port and password."""

    @property
    def primary(self) -> str:
        """Name of the primary."""
        return f"{self.kind}-primary"

    @property
    def replica(self) -> str:
        """Name of the replica."""
        return f"{self.kind}-replica"

    def services(self) -> list[Service]:
        """Primary and replica; the replica starts beside the primary and follows it once its users exist."""
        primary = self._command(self.primary, self.primary_port, 1, self.primary_mib)
        replica = (*self._command(self.replica, self.replica_port, 2, self.replica_mib), "--read-only")
        return [
            Service(
                name=name,
                address=f"127.0.0.1:{port}",
                ports=(port,),
                command=command,
                reads=(self._options,),
                folder=_data(name),
                prepare=partial(self._make_data, _data(name)),
                settle=settle,
                ping=ping,
                refuses_root=True,
            )
            for name, port, command, settle, ping in (
                (self.primary, self.primary_port, primary, self._make_users, self._ping_primary),
                (self.replica, self.replica_port, replica, self._follow, self._ping_replica),
            )
        ]

    def let_exporter_in(self) -> None:
        """Make the user `exporter` on either server, unless it can log in.

        It comes by no replication, so that a replica which follows nobody can be watched too, and the binlog that the
        lake reads knows nothing of it.
        """
        password = settings().exporter_password.get_secret_value()
        for port in (self.primary_port, self.replica_port):
            try:
                with _connect(port, "exporter", password):
                    continue
            except pymysql.err.OperationalError as error:
                if error.args[0] != ER.ACCESS_DENIED_ERROR:
                    raise
            with _as_root(port) as cursor:
                cursor.execute("SET SESSION sql_log_bin = 0")
                cursor.execute("DROP USER IF EXISTS exporter")
                cursor.execute(
                    "CREATE USER exporter IDENTIFIED BY %s WITH MAX_USER_CONNECTIONS %s",
                    (password, EXPORTER_CONNECTIONS),
                )
                cursor.execute(f"GRANT {self.exporter_rights} ON *.* TO exporter")
                cursor.execute("GRANT SELECT ON performance_schema.* TO exporter")

    # -- what is particular to a kind
    @property
    @abstractmethod
    def program(self) -> Path:
        """The server."""

    @property
    @abstractmethod
    def places(self) -> tuple[str, ...]:
        """Arguments that tell the server where its own files are."""

    @abstractmethod
    def initialize(self, options: Sequence[str], scratch: Path, statements: Sequence[str]) -> None:
        """Make the system tables in the data folder that ``options`` name, and run ``statements`` once, unlogged.

        Root can then log in from this machine, over TCP as well, with the password that the statements give.
        """

    @abstractmethod
    def following(self, status: dict[str, Any]) -> Following:
        """What the one row of SHOW REPLICA STATUS says."""

    # -- the processes
    @property
    def _options(self) -> Path:
        return PROJECT / "infra" / self.kind / "my.cnf"

    def _command(self, name: str, port: int, server_id: int, memory_mib: int) -> tuple[str, ...]:
        folder = _data(name)
        return (
            str(self.program),
            f"--defaults-file={self._options}",
            *self.places,
            *_folders(folder),
            f"--port={port}",
            "--bind-address=127.0.0.1",
            "--socket=",  # none: a path in a deep folder would be longer than a socket's may be
            f"--server-id={server_id}",
            f"--report-host={name}",
            f"--innodb-buffer-pool-size={memory_mib}M",
        )

    def _make_data(self, folder: Path) -> None:
        """Make an empty folder for temporary tables; on first start the system tables too, with root's password."""
        # A server that starts deletes every temporary table in its tmpdir, also those of another one that shares it.
        own_by_unprivileged(_scratch(folder))
        done = folder / COMPLETE
        if done.exists():
            return
        own_by_unprivileged(folder)
        password = settings().mysql_root_password.get_secret_value()
        statements = (
            f"ALTER USER root@localhost IDENTIFIED BY '{password}'",
            f"CREATE USER root@'127.0.0.1' IDENTIFIED BY '{password}'",
            "GRANT ALL ON *.* TO root@'127.0.0.1' WITH GRANT OPTION",
        )
        self.initialize(("--no-defaults", *self.places, *_folders(folder)), _scratch(folder), statements)
        done.touch()

    # -- what is done to the running servers
    def _make_users(self) -> None:
        """The empty database `shop`, its owner, the lake's reader and the replica's user."""
        config = settings()
        try:
            self._ping_primary()
            return
        except pymysql.err.OperationalError as error:
            if error.args[0] != ER.ACCESS_DENIED_ERROR:
                raise
        database = f"`{config.source_database}`"
        reader = (
            f"GRANT SELECT, SHOW VIEW ON {database}.* TO lake_reader",
            f"GRANT {self.reader_rights} ON *.* TO lake_reader",
        )
        # lake_reader and the replica's user first: that `shop` can log in tells that all is done.
        users = [
            ("lake_reader", config.source_password, reader),
            ("replica", config.replication_password, ("GRANT REPLICATION SLAVE ON *.* TO replica",)),
            ("shop", config.shop_password, (f"GRANT ALL ON {database}.* TO shop",)),
        ]
        with _as_root(self.primary_port) as cursor:
            cursor.execute(f"CREATE DATABASE IF NOT EXISTS {database}")
            for user, password, grants in users:
                cursor.execute(f"DROP USER IF EXISTS {user}")
                cursor.execute(f"CREATE USER {user} IDENTIFIED BY %s", (password.get_secret_value(),))
                for grant in grants:
                    cursor.execute(grant)

    def _follow(self) -> None:
        """Point the replica at the primary, unless it follows it already."""
        with _as_root(self.replica_port) as cursor:
            found = self._following(cursor)
            if found and found.source_port == self.primary_port and found.is_applying:
                return
            cursor.execute("STOP REPLICA")
            cursor.execute(self.change_source, (self.primary_port, settings().replication_password.get_secret_value()))
            cursor.execute("START REPLICA")

    def _ping_primary(self) -> None:
        config = settings()
        with _connect(self.primary_port, config.shop_user, config.shop_password.get_secret_value()) as cursor:
            cursor.execute("SELECT 1")

    def _ping_replica(self) -> None:
        """As the lake's own reader, so that a missing right shows here and not in a run."""
        config = settings()
        with _connect(self.replica_port, config.source_user, config.source_password.get_secret_value()) as cursor:
            found = self._following(cursor)
        if not found:
            raise ServiceError("the replica follows nobody", "run `lake up`")
        if not (found.is_receiving and found.is_applying):
            raise ServiceError(f"replication stands still: {found.error}")

    def _following(self, cursor: DictCursor) -> Following | None:
        cursor.execute("SHOW REPLICA STATUS")
        status = cursor.fetchone()
        return self.following(status) if status else None


def run(*command: str, text: str = "") -> None:
    """Run a program of the server's that makes its data, as the user that the server runs as.

    Raises:
        ServiceError: it failed or took too long; the error holds what it said.
    """
    name = Path(command[0]).name
    again = "run `lake up` again, which makes the data folder anew"
    try:
        result = subprocess.run(
            [*unprivileged(), *command],
            input=text,
            check=False,
            capture_output=True,
            text=True,
            timeout=INITIALIZE_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise ServiceError(f"{name} was not done after {INITIALIZE_SECONDS} s", again) from error
    if result.returncode:
        said = (result.stdout + result.stderr).splitlines()
        tail = "\n".join([line for line in said if "ERROR" in line] or said[-10:])
        raise ServiceError(f"{name} failed with exit code {result.returncode}:\n{tail}", again)


def _data(name: str) -> Path:
    return settings().home / "data" / name


def _scratch(folder: Path) -> Path:
    """Beside the data folder: a folder in it would count as a database."""
    return folder.with_name(f"{folder.name}-tmp")


def _folders(folder: Path) -> tuple[str, ...]:
    return f"--datadir={folder}", f"--tmpdir={_scratch(folder)}"


@contextmanager
def _as_root(port: int) -> Iterator[DictCursor]:
    with _connect(port, "root", settings().mysql_root_password.get_secret_value()) as cursor:
        yield cursor


@contextmanager
def _connect(port: int, user: str, password: str) -> Iterator[DictCursor]:
    connection: pymysql.Connection[Any] = pymysql.connect(
        host="127.0.0.1",
        port=port,
        user=user,
        password=password,
        connect_timeout=3,
        read_timeout=REPLY_SECONDS,
        autocommit=True,
        # It does not leave the machine, and is asked four times a second: see `engines.http_ping`.
        ssl_disabled=True,
    )
    with connection, connection.cursor(DictCursor) as cursor:
        yield cursor
