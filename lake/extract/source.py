"""The connection to the source database, and one consistent snapshot of it.

MySQL and MariaDB both: what differs between them (how a snapshot tells its binlog position, how a replica reports its
health) is in this module and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import mysql_arrow
import pymysql
from pymysql.connections import Connection
from pymysql.constants import ER
from pymysql.cursors import DictCursor

from lake.errors import SourceError
from lake.sources import Source

_WRONG_ADDRESS = {ER.ACCESS_DENIED_ERROR, ER.BAD_DB_ERROR}
_HINTS = {
    ER.DBACCESS_DENIED_ERROR: "grant the extraction user SELECT on the database",
    ER.TABLEACCESS_DENIED_ERROR: "grant the extraction user SELECT on the table",
    ER.COLUMNACCESS_DENIED_ERROR: "grant the extraction user SELECT on the column",
    ER.SPECIFIC_ACCESS_DENIED_ERROR: "grant the extraction user the privilege that the message names",
    ER.NO_SUCH_TABLE: "the table is gone: restore it, or delete its contract",
    ER.BAD_FIELD_ERROR: "the column is gone: correct the contract",
}


@dataclass(frozen=True)
class Snapshot:
    """The one instant and binlog position as of which a run reads the source.

    Attributes:
        instant: UTC, by the source's own clock.
        position: GTID set or position, as the server writes it; empty where the server keeps no binlog.
        server: version of the server that was read.
    """

    source: str
    instant: datetime
    position: str
    server: str

    def to_json(self) -> dict[str, str]:
        """Plain values; the instant as ISO 8601."""
        return {**asdict(self), "instant": self.instant.isoformat()}

    @classmethod
    def from_json(cls, value: dict[str, str]) -> Snapshot:
        """The inverse of `to_json`."""
        return cls(**{**value, "instant": datetime.fromisoformat(value["instant"])})  # type: ignore[arg-type]


def source_error(error: Exception, doing: str, source: Source) -> SourceError:
    """The error in one line: what was being done, the server's words, and the way out."""
    code, said = error.args[0] if error.args else 0, error.args[-1] if error.args else error
    if isinstance(error, mysql_arrow.ServerError):
        said = error.message
    words = f"{code}: {said}" if isinstance(code, int) and code else str(error)
    away = f"is the database up, and reachable from here? look at `lake status`, or {source.mend}"
    hint = source.mend if code in _WRONG_ADDRESS else _HINTS.get(code, away)
    return SourceError(f"{doing} {source.name} ({source.where}): {words}", hint)


@contextmanager
def connected(source: Source) -> Iterator[Connection[Any]]:
    """A connection of the source's user, in UTC, that reads with the strictness of the server.

    Raises:
        SourceError: the database is away or refuses us, now or inside the block.
    """
    try:
        connection: Connection[Any] = pymysql.connect(
            host=source.host,
            port=source.port,
            user=source.user,
            password=source.password.get_secret_value(),
            database=source.database,
            charset="utf8mb4",
            collation="utf8mb4_bin",
            init_command="SET time_zone = '+00:00'",
            connect_timeout=10,
            # A replica that stalls must fail the task, not hang it.
            read_timeout=600,
            autocommit=True,
            cursorclass=DictCursor,
        )
    except pymysql.err.MySQLError as error:
        raise source_error(error, "cannot connect to the source", source) from error
    try:
        yield connection
    except (pymysql.err.MySQLError, mysql_arrow.ServerError, mysql_arrow.ConnectionLost) as error:
        raise source_error(error, "cannot read the source", source) from error
    finally:
        if connection.open:
            connection.close()


def fetch(connection: Connection[Any], statement: str, parameters: tuple[Any, ...] = ()) -> list[Any]:
    """All rows of a small query, each as a dictionary with lower-case names.

    Args:
        statement: a template: parameters stand as ``%s``, and any other ``%`` is doubled, which `quote` does in names.
    """
    with connection.cursor() as cursor:
        # Never None, with which PyMySQL would leave the template as it is.
        cursor.execute(statement, parameters)
        return [{str(name).lower(): value for name, value in row.items()} for row in cursor.fetchall()]


@contextmanager
def snapshot(connection: Connection[Any], source: Source) -> Iterator[Snapshot]:
    """Hold one consistent read view of all tables for the length of the block.

    ``START TRANSACTION WITH CONSISTENT SNAPSHOT`` takes no lock and needs no privilege. The instant is read directly
    before it: the view may hold a little more than the instant says, never less, which is the safe side for a
    watermark.
    """
    fetch(connection, "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    (row,) = fetch(connection, "SELECT UTC_TIMESTAMP(6) AS instant, VERSION() AS version")
    instant, version = row["instant"].replace(tzinfo=UTC), str(row["version"])
    fetch(connection, "START TRANSACTION WITH CONSISTENT SNAPSHOT")
    yield Snapshot(source.name, instant, _position(connection, "mariadb" in version.lower()), version)
    connection.rollback()


def _position(connection: Connection[Any], is_mariadb: bool) -> str:
    """The binlog position of the open read view.

    MariaDB keeps the position of the view itself (status variables ``binlog_snapshot_*``). MySQL has none, so there it
    is the executed GTID set at the view's opening, which may name transactions that the view does not hold yet.
    """
    if is_mariadb:
        values = fetch(connection, "SHOW STATUS LIKE 'binlog_snapshot_%%'")
        found = {row["variable_name"].lower(): row["value"] for row in values}
        place = (found.get("binlog_snapshot_file", ""), int(found.get("binlog_snapshot_position") or 0))
        gtid = fetch(connection, "SELECT BINLOG_GTID_POS(%s, %s) AS gtid", place)[0]["gtid"]
        return str(gtid or f"{place[0]}:{place[1]}").removeprefix(":0")
    return str(fetch(connection, "SELECT @@GLOBAL.gtid_executed AS position")[0]["position"]).replace("\n", "")


def check_replica(connection: Connection[Any], source: Source) -> None:
    """Refuse a replica whose replication is broken: its data would silently be old.

    A server that is no replica passes.

    Raises:
        SourceError: replication stands still; the server's own reason is in the message.
    """
    version = str(fetch(connection, "SELECT VERSION() AS version")[0]["version"]).lower()
    statement = "SHOW ALL SLAVES STATUS" if "mariadb" in version else "SHOW REPLICA STATUS"
    for row in fetch(connection, statement):
        running = [row.get(name) for name in row if name.endswith(("_io_running", "_sql_running"))]
        if "No" in running:
            reason = row.get("last_sql_error") or row.get("last_io_error") or "it was stopped"
            raise SourceError(
                f"the replica {source.host}:{source.port} of {source.name} does not replicate: {reason}",
                f"mend it and start replication again (START REPLICA), or read another one: {source.mend}",
            )
