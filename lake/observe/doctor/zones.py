"""Time zones of the sources.

The lake asks every server in UTC and by offsets, so it needs no time zone tables. What it cannot ask away is the clock
by which a server fills a DATETIME: in a zone with summer time it is set back once a year, and a cursor with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Any

from pymysql.connections import Connection

from lake.contracts import Contract
from lake.contracts.load import files, load
from lake.observe.doctor.finding import Finding, ok, problem, warning
from lake.observe.doctor.of_sources import each_source
from lake.source.client import fetch
from lake.source.server import Server, inspect
from lake.source.sources import Source

_ASKED = """
SELECT @@GLOBAL.time_zone AS zone, @@GLOBAL.system_time_zone AS machine,
  TIMESTAMPDIFF(SECOND, %s, CONVERT_TZ(%s, '+00:00', @@GLOBAL.time_zone)) AS january,
  TIMESTAMPDIFF(SECOND, %s, CONVERT_TZ(%s, '+00:00', @@GLOBAL.time_zone)) AS july,
  CONVERT_TZ(%s, 'UTC', 'Europe/Berlin') IS NOT NULL AS has_tables
"""


def zones(now: datetime) -> Iterator[Finding]:
    """Whether a DATETIME that is a cursor ever goes back, and what the server knows of zones."""
    yield from each_source(partial(_of_source, now.year))


def _of_source(year: int, origin: Source, connection: Connection[Any]) -> Iterator[Finding]:
    january, july = f"{year}-01-15 12:00:00", f"{year}-07-15 12:00:00"
    (row,) = fetch(connection, _ASKED, (january, january, july, july, january))
    zone = f"{row['zone']} ({row['machine']})" if row["zone"] == "SYSTEM" else str(row["zone"])
    tables = "time zone tables are loaded" if row["has_tables"] else "it has no time zone tables, and none are needed"
    if row["january"] == row["july"]:
        yield ok(origin.name, f"{zone}, {row['january'] / 3600:+g} h all the year; {tables}")
        return
    server = inspect(connection, ())
    cursors = [each for each in map(load, files(origin.name)) if _goes_by_datetime(each, server)]
    if not cursors:
        yield ok(origin.name, f"{zone}, which has summer time; no table goes by a DATETIME cursor; {tables}")
    named = ", ".join(f"{each.table}.{each.cursor}" for each in cursors[:5])
    always = [each for each in cursors if each.increment == "cursor"]
    if cursors:
        seen = (
            f"{zone} has summer time: when it ends, {named} stands an hour behind what was read, and changes are missed"
        )
        judge = problem if always else warning
        yield judge(
            origin.name,
            seen,
            "set default_time_zone='+00:00' on the server; or make the cursor a TIMESTAMP; or let the contract say "
            "`increment: sweep`; or let the user read the binlog",
        )


def _goes_by_datetime(contract: Contract, server: Server) -> bool:
    """Whether the next increment may go by a cursor that tells the server's local time."""
    if contract.cursor is None or contract.columns[contract.cursor].parsed.base != "datetime":
        return False
    if contract.increment == "cursor":
        return True
    return contract.increment in ("auto", "binlog") and bool(server.why_no_binlog())
