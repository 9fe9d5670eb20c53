"""One consistent snapshot of all tables, read over several connections.

A read view belongs to one connection, so views that show the same state must be opened while nothing changes, or be
compared afterwards. From the least to the most intrusive way:

``agreed``   open the views and compare the binlog positions that they show; try again when the shop committed meanwhile
``paused``   stop the replica's applier for the moment in which the views are opened
``locked``   hold ``FLUSH TABLES WITH READ LOCK`` for that moment
``single``   one connection, whose view needs no company

MySQL and MariaDB tell the position of a view differently; that is in this module and nowhere else.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import pymysql
from pymysql.connections import Connection

from lake.errors import SourceError
from lake.source import client
from lake.source.client import fetch
from lake.source.sources import Source

log = logging.getLogger(__name__)

Way = Literal["agreed", "paused", "locked", "single"]
WAYS: tuple[Way, ...] = ("agreed", "paused", "locked", "single")
AGREEMENT_TRIES = 5
LOCK_WAIT_SECONDS = 5
"""How long the shop may have to wait behind our request for the lock, when a long query of its own is in our way."""


@dataclass(frozen=True)
class Snapshot:
    """The one instant and binlog position as of which a run reads the source.

    Attributes:
        instant: UTC, by the source's own clock.
        position: GTID set or position, as the server writes it; empty where the server keeps no binlog.
        server: version of the server that was read.
        way: how the connections came to show the same state.
        connections: how many there were.
    """

    source: str
    instant: datetime
    position: str
    server: str
    way: Way = "single"
    connections: int = 1

    def to_json(self) -> dict[str, Any]:
        """Plain values; the instant as ISO 8601."""
        return {**asdict(self), "instant": self.instant.isoformat()}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Snapshot:
        """The inverse of `to_json`."""
        return cls(**{**value, "instant": datetime.fromisoformat(value["instant"])})


@dataclass(frozen=True)
class View:
    """A snapshot with the connections that show it; each is for one thread at a time."""

    snapshot: Snapshot
    connections: list[Connection[Any]]


@contextmanager
def consistent(origin: Source, wanted: int, ways: tuple[Way, ...] = WAYS) -> Iterator[View]:
    """Open up to ``wanted`` connections that all show the source as of one instant.

    The instant is read before the first view is opened: a view may hold a little more than the instant says, never
    less, which is the safe side for a watermark.

    Args:
        ways: the ways that may be tried, in this order; ``single`` always succeeds, with one connection.

    Raises:
        SourceError: the source is away or refuses us, or none of the ways could be had.
    """
    with ExitStack() as stack:
        connections = [stack.enter_context(client.connected(origin)) for _ in range(max(wanted, 1))]
        first = connections[0]
        version = str(fetch(first, "SELECT VERSION() AS version")[0]["version"])
        is_mariadb = "mariadb" in version.lower()
        if len(connections) == 1:
            ways = ("single",)
        for way in ways:
            instant = fetch(first, "SELECT UTC_TIMESTAMP(6) AS instant")[0]["instant"].replace(tzinfo=UTC)
            position = _open(way, origin, connections, is_mariadb)
            if position is None:
                log.info("the snapshot could not be %s over %s connections", way, len(connections))
                continue
            used = connections[:1] if way == "single" else connections
            snapshot = Snapshot(origin.name, instant, position, version, way, len(used))
            log.info("%s snapshot of %s over %s connections, at %s, position %s", way, snapshot.source, len(used),
                     instant, position)  # fmt: skip
            yield View(snapshot, used)
            for connection in used:
                if connection.open:
                    connection.rollback()
            return
    raise SourceError(
        f"no consistent snapshot over {wanted} connections could be had by: {', '.join(ways)}",
        "allow 'single', or grant what the other ways need: docs/extraction.md",
    )


def _open(way: Way, origin: Source, connections: list[Connection[Any]], is_mariadb: bool) -> str | None:
    """Open the views; their position, or nothing when this way cannot be gone here."""
    match way:
        case "single":
            return _begin(connections[:1], is_mariadb)
        case "agreed":
            for _ in range(AGREEMENT_TRIES):
                position = _begin(connections, is_mariadb)
                if position:
                    return position
            return None
        case "paused":
            return _paused(origin, connections, is_mariadb)
        case "locked":
            return _locked(origin, connections, is_mariadb)


def _begin(connections: list[Connection[Any]], is_mariadb: bool) -> str | None:
    """Begin a view on each connection; the position that all of them show, or nothing where they differ.

    A single connection always agrees with itself. For several a server without a binlog gives no proof.
    """
    before = "" if is_mariadb else _executed(connections[0])
    positions = set()
    for connection in connections:
        fetch(connection, "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        fetch(connection, "START TRANSACTION WITH CONSISTENT SNAPSHOT")
        if is_mariadb:
            positions.add(_position_of_view(connection))
    if not is_mariadb:
        # MySQL's views do not tell their position. Nothing was committed meanwhile when both ends show the same set.
        positions = {before, _executed(connections[-1])}
    if len(connections) == 1:
        return positions.pop() if is_mariadb else before
    return positions.pop() if len(positions) == 1 and "" not in positions else None


def _position_of_view(connection: Connection[Any]) -> str:
    """MariaDB keeps the position of the view itself, in the status variables ``binlog_snapshot_*``."""
    values = fetch(connection, "SHOW STATUS LIKE 'binlog_snapshot_%%'")
    found = {row["variable_name"].lower(): row["value"] for row in values}
    place = (found.get("binlog_snapshot_file", ""), int(found.get("binlog_snapshot_position") or 0))
    gtid = fetch(connection, "SELECT BINLOG_GTID_POS(%s, %s) AS gtid", place)[0]["gtid"]
    return str(gtid or f"{place[0]}:{place[1]}").removeprefix(":0")


def _executed(connection: Connection[Any]) -> str:
    executed = fetch(connection, "SELECT @@GLOBAL.gtid_executed AS position")[0]["position"]
    return str(executed).replace("\n", "")


def _paused(origin: Source, connections: list[Connection[Any]], is_mariadb: bool) -> str | None:
    stop, start = (
        ("STOP SLAVE SQL_THREAD", "START SLAVE SQL_THREAD")
        if is_mariadb
        else ("STOP REPLICA SQL_THREAD", "START REPLICA SQL_THREAD")
    )
    with client.connected(origin) as control:
        if not client.replication(control):
            return None
        try:
            fetch(control, stop)
        except pymysql.err.MySQLError as error:
            log.info("%s: %s", stop, error)
            return None
        try:
            return _begin(connections, is_mariadb)
        finally:
            fetch(control, start)


def _locked(origin: Source, connections: list[Connection[Any]], is_mariadb: bool) -> str | None:
    with client.connected(origin) as control:
        try:
            fetch(control, f"SET SESSION lock_wait_timeout = {LOCK_WAIT_SECONDS}")
            fetch(control, "FLUSH TABLES WITH READ LOCK")
        except pymysql.err.MySQLError as error:
            log.info("FLUSH TABLES WITH READ LOCK: %s", error)
            return None
        try:
            return _begin(connections, is_mariadb)
        finally:
            fetch(control, "UNLOCK TABLES")
