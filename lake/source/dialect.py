"""What differs between servers, asked for by what is wanted of them.

`lake.source.detection` finds out which dialect a server speaks. A statement that has several names is tried by each.
"""

from __future__ import annotations

import json
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pymysql
from pymysql.connections import Connection
from pymysql.constants import ER

from lake.source.client import fetch
from lake.source.position import Position

log = logging.getLogger(__name__)

DENIED = {ER.SPECIFIC_ACCESS_DENIED_ERROR, ER.ACCESS_DENIED_ERROR, ER.DBACCESS_DENIED_ERROR}


@dataclass(frozen=True)
class Agreement:
    """Why several views are known to show one state.

    Attributes:
        position: GTIDs or place in the binlog, as the server writes it; empty where the server keeps no binlog.
        is_exact: whether the views hold exactly what the position names; else they hold at least that.
        proof: in a few words, for log and manifest.
    """

    position: str
    is_exact: bool
    proof: str


@dataclass(frozen=True)
class Replication:
    """The state of one of a replica's connections to its primary.

    Attributes:
        is_stopped: one of its threads does not run.
        is_applying: the applier runs.
        reason: why it stopped, in the server's words; empty if it gives none.
        lag_seconds: how far it is behind; None while that is not known.
        host, port: of the primary, as the replica knows it.
        is_receiving: the receiver is connected to the primary.
        received: GTIDs of what it has received, applied or not; empty where it keeps none.
    """

    is_stopped: bool
    is_applying: bool
    reason: str
    lag_seconds: float | None
    host: str = ""
    port: int = 0
    is_receiving: bool = False
    received: str = ""


@dataclass(frozen=True)
class Proof:
    """A way to open views that show one state.

    Attributes:
        is_exact: whether it tells the position of the views exactly.
        attempt: opens a view on each of several prepared connections, once, with questions over another one before
            them; gives nothing where the views are not proven to be one, because something was committed meanwhile.
    """

    is_exact: bool
    attempt: Callable[[Connection[Any], Sequence[Connection[Any]]], Agreement | None]


class Dialect(ABC):
    """How one kind of server is asked.

    Args:
        variables: of the server, with lower-case names, at least those of `VARIABLES` that it has.
    """

    name: ClassVar[str]
    monitor_privilege: ClassVar[str]
    """What lets a user see where the binlog stands; beside it REPLICATION SLAVE is needed to read it."""
    replica_privilege: ClassVar[str]
    """What lets a user see whether a replica replicates."""

    _binlog_status: ClassVar[tuple[str, ...]]
    _replica_status: ClassVar[tuple[str, ...]]
    _committed: ClassVar[str]
    _wait_for: ClassVar[str]
    _rows_of_access: ClassVar[tuple[str, ...]]
    """Names under which the document of EXPLAIN tells how many rows an access reads."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.variables = variables

    @property
    def identity(self) -> str:
        """What tells this server from every other one, as well as it can."""
        return next((self.variables[name] for name in _IDENTITY if self.variables.get(name)), "")

    @property
    def system(self) -> str:
        """The kind of server as spans have it: OpenTelemetry's ``db.system.name``."""
        return self.name.lower()

    @property
    @abstractmethod
    def tells_cascades(self) -> bool:
        """Whether the binlog holds what foreign keys change and delete by themselves, when this server wrote it.

        A replica that would tell them does not write down what they do to events of a primary that does not.
        """

    @property
    @abstractmethod
    def rests_without_applier(self) -> bool:
        """Whether views that are opened while a replica's applier stands are known to be one: nobody else writes."""

    # -- the binlog
    @abstractmethod
    def start_before(self, connection: Connection[Any]) -> Position | None:
        """Where the next increment may start, asked before the view is opened; None if the view itself tells it."""

    @abstractmethod
    def places(self, view: Connection[Any], before: Position | None) -> tuple[Position | None, Position | None]:
        """Start of the next increment and end of this one, asked inside the view: it holds all that lies before the
        start, and nothing that lies behind the end. None where it cannot be known.

        Args:
            before: what `start_before` gave.
        """

    @abstractmethod
    def why_not_from(self, connection: Connection[Any], start: Position) -> str:
        """Why the binlog cannot be read from a stored place on; empty if it can.

        The server is asked whether the place still exists (binlogs are purged) and is a place of its own history: a
        server that was restored from a backup, or another one at the same address, may number its transactions alike.
        """

    def binlog_status(self, connection: Connection[Any]) -> dict[str, Any]:
        """Where the binlog stands (``file``, ``position``) and what it leaves out; empty where there is none."""
        rows = ask(connection, *self._binlog_status)
        return rows[0] if rows else {}

    def binlog_filters(self, connection: Connection[Any]) -> str:
        """Databases that the binlog leaves out or is limited to; empty where it holds all, or the user may not ask."""
        try:
            status = self.binlog_status(connection)
        except pymysql.err.OperationalError as error:
            if error.args[0] not in DENIED:
                raise
            return ""
        return ", ".join(str(status[name]) for name in ("binlog_do_db", "binlog_ignore_db") if status.get(name))

    # -- consistent views
    @abstractmethod
    def proofs(self, control: Connection[Any]) -> list[Proof]:
        """Those that this server allows this user, the best first."""

    @abstractmethod
    def begin(self, control: Connection[Any], views: Sequence[Connection[Any]]) -> Agreement | None:
        """Open a view on each connection while nothing is committed, or on one connection; None if they differ."""

    # -- replication
    def replication(self, connection: Connection[Any]) -> list[Replication] | None:
        """The state of a replica's connections; none for a server that is no replica. None: the user may not ask."""
        try:
            return [_replication(row) for row in ask(connection, *self._replica_status)]
        except pymysql.err.OperationalError as error:
            if error.args[0] not in DENIED:
                raise
            log.warning("whether replication is healthy is not known: %s", error.args[-1])
            return None

    def stop_applier(self, connection: Connection[Any]) -> None:
        """Let the replica apply nothing more; what it has begun is finished first."""
        ask(connection, "STOP REPLICA SQL_THREAD", "STOP SLAVE SQL_THREAD")

    def start_applier(self, connection: Connection[Any]) -> None:
        """Let the replica go on; does nothing where it does."""
        ask(connection, "START REPLICA SQL_THREAD", "START SLAVE SQL_THREAD")

    def committed(self, connection: Connection[Any]) -> str:
        """GTIDs of all that this server has committed and a replica of it will apply; empty where it writes none."""
        (row,) = fetch(connection, f"SELECT {self._committed} AS gtids")
        return str(row["gtids"] or "").replace("\n", "")

    def has_applied(self, connection: Connection[Any], gtids: str, timeout_seconds: int) -> bool:
        """Whether this server applies all of these transactions of its primary within the time."""
        (row,) = fetch(connection, f"SELECT {self._wait_for}(%s, %s) AS answer", (gtids, timeout_seconds))
        return bool(row["answer"] == 0)

    @abstractmethod
    def transactions(self, gtids: str) -> int:
        """How many transactions these GTIDs stand for, as `committed` gives them."""

    @abstractmethod
    def not_applied(self, connection: Connection[Any], gtids: str) -> int:
        """How many of these transactions of its primary this server has not applied."""

    # -- the optimiser
    def estimated_rows(self, connection: Connection[Any], query: str) -> int:
        """How many rows of its one table a query reads, by the optimiser's estimate: nothing is scanned."""
        (row,) = fetch(connection, f"EXPLAIN FORMAT=JSON {query}")
        return next(self._accesses(json.loads(row["explain"])), 0)

    def _accesses(self, node: Any) -> Iterator[int]:
        """Rows of every access in a plan, the innermost first."""
        if isinstance(node, list):
            for each in node:
                yield from self._accesses(each)
        elif isinstance(node, dict):
            for each in node.values():
                yield from self._accesses(each)
            yield from (int(float(node[name])) for name in self._rows_of_access if name in node)


_IDENTITY = ("server_uuid", "server_uid", "server_id")

VARIABLES = (
    *_IDENTITY,
    "binlog_format",
    "binlog_row_image",
    "gtid_domain_id",
    "gtid_mode",
    "innodb_native_foreign_keys",
    "log_bin",
    "log_replica_updates",
    "log_slave_updates",
    "read_only",
    "super_read_only",
)
"""What a server is known by, and what decides which ways can be gone; no server has all of them."""


def prepare(connections: Sequence[Connection[Any]]) -> None:
    """Let the views of these connections stay what they were when they were opened."""
    for connection in connections:
        fetch(connection, "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


def open_views(connections: Sequence[Connection[Any]]) -> None:
    """Open a view on each connection, as quickly as possible."""
    for connection in connections:
        fetch(connection, "START TRANSACTION WITH CONSISTENT SNAPSHOT")


def ask(connection: Connection[Any], *statements: str) -> list[Any]:
    """The answer to the first of several names of a statement that the server knows."""
    for statement in statements[:-1]:
        try:
            return fetch(connection, statement)
        except pymysql.err.ProgrammingError as error:
            if error.args[0] != ER.PARSE_ERROR:
                raise
    return fetch(connection, statements[-1])


def _replication(row: Mapping[str, Any]) -> Replication:
    """One row of a replica's status; columns are named after slaves and masters, or replicas and sources."""
    word = next(prefix for prefix in ("replica", "slave") if f"{prefix}_sql_running" in row)
    threads = [row.get(f"{word}_io_running"), row.get(f"{word}_sql_running")]
    lag = row.get("seconds_behind_source", row.get("seconds_behind_master"))
    return Replication(
        is_stopped="No" in threads,
        is_applying=threads[1] == "Yes",
        reason=str(row.get("last_sql_error") or row.get("last_io_error") or ""),
        lag_seconds=None if lag is None else float(lag),
        host=str(row.get("source_host") or row.get("master_host") or ""),
        port=int(row.get("source_port") or row.get("master_port") or 0),
        is_receiving=threads[0] == "Yes",
        received=str(row.get("retrieved_gtid_set") or row.get("gtid_io_pos") or "").replace("\n", ""),
    )
