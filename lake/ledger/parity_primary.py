"""The primary of the replica that the lake reads: a sweep against it finds a replica that has diverged.

What changed since the last published run is found where runs find it, on the replica, once this one has applied all
that the primary's snapshot may hold. It may see more: of every key that it names, the row counts that the primary has.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from pymysql.connections import Connection

from lake.changes import increments
from lake.changes.increments import Moment
from lake.contracts import Contract
from lake.errors import SourceError
from lake.source import client, snapshot
from lake.source.detection import detect
from lake.source.server import check_replica
from lake.source.sources import Source

APPLIED_SECONDS = 300
"""How long a replica may take to apply what its primary has committed."""


@dataclass(frozen=True)
class Behind:
    """A replica's snapshot, taken after the primary's: the connection that shows it, and what is known of it."""

    connection: Connection[Any]
    moment: Moment


def primary_of(origin: Source) -> Source:
    """The primary that a source replicates from, with the same user, password and database.

    Raises:
        SourceError: the source is no replica, of several primaries, or its user may not see it.
    """
    with client.connected(origin) as connection:
        states = detect(connection).replication(connection)
    if states is None or len(states) != 1 or not states[0].host:
        problem = "may not see its replication" if states is None else f"has {len(states)} primaries"
        raise SourceError(
            f"{origin.name} at {origin.where} {problem}, so there is no primary to compare with",
            "leave out `--against primary`, or let its user see SHOW REPLICA STATUS (docs/sources.md)",
        )
    return replace(origin, host=states[0].host, port=states[0].port)


@contextmanager
def behind(primary: Connection[Any], origin: Source, contracts: list[Contract]) -> Iterator[Behind]:
    """A snapshot of the replica that holds all that the primary has committed so far.

    Raises:
        SourceError: replication is broken, keeps no GTIDs, or takes longer than `APPLIED_SECONDS`.
    """
    gtids = detect(primary).committed(primary)
    with client.connected(origin) as connection:
        spoken = detect(connection)
        check_replica(spoken, connection, origin)
        if not gtids or not spoken.has_applied(connection, gtids, APPLIED_SECONDS):
            raise SourceError(
                f"the replica {origin.where} has not applied {gtids or 'anything by GTID'} of its primary "
                f"within {APPLIED_SECONDS} s",
                "look at its SHOW REPLICA STATUS, and try again when it has caught up",
            )
        before = increments.before_snapshot(connection, contracts)
    with snapshot.consistent(origin, 1) as view:
        (first,) = view.connections
        yield Behind(first, increments.inside_snapshot(first, before))
