"""One consistent snapshot of all tables, read over several connections.

A read view belongs to one connection, so views over several must be proven to show one state. By which means, from
the least to the most intrusive:

``agreed``   open the views and prove that they are one; try again when the shop committed meanwhile
``paused``   hold the replica's applier for the moment in which the views are opened, where the settings allow it
``locked``   hold ``FLUSH TABLES WITH READ LOCK`` for that moment
``single``   one connection, whose view needs no company

How views agree differs between servers: `lake.source.mariadb`, `lake.source.mysql`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

import pymysql
from pymysql.connections import Connection

from lake import tracing
from lake.errors import SourceError
from lake.settings import settings
from lake.source import applier, client
from lake.source.client import fetch
from lake.source.detection import detect
from lake.source.dialect import Agreement, Dialect, prepare
from lake.source.failures import LOST
from lake.source.sources import Source

log = logging.getLogger(__name__)

Means = Literal["agreed", "paused", "locked", "single"]
MEANS: tuple[Means, ...] = ("agreed", "paused", "locked", "single")

EXACT_SECONDS = 1.0
"""How long a proof is tried for that tells the position of the views exactly."""

AGREEMENT_SECONDS = 3.0
"""How long any proof is tried for. One try takes a few round trips to the server."""

PAUSE_SECONDS = 0.002
"""Between two tries, so that the server is not kept busy by them."""

LOCK_WAIT_SECONDS = 5
"""How long the shop may have to wait behind our request for the lock, when a long query of its own is in our way."""


@dataclass(frozen=True)
class Snapshot:
    """The one instant and binlog position as of which a run reads the source.

    Attributes:
        instant: UTC, by the source's own clock.
        position: GTID set or position, as the server writes it; empty where the server keeps no binlog.
        server: version of the server that was read.
        means: how the connections came to show the same state.
        connections: how many there were.
        proof: what proves it, in a few words.
        is_exact: whether it holds exactly what the position names; else at least that.
    """

    source: str
    instant: datetime
    position: str
    server: str
    means: Means = "single"
    connections: int = 1
    proof: str = ""
    is_exact: bool = False

    def to_json(self) -> dict[str, Any]:
        """Plain values; the instant as ISO 8601."""
        return {**asdict(self), "instant": self.instant.isoformat()}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Snapshot:
        """The inverse of `to_json`."""
        # Before a way became the one in which changes are found, the means had its name.
        renamed = {"means" if name == "way" else name: each for name, each in value.items()}
        return cls(**{**renamed, "instant": datetime.fromisoformat(value["instant"])})


@dataclass(frozen=True)
class View:
    """A snapshot with the connections that show it; each is for one thread at a time."""

    snapshot: Snapshot
    connections: list[Connection[Any]]


@contextmanager
def consistent(origin: Source, wanted: int, means: Sequence[Means] = MEANS) -> Iterator[View]:
    """Open up to ``wanted`` connections that all show the source as of one instant.

    The instant is read before the first view is opened: a view may hold a little more than the instant says, never
    less, which is the safe side for a watermark.

    Args:
        means: those that may be tried, in this order; ``single`` always succeeds, with one connection.

    Raises:
        SourceError: the source is away or refuses us, or by none of the means could one be had.
    """
    with ExitStack() as stack:
        views = [stack.enter_context(client.connected(origin)) for _ in range(max(wanted, 1))]
        control = stack.enter_context(client.connected(origin))
        spoken = detect(control)
        prepare(views)
        version = str(fetch(control, "SELECT VERSION() AS version")[0]["version"])
        for one in ("single",) if len(views) == 1 else means:
            used = views[:1] if one == "single" else views
            began = time.monotonic()
            with tracing.span("open the snapshot", {"shoplake.means": one}, service=spoken.system):
                instant, agreement = _open(one, origin, spoken, control, used)
            if agreement is None:
                log.info("the snapshot could not be %s over %s connections", one, len(views))
                continue
            snapshot = Snapshot(
                origin.name, instant, agreement.position, version, one, len(used), agreement.proof, agreement.is_exact
            )
            log.info("%s snapshot of %s over %s connections after %.0f ms, at %s, position %s (%s)", one, origin.name,
                     len(used), (time.monotonic() - began) * 1000, instant,
                     agreement.position, agreement.proof)  # fmt: skip
            control.close()
            yield View(snapshot, used)
            for connection in used:
                if connection.open:
                    connection.rollback()
            return
    raise SourceError(
        f"no consistent snapshot over {wanted} connections could be had by: {', '.join(means)}",
        "allow 'single', or grant what the other means need: docs/extraction.md",
    )


_Opened = tuple[datetime, Agreement | None]


def _open(
    means: Means, origin: Source, spoken: Dialect, control: Connection[Any], views: Sequence[Connection[Any]]
) -> _Opened:
    """Open the views; the instant before, and nothing beside it when this cannot be had here."""
    match means:
        case "single":
            instant, agreement = _agreed(spoken, control, views, 0)
            return instant, agreement or spoken.begin(control, views)
        case "agreed":
            return _agreed(spoken, control, views, AGREEMENT_SECONDS - EXACT_SECONDS)
        case "paused":
            return _paused(origin, spoken, control, views)
        case "locked":
            return _locked(spoken, control, views)


def _agreed(
    spoken: Dialect, control: Connection[Any], views: Sequence[Connection[Any]], inexact_seconds: float
) -> _Opened:
    """Try to prove that the views are one: first in a way that tells their position exactly, then in any."""
    instant = _now(control)
    proofs = spoken.proofs(control)
    exact = [proof for proof in proofs if proof.is_exact]
    for chosen, seconds in ((exact, EXACT_SECONDS), (proofs, inexact_seconds)):
        deadline = time.monotonic() + seconds
        while chosen and time.monotonic() < deadline:
            for proof in chosen:
                instant = _now(control)
                if agreement := proof.attempt(control, views):
                    return instant, agreement
            time.sleep(PAUSE_SECONDS)
    return instant, None


def _paused(origin: Source, spoken: Dialect, control: Connection[Any], views: Sequence[Connection[Any]]) -> _Opened:
    instant = _now(control)
    if not settings().source_may_hold_replication or not spoken.rests_without_applier:
        return instant, None
    with applier.held(spoken, control, origin) as is_held:
        return instant, _undisturbed(spoken, control, views, "the applier stood still") if is_held else None


def _locked(spoken: Dialect, control: Connection[Any], views: Sequence[Connection[Any]]) -> _Opened:
    instant = _now(control)
    try:
        fetch(control, f"SET SESSION lock_wait_timeout = {LOCK_WAIT_SECONDS}")
        fetch(control, "FLUSH TABLES WITH READ LOCK")
    except pymysql.err.MySQLError as error:
        if error.args[0] in LOST:
            raise
        log.info("FLUSH TABLES WITH READ LOCK: %s", error)
        return instant, None
    try:
        return instant, _undisturbed(spoken, control, views, "all tables were locked")
    finally:
        fetch(control, "UNLOCK TABLES")


def _undisturbed(
    spoken: Dialect, control: Connection[Any], views: Sequence[Connection[Any]], proof: str
) -> Agreement | None:
    """Open the views while nothing can be committed: what they show is exactly what has been."""
    agreement = spoken.begin(control, views)
    return replace(agreement, is_exact=True, proof=proof) if agreement else None


def _now(connection: Connection[Any]) -> datetime:
    instant: datetime = fetch(connection, "SELECT UTC_TIMESTAMP(6) AS instant")[0]["instant"]
    return instant.replace(tzinfo=UTC)
