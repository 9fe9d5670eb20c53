"""Waiting until the replica, which the lake reads, has applied what the shop has committed."""

from __future__ import annotations

import time
from typing import Any

from pymysql.connections import Connection

from lake.errors import ServiceError
from lake.settings import settings
from lake.shop.database import connect, speaking, value

TIMEOUT_SECONDS = 300


def wait_for_replica(primary: Connection[Any], timeout_seconds: int = TIMEOUT_SECONDS) -> float:
    """Wait until the source that the settings name has applied everything that ``primary`` has committed.

    Returns:
        seconds waited; 0 where source and shop are the same server.

    Raises:
        SourceError: when the replica cannot be reached.
        ServiceError: when it does not catch up in time, or the primary keeps no binary log to follow.
    """
    config = settings()
    if (config.source_host, config.source_port) == (config.shop_host, config.shop_port):
        return 0.0
    password = config.source_password.get_secret_value()
    replica = connect(
        config.source_host, config.source_port, config.source_user, password, config.source_database, "LAKE_SOURCE"
    )
    try:
        with speaking(primary):
            server, position = _identity(primary), committed(primary)
        with speaking(replica):
            if _identity(replica) == server:
                return 0.0
            if not position:
                raise ServiceError(
                    f"the shop's server {server} keeps no binary log with GTIDs, so no replica can follow it",
                    "start it with a binary log (on MySQL also gtid_mode=ON), or let LAKE_SOURCE_* name this server",
                )
            started = time.monotonic()
            if not has_applied(replica, position, timeout_seconds):
                raise ServiceError(
                    f"the replica {config.source_host}:{config.source_port} has not applied {position} "
                    f"within {timeout_seconds} s",
                    "look at `lake logs` and at its SHOW REPLICA STATUS: replication may have stopped",
                )
            return time.monotonic() - started
    finally:
        replica.close()


def _is_mariadb(connection: Connection[Any]) -> bool:
    return "mariadb" in str(value(connection, "SELECT VERSION()")).lower()


def _identity(connection: Connection[Any]) -> str:
    return str(value(connection, "SELECT CONCAT(@@hostname, ':', @@port, ' (server ', @@server_id, ')')"))


def committed(primary: Connection[Any]) -> str:
    """The GTIDs that the primary has written, or nothing where it writes none."""
    variable = "@@GLOBAL.gtid_binlog_pos" if _is_mariadb(primary) else "@@GLOBAL.gtid_executed"
    return str(value(primary, f"SELECT {variable}") or "").replace("\n", "")


def has_applied(replica: Connection[Any], position: str, timeout_seconds: int) -> bool:
    """Whether the replica applies all of these GTIDs within the time."""
    function = "MASTER_GTID_WAIT" if _is_mariadb(replica) else "WAIT_FOR_EXECUTED_GTID_SET"
    # Both answer 0 when the position is reached; at the timeout MariaDB says -1 and MySQL 1.
    return bool(value(replica, f"SELECT {function}(%s, %s)", (position, timeout_seconds)) == 0)
