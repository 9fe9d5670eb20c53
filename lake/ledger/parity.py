"""A sweep: every table of a source compared with the lake, and the rows named in which they differ.

For each table the rows and an order-free sum of their hashes, in buckets of the key, as the server counts them in one
proven snapshot and as the lake counts what it holds in ``cleaned`` and ``quarantine``. Only buckets that differ are
looked into. What changed in the source since the last published run, and would be taken in by the next, is no drift:
`lake.ledger.parity_lake`. Why it is done so: `docs/decisions/0027-parity.md`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, Literal

from pymysql.connections import Connection

from lake import logs
from lake.changes import buckets, increments
from lake.changes.buckets import Bucket
from lake.changes.increment import Resnapshot
from lake.changes.increments import Found, Moment
from lake.changes.ranges import Range
from lake.changes.strategy import State
from lake.contracts import Contract
from lake.contracts.source_schema import SourceTable
from lake.errors import HeldFileError
from lake.extract.manifest import Manifest
from lake.extract.pace import Pace
from lake.extract.workers import Job, work_off
from lake.ledger import parity_lake, parity_layout, parity_primary, parity_rows
from lake.ledger.parity_lake import CaughtUp
from lake.ledger.parity_layout import Layout
from lake.ledger.parity_primary import Behind
from lake.ledger.parity_rows import Drift
from lake.ledger.parity_subjects import Subject
from lake.settings import settings
from lake.source import client, schema, snapshot
from lake.source.detection import detect
from lake.source.quoting import quote
from lake.source.server import check_replica
from lake.source.snapshot import View
from lake.source.sources import Source

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 600.0
"""How long a sweep waits for a source that is strained."""

RANGES_AT_ONCE = 8
"""Buckets of a job: few enough that a limited rate and the source's health are kept to within some seconds."""


@dataclass(frozen=True)
class Finding:
    """What a sweep found of one table.

    Attributes:
        instant: UTC, as of which the source was read.
        source_rows: in the sweep's snapshot; None if they were not counted.
        lake_rows: that the lake would hold, had it taken in what changed since it was published; None likewise.
        drift: rows in which they differ.
        note: why it could not be told yet whether they differ; empty if it could.
        error: why they were not compared at all, or the file of the lake that cannot be read and whose rows are drift.
        seconds: that the table took.
        mended_rows: rows that an earlier sweep found, and a run has mended since.
        verified_through: up to when source and lake were ever proven equal; None for never.
    """

    table: str
    source: str
    instant: datetime
    source_rows: int | None
    lake_rows: int | None
    drift: Drift
    note: str = ""
    error: str = ""
    seconds: float = 0.0
    mended_rows: int = 0
    verified_through: datetime | None = None

    @property
    def is_equal(self) -> bool:
        """Whether source and lake were proven equal."""
        return not (self.note or self.error or self.drift.rows)

    @property
    def is_sound(self) -> bool:
        """Whether nothing needs a person or a repair."""
        return not (self.error or self.drift.rows)


Against = Literal["source", "primary"]
"""What the lake is compared with: the database that it reads, or the primary of that replica."""


def sweep(origin: Source, subjects: Sequence[Subject], against: Against = "source") -> list[Finding]:
    """Compare tables of a source as of one snapshot, in the order of the subjects.

    A table that does not fit its contract any more is noted, and keeps no other from being compared.

    Raises:
        SourceError: the source is away, or holds a value that the contract refuses.
        ServiceError: the catalog or the object store is away.
    """
    contracts = [subject.contract for subject in subjects]
    if against == "primary":
        primary = parity_primary.primary_of(origin)
        with snapshot.consistent(primary, settings().source_connections) as view:
            first = view.connections[0]
            with parity_primary.behind(first, origin, contracts) as replica:
                return _compared(primary, view, origin, replica, subjects)
    with client.connected(origin) as connection:
        check_replica(detect(connection), connection, origin)
        before = increments.before_snapshot(connection, contracts)
    with snapshot.consistent(origin, settings().source_connections) as view:
        first = view.connections[0]
        return _compared(origin, view, origin, Behind(first, increments.inside_snapshot(first, before)), subjects)


def _compared(
    compared: Source, view: View, origin: Source, changed: Behind, subjects: Sequence[Subject]
) -> list[Finding]:
    """Compare the tables one after the other.

    Args:
        compared: whose snapshot the view is.
        origin: that runs read.
        changed: its snapshot, in which the increments are found.
    """
    first, instant = view.connections[0], view.snapshot.instant
    findings = _misfits(subjects, instant, schema.read_tables(first, compared))
    left = {subject.contract.table: subject for subject in subjects if subject.contract.table not in findings}
    found: dict[str, Found] = {}
    while left and not found:
        try:
            found = _changed(changed.connection, changed.moment, origin, left)
        except HeldFileError as error:
            findings[error.table] = _lost(left.pop(error.table), instant, error)
    pace = Pace(detect(first), settings().parity_max_rows_per_second, PATIENCE_SECONDS)
    source = _Source(compared, view.connections, pace)
    found_on = None if changed.connection is first else changed.connection
    for table, subject in left.items():
        findings[table] = _Table(subject, found[table], instant, source, found_on).compared()
    return [findings[subject.contract.table] for subject in subjects]


def _changed(
    connection: Connection[Any], moment: Moment, origin: Source, subjects: Mapping[str, Subject]
) -> dict[str, Found]:
    """What the next run would take in of each table."""
    return increments.find(
        connection,
        moment,
        origin,
        {table: subject.contract for table, subject in subjects.items()},
        {table: State.from_json(subject.published.state) for table, subject in subjects.items()},
        {table: subject.held for table, subject in subjects.items()},
    )


def unknown(subject: Subject, instant: datetime, error: str = "") -> Finding:
    """The finding of a table that was not compared, or not yet."""
    contract = subject.contract
    return Finding(contract.table, contract.source, instant, None, None, parity_rows.none(contract), error=error)


def _lost(subject: Subject, instant: datetime, error: HeldFileError) -> Finding:
    """The finding of a table of which a file cannot be read: its rows are drift, and have no names."""
    drift = parity_rows.none(subject.contract, unnamed=max(error.rows, 1))
    return replace(unknown(subject, instant, error.what), drift=drift)


def _misfits(subjects: Sequence[Subject], instant: datetime, tables: dict[str, SourceTable]) -> dict[str, Finding]:
    """The findings of tables that do not fit the contracts with which they were read.

    One that is held back already, or that the next run will follow, is told of elsewhere and needs nobody here.
    """
    by_table = {subject.contract.table: subject for subject in subjects}
    found = {}
    for table, shape in schema.fits({table: one.contract for table, one in by_table.items()}, tables).items():
        subject = by_table[table]
        if shape.obstacles and not subject.published.is_held:
            found[table] = unknown(subject, instant, shape.refusal)
        elif shape.is_gone:
            found[table] = replace(unknown(subject, instant), note="gone from the source, and kept")
        elif shape.obstacles:
            found[table] = replace(unknown(subject, instant), note=f"held back: {shape.refusal}")
        elif shape.followed:
            told = "; ".join(map(str, shape.followed))
            found[table] = replace(unknown(subject, instant), note=f"the next run follows what it has become: {told}")
    return found


@dataclass(frozen=True)
class _Source:
    """The source in the sweep's snapshot."""

    origin: Source
    connections: Sequence[Connection[Any]]
    pace: Pace

    def sums(self, layout: Layout) -> list[Bucket]:
        """Counts and sums of all buckets. Raises `Resnapshot` as they do."""
        if not layout.shares:
            return self.of_ranges(layout.contract, layout.ranges)
        found: list[Bucket] = []

        def run(connection: Connection[Any]) -> int:
            found.extend(buckets.by_hash(connection, layout.contract, "held", 0, layout.shares).buckets)
            return sum(bucket.count for bucket in found)

        # In one pass over the table.
        work_off(self.origin, [Job(0, run)], self.connections[:1], self.pace)
        return found

    def of_ranges(self, contract: Contract, wanted: Sequence[Range]) -> list[Bucket]:
        """Counts and sums of some ranges, over all connections. Raises `Resnapshot` as they do."""
        found: dict[int, Bucket] = {}
        lock = threading.Lock()

        def job(places: Sequence[int]) -> Job:
            def run(connection: Connection[Any]) -> int:
                summed = buckets.of_ranges(connection, contract, "held", [wanted[place] for place in places])
                with lock:
                    found.update(zip(places, summed, strict=True))
                return sum(bucket.count for bucket in summed)

            return Job(len(places), run)

        step = 1 if settings().parity_max_rows_per_second else RANGES_AT_ONCE
        places = range(len(wanted))
        jobs = [job(places[start : start + step]) for start in range(0, len(wanted), step)]
        work_off(self.origin, jobs, self.connections, self.pace)
        return [found[place] for place in places]


@dataclass(frozen=True)
class _Table:
    """The comparison of one table."""

    subject: Subject
    found: Found
    instant: datetime
    source: _Source
    found_on: Connection[Any] | None

    @property
    def contract(self) -> Contract:
        """Its contract."""
        return self.subject.contract

    def compared(self) -> Finding:
        """What was found of it."""
        began = time.monotonic()
        try:
            finding = self._finding()
        except HeldFileError as error:
            finding = _lost(self.subject, self.instant, error)
        finding = replace(finding, seconds=time.monotonic() - began)
        with logs.about(table=finding.table, source=self.contract.source):
            log.info("%s: %s rows in the source, %s in the lake, %s of drift %s", finding.table, finding.source_rows,
                     finding.lake_rows, finding.drift.rows, finding.error or finding.note)  # fmt: skip
        return finding

    def _finding(self) -> Finding:
        first = self.source.connections[0]
        increment = self.found.increment
        caught_up = parity_lake.caught_up(first, self.contract, self.subject.held, increment, self.found_on)
        layout = parity_layout.lay_out(self.contract, self.subject.held)
        with ThreadPoolExecutor(1, "parity", initializer=logs.same_context()) as pool:
            in_lake = pool.submit(caught_up.sums, layout)
            try:
                theirs = self.source.sums(layout)
            except Resnapshot as error:
                log.info("%s: all rows are listed, because %s", self.contract.table, error.reason)
                theirs = []
            mine = in_lake.result()
        if not theirs:
            return self._listed(caught_up, mine)
        differing = [place for place, pair in enumerate(zip(mine, theirs, strict=True)) if pair[0] != pair[1]]
        finding = self._counted(mine, theirs)
        if not differing:
            return finding
        if note := self._why_undecided(first):
            return replace(finding, note=note)
        weights = [max(one.count, other.count) for one, other in zip(mine, theirs, strict=True)]
        sums = partial(self.source.of_ranges, self.contract)
        return replace(finding, drift=parity_rows.find(first, sums, caught_up, layout, differing, weights))

    def _listed(self, caught_up: CaughtUp, mine: Sequence[Bucket]) -> Finding:
        """Row by row, where the server cannot sum: a row is too large for it."""
        first, whole = self.source.connections[0], Layout(self.contract)
        rows = client.fetch(first, f"SELECT COUNT(*) AS n FROM {quote(self.contract.name_in_source)}")
        count = int(rows[0]["n"])
        finding = self._counted(mine, [Bucket(count, (0,))])
        if note := self._why_undecided(first):
            return replace(finding, note=note)
        sums = partial(self.source.of_ranges, self.contract)
        return replace(finding, drift=parity_rows.find(first, sums, caught_up, whole, [0], [count]))

    def _counted(self, mine: Sequence[Bucket], theirs: Sequence[Bucket]) -> Finding:
        in_source, in_lake = (sum(bucket.count for bucket in side) for side in (theirs, mine))
        return replace(unknown(self.subject, self.instant), source_rows=in_source, lake_rows=in_lake)

    def _why_undecided(self, connection: Connection[Any]) -> str:
        """Why a difference may be a change that the next run takes in; empty if it is drift.

        A table that every run reads whole has no increment. It has drifted only if the source is as it was when the
        last run read it.
        """
        if self.found.increment is not None:
            return ""
        if _is_as_published(connection, self.contract, self.subject.published):
            return ""
        return f"the next run reads it whole, because {self.found.plan.reason}, and it has changed since the last one"


def _is_as_published(connection: Connection[Any], contract: Contract, published: Manifest) -> bool:
    """Whether the source still has the rows that a run read, when it read all of them."""
    if published.mode != "full" or not all(part.hash_sum for part in published.parts):
        return False
    try:
        (now,) = buckets.of_ranges(connection, contract, "rows", [Range()])
    except Resnapshot:
        return False
    read = sum(int(part.hash_sum) for part in published.parts)
    return now == Bucket(published.source_rows, (read,))
