"""Rows whose cursor moved, with a reach behind the watermark as long as a commit can come late.

A row carries the instant at which its statement began, and becomes visible when its transaction commits. What was open
when the last run read its snapshot may come with an instant from before the watermark. So the reach goes back to the
start of the oldest transaction that was open then; read again and merged by key, rows that were known do no harm.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pymysql
from pymysql.connections import Connection

from lake.changes.ranges import Condition
from lake.contracts import Contract
from lake.source.client import fetch
from lake.source.quoting import quote
from lake.source.server import Server


@dataclass(frozen=True)
class Open:
    """What was being written when a snapshot was read.

    Attributes:
        since: UTC, when the oldest open transaction or statement began, or else when it was asked: none that commits
            after the snapshot began earlier. None if they cannot be seen.
        reason: how it is known, or why not; for the log and the manifest.
    """

    since: datetime | None
    reason: str

    def to_json(self) -> dict[str, Any]:
        """Plain values; the instant as ISO 8601."""
        return {"since": self.since.isoformat() if self.since else None, "reason": self.reason}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Open:
        """The inverse of `to_json`."""
        return cls(datetime.fromisoformat(value["since"]) if value["since"] else None, value["reason"])


def open_transactions(connection: Connection[Any], server: Server) -> Open:
    """The oldest open writer. To be asked directly before the snapshot is opened, so that none is missed.

    Needs the privilege PROCESS. A replica cannot tell: what is open on its primary arrives whole once it commits.
    """
    if server.is_replica:
        return Open(None, "a replica does not see its primary's open transactions: lateness_seconds is the reach")
    if not server.sees_transactions:
        return Open(None, "the user lacks the privilege PROCESS: lateness_seconds is the reach")
    try:
        (row,) = fetch(connection, _OLDEST)
    except pymysql.err.OperationalError as error:
        return Open(None, f"open transactions cannot be seen ({error.args[-1]}): lateness_seconds is the reach")
    # Ages are whole seconds, rounded down.
    began = row["now"].replace(tzinfo=UTC) - timedelta(seconds=float(row["age"] or 0) + 1)
    if row["age"] is None:
        return Open(began, "no writing transaction is open")
    return Open(began, f"the oldest open transaction began at {began.isoformat(timespec='seconds')}")


# `trx_started` is in the zone of the server's machine. A statement that waits for a lock on the table's definition has
# its instant already and no transaction yet, so running statements count too. Readers count only while a statement
# runs: they may write later, but with a later instant.
_OLDEST = """
SELECT UTC_TIMESTAMP(6) AS now, MAX(age) AS age FROM (
  SELECT TIMESTAMPDIFF(SECOND, trx_started, CONVERT_TZ(UTC_TIMESTAMP(), '+00:00', 'SYSTEM')) AS age
    FROM information_schema.innodb_trx WHERE trx_is_read_only = 0 AND (trx_rows_modified > 0 OR trx_query IS NOT NULL)
  UNION ALL
  SELECT time FROM information_schema.processlist
    WHERE command IN ('Query', 'Execute') AND id <> CONNECTION_ID() AND info NOT LIKE 'SELECT%%'
) AS writers
"""


def since(contract: Contract, watermark: datetime, before: Open | None = None) -> datetime:
    """The cursor value, UTC, after which an increment reads.

    Args:
        watermark: greatest cursor of the last published run's snapshot.
        before: what was open at that snapshot.
    """
    reach = max(timedelta(seconds=contract.lateness_seconds), _resolution(contract))
    start = watermark.astimezone(UTC) - reach
    # One more step, because rows are read *after* this value.
    return min(start, before.since - _resolution(contract)) if before and before.since else start


def changed_since(contract: Contract, instant: datetime) -> Condition:
    """Rows whose cursor is after `instant`, in SQL."""
    assert contract.cursor
    column = quote(contract.column_in_source(contract.cursor))
    return f"{column} > %s", (instant.astimezone(UTC).replace(tzinfo=None),)


def _resolution(contract: Contract) -> timedelta:
    """The step of the cursor's type: within one step rows with the watermark's own value may still come."""
    assert contract.cursor
    digits = contract.columns[contract.cursor].type.partition("(")[2].rstrip(") ")
    return timedelta(seconds=10 ** -int(digits or 0))
