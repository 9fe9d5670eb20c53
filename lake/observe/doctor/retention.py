"""Whether a binlog lives long enough, and tells enough of each row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from pymysql.connections import Connection

from lake.alerts.freshness import MISSED, span
from lake.observe.doctor.finding import Finding, ok, problem, warning
from lake.runtime.schedule import longest_gap
from lake.settings import settings
from lake.source.client import fetch
from lake.source.sources import Source

_VARIABLES = (
    "binlog_expire_logs_seconds",
    "binlog_expire_logs_auto_purge",  # MySQL
    "max_binlog_total_size",  # MariaDB
    "binlog_row_image",
    "binlog_row_metadata",
)


def judged(origin: Source, connection: Connection[Any], variables: Mapping[str, str]) -> Iterator[Finding]:
    """What is to be said of a binlog that can be read.

    Args:
        variables: of the server, as its dialect knows them.
    """
    names = ", ".join(f"'{name}'" for name in _VARIABLES)
    rows = fetch(connection, f"SHOW GLOBAL VARIABLES WHERE Variable_name IN ({names})")
    known = {**variables, **{str(row["variable_name"]).lower(): str(row["value"]) for row in rows}}
    yield _lifetime(origin, known)
    if size := int(known.get("max_binlog_total_size", "0")):
        seen = f"binlogs go when they are {size / 1024**2:,.0f} MiB together (max_binlog_total_size), however young"
        yield warning(origin.name, seen, "set it to 0, or to what is written between two runs with room to spare")
    image = known.get("binlog_row_image", "").upper()
    form = f"binlog_format={known.get('binlog_format')}, binlog_row_image={image}"
    form += f", binlog_row_metadata={known.get('binlog_row_metadata')}"
    if image == "MINIMAL":
        # NOBLOB has every column that can be in a key of ours.
        seen = f"{form}: events name a row by its table's own key alone; of no use where the contract's is another"
        yield warning(origin.name, seen, "set binlog_row_image=FULL, or NOBLOB, on the server that is written to")
    else:
        yield ok(origin.name, form)


def _lifetime(origin: Source, known: Mapping[str, str]) -> Finding:
    seconds = int(known.get("binlog_expire_logs_seconds", "0"))
    if not seconds or known.get("binlog_expire_logs_auto_purge") == "OFF":
        return ok(origin.name, "binlogs are kept until somebody purges them")
    kept, cron = timedelta(seconds=seconds), settings().pipeline_schedule
    seen = f"binlogs are kept for {span(kept)} (binlog_expire_logs_seconds={seconds})"
    if not cron:
        return ok(origin.name, f"{seen}; there is no schedule to hold that against")
    gap, wanted = longest_gap(cron), longest_gap(cron, missed=MISSED - 1)
    needs = f"runs are up to {span(gap)} apart (LAKE_PIPELINE_SCHEDULE={cron})"
    way_out = f"set binlog_expire_logs_seconds={int(wanted.total_seconds())} or more on {origin.host}:{origin.port}"
    if kept < gap:
        return problem(
            origin.name, f"{seen}, and {needs}: runs would find it purged, and read all tables anew", way_out
        )
    if kept < wanted:
        return warning(origin.name, f"{seen}, and {needs}: it does not bear {MISSED - 1} that fail", way_out)
    return ok(origin.name, f"{seen}, and {needs}")
