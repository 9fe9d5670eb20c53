"""The databases that are read: whether they answer, what we may do there, whether they replicate."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Any

import pymysql
from pymysql.connections import Connection

from lake.changes import binlog
from lake.contracts import Contract
from lake.contracts.load import files, load
from lake.errors import SourceError
from lake.observe.doctor import retention
from lake.observe.doctor.examine import side_by_side
from lake.observe.doctor.finding import Finding, ok, problem, skipped, warning
from lake.observe.doctor.of_sources import SECONDS, each_source
from lake.settings import settings
from lake.source import client, reader, schema, sources
from lake.source.client import fetch
from lake.source.detection import detect
from lake.source.failures import LOST, source_error
from lake.source.server import check_replica, inspect
from lake.source.sources import Source

NAMED = 5
"""Tables of a source that are named; of the others it is told how many they are."""

TOGETHER = 50
"""Tables that are asked for in one statement."""

TRIED: dict[str, tuple[tuple[int, int], tuple[int, int]]] = {
    "MySQL": ((8, 0), (10, 0)),
    "MariaDB": ((10, 11), (12, 0)),
}
"""By kind of server: the first version that is known to do, and the first that nobody has tried."""


# -- whether they answer
def reach(now: datetime) -> Iterator[Finding]:
    """Whether each source answers and lets us in, and its version."""
    known = sources.known()
    looks = {name: partial(_reached, origin) for name, origin in known.items()}
    found = side_by_side(looks, dict.fromkeys(known, SECONDS))
    for findings in found.values():
        yield from findings


def _reached(origin: Source) -> list[Finding]:
    try:
        with client.connected(origin) as connection:
            kind = detect(connection).name
            version = str(fetch(connection, "SELECT VERSION() AS version")[0]["version"])
    except SourceError as error:
        return [problem(origin.name, error.what, error.fix)]
    return [judged(origin, kind, version)]


def judged(origin: Source, kind: str, version: str) -> Finding:
    """A server by its version, which is a hint and no proof: forks number differently."""
    first, untried = TRIED[kind]
    seen = f"{kind} {version} at {origin.host}:{origin.port}"
    range_ = f"from {'.'.join(map(str, first))} on, up to {'.'.join(map(str, untried))}"
    match = re.match(r"(\d+)\.(\d+)", version)
    number = (int(match[1]), int(match[2])) if match else (0, 0)
    if number < first:
        return problem(origin.name, f"{seen}, and {range_} are supported", "read a replica of a newer version")
    if number >= untried:
        way_out = "compare source and lake with `lake parity`, and tell those who keep this software"
        return warning(origin.name, f"{seen}, which nobody has tried: {range_} are supported", way_out)
    return ok(origin.name, seen)


# -- what we may do
def privileges(now: datetime) -> Iterator[Finding]:
    """Whether our user may read every column of every contract, the binlog, and the state of replication."""
    yield from each_source(_privileges)


def _privileges(origin: Source, connection: Connection[Any]) -> Iterator[Finding]:
    contracts = [load(file) for file in files(origin.name)]
    if not origin.prefix and not schema.columns(connection, origin):
        # As of any other source, it may be that there is nothing, or that we may see nothing.
        yield warning(
            origin.name, f"{origin.where} shows no table", "`lake shop load` fills it; or grant the user SELECT on it"
        )
    else:
        refused = list(_refused(origin, connection, contracts))
        for error in refused[:NAMED]:
            yield problem(origin.name, error.what, error.fix)
        if len(refused) > NAMED:
            more = f"{len(refused) - NAMED} tables more cannot be read"
            yield problem(origin.name, more, "grant the extraction user SELECT on the database")
        if not refused:
            yield ok(origin.name, f"{origin.user} may read the {len(contracts)} tables that have contracts")
    yield from _of_server(origin, connection, contracts)


def _refused(origin: Source, connection: Connection[Any], contracts: list[Contract]) -> Iterator[SourceError]:
    """Why tables cannot be read as their contracts have them. The server is asked for no row.

    Many are asked for at once, for a server may be far away; one by one where that is refused.
    """
    for first in range(0, len(contracts), TOGETHER):
        group = {each.table: _of_no_row(each) for each in contracts[first : first + TOGETHER]}
        counts = ", ".join(f"(SELECT COUNT(*) FROM ({one}) AS t)" for one in group.values())
        if _error(connection, f"SELECT {counts}") is None:
            continue
        for table, one in group.items():
            if error := _error(connection, one):
                yield source_error(error, f"cannot read {table} of", origin)


def _of_no_row(contract: Contract) -> str:
    return f"{reader.statement(contract, list(contract.columns))} LIMIT 0"


def _error(connection: Connection[Any], statement: str) -> pymysql.err.MySQLError | None:
    """What the server has against a statement."""
    try:
        fetch(connection, statement)
    except pymysql.err.MySQLError as error:
        if error.args[0] in LOST:
            raise
        return error
    return None


def _of_server(origin: Source, connection: Connection[Any], contracts: list[Contract]) -> Iterator[Finding]:
    server = inspect(connection, ())
    if server.dialect.replication(connection) is None:
        right = server.dialect.replica_privilege
        seen = f"{origin.user} lacks the privilege {right}: a replica that has stopped is not noticed"
        yield warning(origin.name, seen, _grant(connection, right))
    wanting = _wanting_binlog(contracts)
    if wanting and (right := server.missing_privilege()):
        seen = (
            f"{origin.user} lacks the privilege {right}: changes of {len(wanting)} tables are not read from the binlog"
        )
        slower = "; until then they are found in a slower way (docs/increments.md)"
        yield warning(origin.name, seen, _grant(connection, right) + slower)


def _grant(connection: Connection[Any], right: str) -> str:
    """The statement that gives our own account a privilege. A replica takes it over from its primary."""
    user, _, host = str(fetch(connection, "SELECT CURRENT_USER() AS account")[0]["account"]).rpartition("@")
    return f"on the server that is written to: GRANT {right} ON *.* TO '{user}'@'{host}'"


def _wanting_binlog(contracts: list[Contract]) -> list[Contract]:
    """Those whose changes the binlog is to tell, if it can."""
    if binlog.why_not():
        return []
    return [each for each in contracts if each.increment in ("auto", "binlog") and not binlog.why_not_key(each)]


# -- whether they replicate
def replication(now: datetime) -> Iterator[Finding]:
    """Whether a replica that is read follows its primary, and how far it is behind."""
    yield from each_source(_replication)


def _replication(origin: Source, connection: Connection[Any]) -> Iterator[Finding]:
    dialect = detect(connection)
    states = dialect.replication(connection)
    if states is None:
        yield skipped(origin.name, f"{origin.user} may not see it", _grant(connection, dialect.replica_privilege))
        return
    try:
        check_replica(dialect, connection, origin)
    except SourceError as error:
        yield problem(origin.name, error.what, error.fix)
        return
    if not states:
        yield ok(origin.name, f"{origin.host}:{origin.port} is no replica")
    limit = settings().source_max_lag_seconds
    for state in states:
        primary = f"of {state.host}:{state.port}"
        if state.lag_seconds is None:
            way_out = "is the primary up, and may the replica log in there? SHOW REPLICA STATUS tells"
            yield warning(origin.name, f"a replica {primary} that is not connected to it", way_out)
        elif state.lag_seconds > limit:
            seen = f"{state.lag_seconds:g} s behind {state.host}:{state.port}, more than {limit:g}"
            way_out = "find out what holds it up: runs read old rows, and one connection (LAKE_SOURCE_MAX_LAG_SECONDS)"
            yield warning(origin.name, seen, way_out)
        else:
            yield ok(origin.name, f"a replica {primary}, {state.lag_seconds:g} s behind")


# -- what the binlog has
def binlogs(now: datetime) -> Iterator[Finding]:
    """Whether each source's binlog tells every change, and is kept for longer than the schedule needs."""
    yield from each_source(_binlog)


def _binlog(origin: Source, connection: Connection[Any]) -> Iterator[Finding]:
    contracts = _wanting_binlog([load(file) for file in files(origin.name)])
    if not contracts:
        yield ok(origin.name, "no contract goes by the binlog")
        return
    server = inspect(connection, ())
    if server.missing_privilege():
        yield skipped(origin.name, f"{origin.user} may not read it")
    elif obstacle := server.why_no_binlog():
        way_out = (
            "set log_bin, binlog_format=ROW and, on a replica, log_replica_updates; no filters (docs/increments.md)"
        )
        asked = [each.table for each in contracts if each.increment == "binlog"]
        judge = problem if asked else warning
        yield judge(
            origin.name, f"{obstacle}: the changes of {len(contracts)} tables are found in a slower way", way_out
        )
    else:
        yield from retention.judged(origin, connection, server.dialect.variables)
