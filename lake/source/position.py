"""Where a server's binlog stands: the place from which the next run reads what changed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from pymysql.connections import Connection

from lake.source.client import fetch
from lake.source.server import Server


@dataclass(frozen=True)
class Position:
    """A place in the binlog of one server, after the last transaction that a snapshot holds.

    Attributes:
        server: the server's identity.
        gtid: MariaDB's list ``domain-server-sequence,…`` or MySQL's set; empty where there are no GTIDs.
        file: name of the binlog file; empty on MySQL, where the place in the file is not exactly known.
        offset: bytes into the file.
    """

    server: str
    gtid: str = ""
    file: str = ""
    offset: int = 0

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Position:
        """The inverse of `to_json`."""
        return cls(**value)

    @property
    def place(self) -> tuple[int, int]:
        """File number and offset: greater is later, within one server's binlog."""
        return int(self.file.rpartition(".")[2]), self.offset


def read(connection: Connection[Any], server: Server) -> Position | None:
    """The binlog's place as of a consistent snapshot; None if it cannot be known safely.

    On MariaDB call it inside the snapshot: the server tells the place of the view itself. On MySQL call it directly
    before the snapshot is opened: a GTID is in ``gtid_executed`` only once its transaction is visible, so the view
    holds at least what the position names, and the next run reads what both hold a second time. Asked afterwards, even
    when a lock was held meanwhile, it could name what the view does not hold. MySQL's place in its files runs ahead of
    what is visible, so without GTIDs there is none.
    """
    if server.why_no_binlog():
        return None
    if server.is_mariadb:
        rows = fetch(connection, "SHOW STATUS LIKE 'binlog_snapshot_%%'")
        found = {str(row["variable_name"]).lower(): row["value"] for row in rows}
        file, offset = str(found.get("binlog_snapshot_file") or ""), int(found.get("binlog_snapshot_position") or 0)
        return Position(server.identity, _mariadb_gtid(connection, file, offset) or "", file, offset) if file else None
    if server.variables.get("gtid_mode") != "ON":
        return None
    gtid = str(fetch(connection, "SELECT @@GLOBAL.gtid_executed AS gtid")[0]["gtid"]).replace("\n", "")
    return Position(server.identity, gtid)


def why_not_from(connection: Connection[Any], server: Server, start: Position) -> str:
    """Why the binlog cannot be read from a stored place on; empty if it can.

    The server is asked whether the place still exists (binlogs are purged) and is a place of its own history: a
    server that was restored from a backup, or another one at the same address, may number its transactions alike.
    """
    if start.gtid and not server.is_mariadb:
        row = fetch(
            connection,
            "SELECT GTID_SUBSET(%s, @@GLOBAL.gtid_executed) AS is_known, "
            "GTID_SUBTRACT(@@GLOBAL.gtid_purged, %s) AS purged",
            (start.gtid, start.gtid),
        )[0]
        if not row["is_known"]:
            return f"the server does not know all of the transactions {start.gtid} that were read before"
        return f"the binlog is purged: transactions {row['purged']} are needed" if row["purged"] else ""
    if start.server != server.identity:
        return f"another server answers ({server.identity}, before it was {start.server})"
    sizes = {row["log_name"]: int(row["file_size"]) for row in fetch(connection, "SHOW BINARY LOGS")}
    if start.file not in sizes:
        return f"the binlog is purged: {start.file} is needed, the oldest is {min(sizes, default='gone')}"
    if start.offset > sizes[start.file]:
        return f"{start.file} is shorter than it was at the last run: the server was set back"
    if server.is_mariadb and (gtid := _mariadb_gtid(connection, start.file, start.offset)) != start.gtid:
        return f"{start.file}:{start.offset} is at {gtid}, and was at {start.gtid}: the server was set back"
    return ""


def _mariadb_gtid(connection: Connection[Any], file: str, offset: int) -> str | None:
    gtid: str | None = fetch(connection, "SELECT BINLOG_GTID_POS(%s, %s) AS gtid", (file, offset))[0]["gtid"]
    return gtid
