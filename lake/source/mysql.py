"""MySQL: its views tell nothing of themselves, so what they show is proven from outside.

A transaction goes a long way: it is prepared in the engine, written to the binlog, committed in the engine, where new
views see it from then on, and last of all its GTID is added to ``gtid_executed``. Between two of these steps anything
may be asked. What can be relied on is their order:

- What is in ``gtid_executed`` is visible to every view that is opened later.
- What a view shows was in the binlog before the view was opened.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import pymysql
from pymysql.connections import Connection

from lake.source.client import fetch
from lake.source.dialect import DENIED, Agreement, Dialect, Proof, open_views
from lake.source.position import Position

_Answer = TypeVar("_Answer")


class MySql(Dialect):
    """MySQL 8.0, 8.4 and 9.7, and what answers like them."""

    name = "MySQL"
    monitor_privilege = "REPLICATION CLIENT"
    _binlog_status = ("SHOW BINARY LOG STATUS", "SHOW MASTER STATUS")
    _replica_status = ("SHOW REPLICA STATUS", "SHOW SLAVE STATUS")
    _committed = "@@GLOBAL.gtid_executed"
    _wait_for = "WAIT_FOR_EXECUTED_GTID_SET"
    # The document's first version, and its second.
    _rows_of_access = ("rows_examined_per_scan", "estimated_rows")

    @property
    def tells_cascades(self) -> bool:
        """Servers that let the engine do them lack the variable, or have it switched on."""
        return self.variables.get("innodb_native_foreign_keys", "ON") == "OFF"

    @property
    def rests_without_applier(self) -> bool:
        """``read_only`` alone would let administrators write."""
        return self.variables.get("super_read_only") == "ON"

    @property
    def _has_gtids(self) -> bool:
        return self.variables.get("gtid_mode") == "ON"

    def start_before(self, connection: Connection[Any]) -> Position | None:
        """What is executed now is visible to the view that is opened next, which may hold more.

        Without GTIDs there is no such place: the binlog's files run ahead of what is visible.
        """
        return Position(self.identity, _executed(connection)) if self._has_gtids else None

    def places(self, view: Connection[Any], before: Position | None) -> tuple[Position | None, Position | None]:
        """The start was asked before; the end is where the binlog stands now, after the view was opened."""
        if before is None:
            return None, None
        status = self.binlog_status(view)
        end = Position(self.identity, "", status["file"], int(status["position"])) if status else None
        return before, end

    def why_not_from(self, connection: Connection[Any], start: Position) -> str:
        """By the set of transactions, whichever server of the group answers."""
        if start.file:
            return f"a server of another kind answers, before it was one whose binlog stood at {start.file}"
        if not start.gtid:
            return "the last run left no GTIDs"
        row = fetch(
            connection,
            "SELECT GTID_SUBSET(%s, @@GLOBAL.gtid_executed) AS is_known, "
            "GTID_SUBTRACT(@@GLOBAL.gtid_purged, %s) AS purged",
            (start.gtid, start.gtid),
        )[0]
        if not row["is_known"]:
            return f"the server does not know all of the transactions {start.gtid} that were read before"
        return f"the binlog is purged: transactions {row['purged']} are needed" if row["purged"] else ""

    def transactions(self, gtids: str) -> int:
        """A set is written ``uuid:1-5:8,uuid:tag:1-3``: https://dev.mysql.com/doc/refman/en/replication-gtids-concepts.html"""
        bounds = re.findall(r":(\d+)(?:-(\d+))?", gtids)
        return sum(int(last or first) - int(first) + 1 for first, last in bounds)

    def not_applied(self, connection: Connection[Any], gtids: str) -> int:
        """The server itself subtracts."""
        (row,) = fetch(connection, "SELECT GTID_SUBTRACT(%s, @@GLOBAL.gtid_executed) AS missing", (gtids,))
        return self.transactions(str(row["missing"]))

    def proofs(self, control: Connection[Any]) -> list[Proof]:
        """By the binlog, which tells the position as well, and by the engine."""
        logged = self.variables.get("log_replica_updates", self.variables.get("log_slave_updates"))
        found = []
        if self._has_gtids and self.variables.get("log_bin") == "ON" and logged != "OFF":
            status = _unless_denied(self.binlog_status, control)
            if status and not status["binlog_do_db"] and not status["binlog_ignore_db"]:
                found.append(Proof(True, self._while_the_binlog_rests))
        if _unless_denied(_engine, control):
            found.append(Proof(False, self._while_the_engine_rests))
        return found

    def begin(self, control: Connection[Any], views: Sequence[Connection[Any]]) -> Agreement | None:
        """What is executed is the least that they show, and all of it where nothing is on its way."""
        position = _executed(control) if self._has_gtids else ""
        open_views(views)
        return Agreement(position, False, "")

    def _while_the_binlog_rests(self, control: Connection[Any], views: Sequence[Connection[Any]]) -> Agreement | None:
        """Nothing is written to the binlog while the views are opened, and before that nothing is on its way.

        A transaction owns its GTID from before it is written to the binlog until it is in ``gtid_executed``. So when
        none is owned, all that the binlog holds is executed and visible; and when the binlog ends where it did,
        nothing that it does not hold has become visible. The set is then exactly what each view shows.

        Not seen is what somebody keeps out of the binlog (``sql_log_bin = 0``), as an increment does not see it either.
        """
        before = self.binlog_status(control)
        if fetch(control, "SELECT @@GLOBAL.gtid_owned AS gtid")[0]["gtid"]:
            return None
        open_views(views)
        after = self.binlog_status(control)
        if (before["file"], before["position"]) != (after["file"], after["position"]):
            return None
        position = str(after["executed_gtid_set"]).replace("\n", "")
        return Agreement(position, True, "nothing was written to the binlog while the views were opened")

    def _while_the_engine_rests(self, control: Connection[Any], views: Sequence[Connection[Any]]) -> Agreement | None:
        """No transaction of the engine begins or ends while the views are opened. Needs the privilege PROCESS.

        A view shows the transactions that have a smaller number than the next one, less those that are open. InnoDB
        takes the numbers of beginning and committing transactions from one counter. If it stands still, no view can
        have an open transaction that was not there before; and if those that were open before are open afterwards,
        every view left out the same. Views of readers are not printed themselves, so they cannot be compared directly.
        """
        position = _executed(control) if self._has_gtids else ""
        before = _engine(control)
        open_views(views)
        after = _engine(control)
        if before is None or after is None or before.next != after.next:
            return None
        if before.open != {number for number in after.active if number < before.next}:
            return None
        return Agreement(position, False, "no transaction began or ended while the views were opened")


@dataclass(frozen=True)
class _Engine:
    """What InnoDB says of its transactions.

    Attributes:
        next: number of the next one.
        open: numbers of those that write, and of those that are just ending.
        active: of these, without those that are ending.
    """

    next: int
    open: frozenset[int]
    active: frozenset[int]


_READERS = 1 << 48
"""Numbers of transactions have 48 bits; those that only read are printed with larger ones, made of an address."""


def _engine(connection: Connection[Any]) -> _Engine | None:
    """The monitor's section on transactions; None where the report was too long and has a gap."""
    (row,) = fetch(connection, "SHOW ENGINE INNODB STATUS")
    return engine(str(row["status"]))


def engine(report: str) -> _Engine | None:
    """Read InnoDB's report, whose form is ``lock_print_info_summary`` and ``trx_print_low`` of its source."""
    counter = re.search(r"^Trx id counter (\d+)", report, re.MULTILINE)
    if counter is None or "... truncated..." in report:
        return None
    listed = re.findall(r"^---TRANSACTION (\d+), (?!not started)(\w+)", report, re.MULTILINE)
    writers = {int(number): state for number, state in listed if int(number) < _READERS}
    active = frozenset(number for number, state in writers.items() if state == "ACTIVE")
    return _Engine(int(counter[1]), frozenset(writers), active)


def _executed(connection: Connection[Any]) -> str:
    return str(fetch(connection, "SELECT @@GLOBAL.gtid_executed AS gtid")[0]["gtid"]).replace("\n", "")


def _unless_denied(question: Callable[[Connection[Any]], _Answer], connection: Connection[Any]) -> _Answer | None:
    """The answer, or None where the user may not ask."""
    try:
        return question(connection)
    except pymysql.err.OperationalError as error:
        if error.args[0] not in DENIED:
            raise
        return None
