"""What a server tells of itself: its kind, our privileges on it, and whether its binlog tells every change of a table.

Asked once per run. What differs between MySQL and MariaDB in the matter of increments is here and in `position`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pymysql
from pymysql.connections import Connection

from lake.source.client import fetch
from lake.source.quoting import quote

PROCESS, REPLICATION = "PROCESS", "REPLICATION SLAVE"
_STATUS = {"BINLOG MONITOR", "REPLICATION CLIENT"}
_ALL = {"ALL PRIVILEGES", "ALL"}


@dataclass(frozen=True)
class Server:
    """One server, as the extraction user sees it.

    Attributes:
        identity: MySQL's ``server_uuid``; MariaDB's ``server_uid``, or its ``server_id`` where it has none.
        privileges: global ones, as ``SHOW GRANTS`` names them.
        variables: those of `_VARIABLES` that the server has, values in upper case.
        is_replica: its transactions arrive whole from another server, whose open ones it does not know.
        binlog_filters: databases that the binlog leaves out or is limited to; empty where it holds all.
        cascades: table -> actions by which a foreign key changes it, of `DELETE` and `UPDATE`. InnoDB does these by
            itself: they are in no binlog, fire no trigger and move no cursor.
    """

    is_mariadb: bool
    version: str
    identity: str
    privileges: frozenset[str]
    variables: Mapping[str, str]
    is_replica: bool
    binlog_filters: str = ""
    cascades: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def sees_transactions(self) -> bool:
        """Whether the open transactions of all users can be asked for, and are those that write the tables."""
        return not self.is_replica and bool(self.privileges & {PROCESS, *_ALL})

    def why_no_binlog(self) -> str:
        """Why the binlog cannot be read or does not tell everything; empty if it does."""
        if not self.privileges & {REPLICATION, "REPLICATION REPLICA", *_ALL}:
            return "the user lacks the privilege REPLICATION SLAVE"
        if not self.privileges & (_STATUS | _ALL):
            name = "BINLOG MONITOR" if self.is_mariadb else "REPLICATION CLIENT"
            return f"the user lacks the privilege {name}"
        wanted = {"log_bin": "ON", "binlog_format": "ROW"}
        if self.is_replica:
            wanted["log_replica_updates" if "log_replica_updates" in self.variables else "log_slave_updates"] = "ON"
        # Values that the client would pass over without a word.
        wanted |= {"binlog_row_value_options": "", "binlog_transaction_compression": "OFF", "log_bin_compress": "OFF"}
        for name, value in wanted.items():
            if name in self.variables and self.variables[name] != value:
                return f"the server has {name}={self.variables[name] or 'nothing'}"
        if self.binlog_filters:
            return f"the server's binlog is filtered by database ({self.binlog_filters})"
        return ""


_VARIABLES = (
    "log_bin",
    "binlog_format",
    "binlog_row_image",
    "binlog_row_value_options",
    "binlog_transaction_compression",
    "log_bin_compress",
    "log_slave_updates",
    "log_replica_updates",
    "gtid_mode",
    "server_id",
    "server_uid",
    "server_uuid",
)


def inspect(connection: Connection[Any], tables: Iterable[str]) -> Server:
    """Ask the server. What the user may not ask counts as not granted.

    Args:
        tables: by their names in the source, whose foreign keys are looked at.
    """
    version = str(fetch(connection, "SELECT VERSION() AS version")[0]["version"])
    is_mariadb = "mariadb" in version.lower()
    names = ", ".join(f"'{name}'" for name in _VARIABLES)
    rows = fetch(connection, f"SHOW GLOBAL VARIABLES WHERE Variable_name IN ({names})")
    variables = {str(row["variable_name"]).lower(): str(row["value"]) for row in rows}
    identity = variables.get("server_uuid") or variables.get("server_uid") or variables.get("server_id", "")
    status = _ask(connection, "SHOW MASTER STATUS" if is_mariadb else "SHOW BINARY LOG STATUS", "SHOW MASTER STATUS")
    filters = [str(row[name]) for row in status or [] for name in ("binlog_do_db", "binlog_ignore_db") if row.get(name)]
    replica = _ask(connection, "SHOW ALL SLAVES STATUS" if is_mariadb else "SHOW REPLICA STATUS", "SHOW SLAVE STATUS")
    return Server(
        is_mariadb=is_mariadb,
        version=version,
        identity=identity,
        privileges=_privileges(connection),
        variables={name: value.upper() for name, value in variables.items()},
        # Who may not ask cannot know, and must not take a replica's open transactions for all there are.
        is_replica=replica is None or bool(replica),
        binlog_filters=", ".join(filters),
        cascades=_cascades(connection, tables),
    )


def _privileges(connection: Connection[Any]) -> frozenset[str]:
    granted: set[str] = set()
    for row in fetch(connection, "SHOW GRANTS"):
        match = re.match(r"GRANT (.+) ON \*\.\* TO ", str(next(iter(row.values()))))
        granted |= {name.strip().upper() for name in match[1].split(",")} if match else set()
    return frozenset(granted)


_SILENT = ("CASCADE", "SET NULL", "SET DEFAULT")


def _cascades(connection: Connection[Any], tables: Iterable[str]) -> dict[str, frozenset[str]]:
    """From the tables' own definitions: the catalogue hides foreign keys from a user who may only read."""
    found = {}
    for table in tables:
        try:
            (row,) = fetch(connection, f"SHOW CREATE TABLE {quote(table)}")
        except pymysql.err.MySQLError as error:
            if error.args[0] in _LOST:
                raise
            continue  # no such table: the contracts are held against the source elsewhere
        found[table] = cascades(str(row["create table"]))
    return {table: actions for table, actions in found.items() if actions}


def cascades(definition: str) -> frozenset[str]:
    """What the foreign keys of a table do to its rows by themselves: `DELETE` them, `UPDATE` them.

    Args:
        definition: as ``SHOW CREATE TABLE`` gives it.
    """
    actions: set[str] = set()
    for line in re.sub(r"`(?:[^`]|``)*`", "", definition).splitlines():
        if re.match(r"\s*CONSTRAINT\s+FOREIGN KEY", line):
            rules = dict(re.findall(rf"ON (DELETE|UPDATE) ({'|'.join(_SILENT)})", line))
            if rules.get("DELETE") == "CASCADE":
                actions.add("DELETE")
            if "UPDATE" in rules or rules.get("DELETE", "CASCADE") != "CASCADE":
                actions.add("UPDATE")
    return frozenset(actions)


def _ask(connection: Connection[Any], *statements: str) -> list[Any] | None:
    """The answer to the first statement that this server knows; None if the user may not ask."""
    for statement in statements:
        try:
            return fetch(connection, statement)
        except pymysql.err.ProgrammingError:  # another version's name for it
            continue
        except pymysql.err.MySQLError as error:
            if isinstance(error, pymysql.err.OperationalError) and error.args[0] in _LOST:
                raise
            return None
    return None


_LOST = (2006, 2013)
