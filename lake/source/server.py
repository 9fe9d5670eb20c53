"""What a server tells of itself: its dialect, our privileges on it, and whether its binlog tells every change.

Asked once per run.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pymysql.connections import Connection

from lake.errors import SourceError
from lake.source import foreign_keys
from lake.source.client import fetch
from lake.source.detection import detect
from lake.source.dialect import Dialect
from lake.source.sources import Source

PROCESS, REPLICATION = "PROCESS", "REPLICATION SLAVE"
_MONITOR = {"BINLOG MONITOR", "REPLICATION CLIENT"}
_ALL = {"ALL PRIVILEGES", "ALL"}


@dataclass(frozen=True)
class Server:
    """One server, as the extraction user sees it.

    Attributes:
        privileges: global ones, as ``SHOW GRANTS`` names them.
        is_replica: its transactions arrive whole from another server, whose open ones it does not know.
        binlog_filters: databases that the binlog leaves out or is limited to; empty where it holds all.
        cascades: table -> actions by which a foreign key changes it, of `DELETE` and `UPDATE`.
    """

    dialect: Dialect
    privileges: frozenset[str]
    is_replica: bool
    binlog_filters: str = ""
    cascades: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def sees_transactions(self) -> bool:
        """Whether the open transactions of all users can be asked for, and are those that write the tables."""
        return not self.is_replica and bool(self.privileges & {PROCESS, *_ALL})

    def missing_privilege(self) -> str:
        """A privilege without which the binlog cannot be read; empty if none is missing."""
        if not self.privileges & {REPLICATION, "REPLICATION REPLICA", *_ALL}:
            return REPLICATION
        return "" if self.privileges & (_MONITOR | _ALL) else self.dialect.monitor_privilege

    def why_no_binlog(self) -> str:
        """Why the binlog cannot be read or does not tell everything; empty if it does."""
        if missing := self.missing_privilege():
            return f"the user lacks the privilege {missing}"
        variables = self.dialect.variables
        wanted = {"log_bin": "ON", "binlog_format": "ROW"}
        if self.is_replica:
            wanted["log_replica_updates" if "log_replica_updates" in variables else "log_slave_updates"] = "ON"
        for name, value in wanted.items():
            if name in variables and variables[name].upper() != value:
                return f"the server has {name}={variables[name].upper() or 'nothing'}"
        if self.binlog_filters:
            return f"the server's binlog is filtered by database ({self.binlog_filters})"
        return ""

    def why_no_binlog_for(self, table: str) -> str:
        """Why it does not tell every change of this table, named as in the source; empty if it does."""
        if obstacle := self.why_no_binlog():
            return obstacle
        # What a replica's binlog holds is what its primary wrote, and that one's setting cannot be asked here.
        if self.cascades.get(table) and (self.is_replica or not self.dialect.tells_cascades):
            return "a foreign key changes or deletes rows inside the engine, which no binlog tells"
        return ""


def inspect(connection: Connection[Any], tables: Iterable[str]) -> Server:
    """Ask the server. What the user may not ask counts as not granted.

    Args:
        tables: by their names in the source, whose foreign keys are looked at.
    """
    dialect = detect(connection)
    replication = dialect.replication(connection)
    return Server(
        dialect=dialect,
        privileges=_privileges(connection),
        # Who may not ask cannot know, and must not take a replica's open transactions for all there are.
        is_replica=replication is None or bool(replication),
        binlog_filters=dialect.binlog_filters(connection),
        cascades=foreign_keys.actions(connection, tables),
    )


def check_replica(dialect: Dialect, connection: Connection[Any], source: Source) -> None:
    """Refuse a replica whose replication is broken: its data would silently be old.

    A server that is no replica passes, and so does one whose replication the user may not see.

    Raises:
        SourceError: replication stands still; the server's own reason is in the message.
    """
    for state in dialect.replication(connection) or ():
        if state.is_stopped:
            raise SourceError(
                f"the replica {source.host}:{source.port} of {source.name} does not replicate: "
                f"{state.reason or 'it was stopped'}",
                f"mend it and start replication again (START REPLICA), or read another one: {source.mend}",
            )


def _privileges(connection: Connection[Any]) -> frozenset[str]:
    granted: set[str] = set()
    for row in fetch(connection, "SHOW GRANTS"):
        match = re.match(r"GRANT (.+) ON \*\.\* TO ", str(next(iter(row.values()))))
        granted |= {name.strip().upper() for name in match[1].split(",")} if match else set()
    return frozenset(granted)
