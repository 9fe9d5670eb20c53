"""The shop's database: a primary that takes the shop's writes and a replica that the lake reads."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pymysql
from pymysql.cursors import DictCursor

from lake.errors import ServiceError
from lake.runtime.artifacts import artifacts
from lake.runtime.service import COMPLETE, Service, own_by_unprivileged, unprivileged
from lake.settings import PROJECT, settings

PRIMARY, REPLICA = "mariadb-primary", "mariadb-replica"

READER_GRANTS = (
    "GRANT SELECT, SHOW VIEW ON {database}.* TO lake_reader",
    # To see how far the replica is and where its binlog stands, and to read the binlog.
    "GRANT REPLICA MONITOR, BINLOG MONITOR, REPLICATION SLAVE ON *.* TO lake_reader",
)


def services() -> list[Service]:
    """Primary and replica; the replica starts beside the primary and follows it once its users exist."""
    config = settings()
    return [
        _server(PRIMARY, config.shop_port, 1, config.shop_memory_mib, (), _make_users, _ping_primary),
        _server(REPLICA, config.source_port, 2, config.source_memory_mib, ("--read-only",), _follow, _ping_replica),
    ]


def _server(
    name: str,
    port: int,
    server_id: int,
    memory_mib: int,
    more: tuple[str, ...],
    settle: Callable[[], None],
    ping: Callable[[], None],
) -> Service:
    folder = settings().home / "data" / name
    base = artifacts()["mariadb"].folder
    command = (
        f"{base}/bin/mariadbd",
        f"--defaults-file={PROJECT}/infra/mariadb/my.cnf",
        f"--basedir={base}",
        f"--lc-messages-dir={base}/share",
        f"--datadir={folder}",
        f"--tmpdir={_scratch(folder)}",
        f"--port={port}",
        "--bind-address=127.0.0.1",
        "--socket=",  # none: a path in a deep folder would be longer than a socket's may be
        f"--server-id={server_id}",
        f"--report-host={name}",
        f"--innodb-buffer-pool-size={memory_mib}M",
        *more,
    )
    return Service(
        name=name,
        address=f"127.0.0.1:{port}",
        ports=(port,),
        command=command,
        folder=folder,
        prepare=partial(_make_data, folder, base),
        settle=settle,
        ping=ping,
        refuses_root=True,
    )


def _make_data(folder: Path, base: Path) -> None:
    """Make an empty folder for temporary tables; on first start the system tables too, with root's password."""
    # A server that starts deletes every temporary table in its tmpdir, also those of another one that shares it.
    own_by_unprivileged(_scratch(folder))
    done = folder / COMPLETE
    if done.exists():
        return
    own_by_unprivileged(folder)
    options = (
        "--no-defaults",
        f"--basedir={base}",
        f"--lc-messages-dir={base}/share",
        f"--datadir={folder}",
        f"--tmpdir={_scratch(folder)}",
    )
    _run(f"{base}/scripts/mariadb-install-db", *options, "--auth-root-authentication-method=normal", "--skip-test-db")
    password = settings().mysql_root_password.get_secret_value()
    statements = [
        "FLUSH PRIVILEGES",
        "DELETE FROM mysql.global_priv WHERE User IN ('', 'root') AND (User, Host) <> ('root', 'localhost')",
        "FLUSH PRIVILEGES",
        f"ALTER USER root@localhost IDENTIFIED BY '{password}'",
        f"CREATE OR REPLACE USER root@'127.0.0.1' IDENTIFIED BY '{password}'",
        "GRANT ALL ON *.* TO root@'127.0.0.1' WITH GRANT OPTION",
    ]
    _run(f"{base}/bin/mariadbd", *options, "--bootstrap", text="".join(f"{line};\n" for line in statements))
    done.touch()


def _scratch(folder: Path) -> Path:
    """Beside the data folder: a folder in it would count as a database."""
    return folder.with_name(f"{folder.name}-tmp")


def _run(*command: str, text: str = "") -> None:
    result = subprocess.run([*unprivileged(), *command], input=text, check=False, capture_output=True, text=True)
    if result.returncode:
        said = (result.stdout + result.stderr).splitlines()
        tail = "\n".join([line for line in said if "ERROR" in line] or said[-10:])
        raise ServiceError(
            f"{Path(command[0]).name} failed with exit code {result.returncode}:\n{tail}",
            "run `lake up` again, which makes the data folder anew",
        )


def _make_users() -> None:
    """The empty database `shop`, its owner, the lake's reader and the replica's user."""
    config = settings()
    try:
        _ping_primary()
        return
    except pymysql.err.OperationalError as error:
        access_denied = 1045
        if error.args[0] != access_denied:
            raise
    # lake_reader and the replica's user first: that `shop` can log in tells that all is done.
    users = [
        ("lake_reader", config.source_password, READER_GRANTS),
        ("replica", config.replication_password, ("GRANT REPLICATION SLAVE ON *.* TO replica",)),
        ("shop", config.shop_password, ("GRANT ALL ON {database}.* TO shop",)),
    ]
    with _as_root(config.shop_port) as cursor:
        cursor.execute(f"CREATE DATABASE IF NOT EXISTS `{config.source_database}`")
        for user, password, grants in users:
            cursor.execute(f"CREATE OR REPLACE USER {user} IDENTIFIED BY %s", (password.get_secret_value(),))
            for grant in grants:
                cursor.execute(grant.format(database=f"`{config.source_database}`"))


def _follow() -> None:
    """Point the replica at the primary, unless it follows it already."""
    config = settings()
    with _as_root(config.source_port) as cursor:
        cursor.execute("SHOW REPLICA STATUS")
        status = cursor.fetchone()
        if status and status["Master_Port"] == config.shop_port and status["Slave_SQL_Running"] == "Yes":
            return
        cursor.execute("STOP REPLICA")
        cursor.execute(
            "CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=%s, MASTER_USER='replica', MASTER_PASSWORD=%s,"
            " MASTER_USE_GTID=slave_pos, MASTER_CONNECT_RETRY=1",
            (config.shop_port, config.replication_password.get_secret_value()),
        )
        cursor.execute("START REPLICA")


def _ping_primary() -> None:
    config = settings()
    with _connect(config.shop_port, config.shop_user, config.shop_password.get_secret_value()) as cursor:
        cursor.execute("SELECT 1")


def _ping_replica() -> None:
    """As the lake's own reader, so that a missing right shows here and not in a run."""
    config = settings()
    with _connect(config.source_port, config.source_user, config.source_password.get_secret_value()) as cursor:
        cursor.execute("SHOW REPLICA STATUS")
        status = cursor.fetchone()
    if not status:
        raise ServiceError("the replica follows nobody", "run `lake up`")
    if (status["Slave_IO_Running"], status["Slave_SQL_Running"]) != ("Yes", "Yes"):
        raise ServiceError(f"replication stands still: {status['Last_IO_Error'] or status['Last_SQL_Error']}")


@contextmanager
def _as_root(port: int) -> Iterator[DictCursor]:
    with _connect(port, "root", settings().mysql_root_password.get_secret_value()) as cursor:
        yield cursor


@contextmanager
def _connect(port: int, user: str, password: str) -> Iterator[DictCursor]:
    connection: pymysql.Connection[Any] = pymysql.connect(
        host="127.0.0.1", port=port, user=user, password=password, connect_timeout=3, autocommit=True
    )
    with connection, connection.cursor(DictCursor) as cursor:
        yield cursor
