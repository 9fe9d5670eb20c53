"""MariaDB: its views tell their own position, which makes everything else simple."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pymysql.connections import Connection

from lake.source.client import fetch
from lake.source.dialect import Agreement, Dialect, Proof, open_views
from lake.source.position import Position

_PROOF = "every view tells the same place of the binlog"


class MariaDb(Dialect):
    """MariaDB 10.11 and 11.4, and what answers like them."""

    name = "MariaDB"
    monitor_privilege = "BINLOG MONITOR"
    _binlog_status = ("SHOW MASTER STATUS",)
    _replica_status = ("SHOW ALL SLAVES STATUS",)
    _committed = "@@GLOBAL.gtid_binlog_pos"
    _wait_for = "MASTER_GTID_WAIT"
    _rows_of_access = ("rows",)

    @property
    def tells_cascades(self) -> bool:
        """InnoDB does them by itself."""
        return False

    @property
    def rests_without_applier(self) -> bool:
        """Who writes all the same is found out by the views' positions."""
        return True

    def start_before(self, connection: Connection[Any]) -> Position | None:
        """None: the view tells it."""
        return None

    def places(self, view: Connection[Any], before: Position | None) -> tuple[Position | None, Position | None]:
        """Both are the view's own position."""
        file, offset = _place_of_view(view)
        position = Position(self.identity, _gtid(view, file, offset) or "", file, offset) if file else None
        return position, position

    def why_not_from(self, connection: Connection[Any], start: Position) -> str:
        """By the file, and by the GTID that the server finds there."""
        if start.server != self.identity:
            return f"another server answers ({self.identity}, before it was {start.server})"
        sizes = {row["log_name"]: int(row["file_size"]) for row in fetch(connection, "SHOW BINARY LOGS")}
        if start.file not in sizes:
            return f"the binlog is purged: {start.file} is needed, the oldest is {min(sizes, default='gone')}"
        if start.offset > sizes[start.file]:
            return f"{start.file} is shorter than it was at the last run: the server was set back"
        if (gtid := _gtid(connection, start.file, start.offset)) != start.gtid:
            return f"{start.file}:{start.offset} is at {gtid}, and was at {start.gtid}: the server was set back"
        return ""

    def transactions(self, gtids: str) -> int:
        """A position is the last transaction of each domain; in a domain they are numbered one by one."""
        return sum(_sequences(gtids).values())

    def not_applied(self, connection: Connection[Any], gtids: str) -> int:
        """What the replica has applied is the last transaction of each domain as well."""
        (row,) = fetch(connection, "SELECT @@GLOBAL.gtid_slave_pos AS applied")
        applied = _sequences(str(row["applied"] or ""))
        return sum(max(0, last - applied.get(domain, 0)) for domain, last in _sequences(gtids).items())

    def proofs(self, control: Connection[Any]) -> list[Proof]:
        """Views that tell one place of the binlog are one; a server without a binlog tells none."""
        return [Proof(True, self.begin)] if self.variables.get("log_bin") == "ON" else []

    def begin(self, control: Connection[Any], views: Sequence[Connection[Any]]) -> Agreement | None:
        """The views are asked all the same."""
        open_views(views)
        positions = {_position_of_view(view) for view in views}
        return Agreement(positions.pop(), True, _PROOF) if len(positions) == 1 else None


def _sequences(gtids: str) -> dict[str, int]:
    """The last transaction of each domain, of a list ``domain-server-sequence,…``."""
    parts = (gtid.strip().split("-") for gtid in gtids.split(",") if gtid.strip())
    return {domain: int(sequence) for domain, _, sequence in parts}


def _place_of_view(view: Connection[Any]) -> tuple[str, int]:
    """MariaDB keeps the place of the view that is open in the status variables ``binlog_snapshot_*``."""
    rows = fetch(view, "SHOW STATUS LIKE 'binlog_snapshot_%%'")
    found = {str(row["variable_name"]).lower(): row["value"] for row in rows}
    return str(found.get("binlog_snapshot_file") or ""), int(found.get("binlog_snapshot_position") or 0)


def _position_of_view(view: Connection[Any]) -> str:
    file, offset = _place_of_view(view)
    return str(_gtid(view, file, offset) or f"{file}:{offset}") if file else ""


def _gtid(connection: Connection[Any], file: str, offset: int) -> str | None:
    gtid: str | None = fetch(connection, "SELECT BINLOG_GTID_POS(%s, %s) AS gtid", (file, offset))[0]["gtid"]
    return gtid
