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
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pymysql.connections import Connection

from lake.changes import buckets, increments
from lake.changes.buckets import Bucket
from lake.changes.increment import Resnapshot
from lake.changes.increments import Found
from lake.changes.ranges import Range
from lake.changes.strategy import State
from lake.contracts import Contract
from lake.contracts.source_schema import SourceTable
from lake.errors import ContractError, HeldFileError
from lake.extract.manifest import Manifest
from lake.extract.pace import Pace
from lake.extract.workers import Job, work_off
from lake.ledger import parity_lake, parity_layout, parity_rows
from lake.ledger.parity_lake import CaughtUp
from lake.ledger.parity_layout import Layout
from lake.ledger.parity_rows import Drift
from lake.ledger.parity_subjects import Subject
from lake.settings import settings
from lake.source import client, schema, snapshot
from lake.source.detection import detect
from lake.source.quoting import quote
from lake.source.server import check_replica
from lake.source.sources import Source

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Finding:
    """What a sweep found of one table.

    Attributes:
        instant: UTC, as of which the source was read.
        source_rows: in the sweep's snapshot; None if they were not counted.
        lake_rows: that the lake would hold, had it taken in what changed since it was published; None likewise.
        drift: rows in which they differ.
        note: why it could not be told whether they differ; empty if it could.
        damage: the file of the lake that cannot be read, whose rows are all drift.
        seconds: that the table took.
    """

    table: str
    source: str
    instant: datetime
    source_rows: int | None
    lake_rows: int | None
    drift: Drift
    note: str = ""
    damage: str = ""
    seconds: float = 0.0

    @property
    def is_equal(self) -> bool:
        """Whether source and lake were proven equal."""
        return not self.note and not self.drift.rows


def sweep(origin: Source, subjects: Sequence[Subject]) -> list[Finding]:
    """Compare tables of a source as of one snapshot, in the order of the subjects.

    A table that does not fit its contract any more is noted, and keeps no other from being compared.

    Raises:
        SourceError: the source is away, or holds a value that the contract refuses.
        ServiceError: the catalog or the object store is away.
    """
    with client.connected(origin) as connection:
        spoken = detect(connection)
        check_replica(spoken, connection, origin)
        before = increments.before_snapshot(connection, (subject.contract for subject in subjects))
    with snapshot.consistent(origin, settings().source_connections) as view:
        first, instant = view.connections[0], view.snapshot.instant
        misfits = _misfits(subjects, schema.read_tables(first, origin))
        by_table = {subject.contract.table: subject for subject in subjects if subject.contract.table not in misfits}
        moment = increments.inside_snapshot(first, before)
        found = increments.find(
            first,
            moment,
            origin,
            {name: subject.contract for name, subject in by_table.items()},
            {name: State.from_json(subject.published.state) for name, subject in by_table.items()},
            {name: subject.held for name, subject in by_table.items()},
        )
        source = _Source(origin, view.connections, Pace(spoken))
        tables = {name: _Table(subject, found[name], instant, source) for name, subject in by_table.items()}
        return [
            tables[table].compared()
            if (table := subject.contract.table) in tables
            else unknown(subject, instant, misfits[table])
            for subject in subjects
        ]


def unknown(subject: Subject, instant: datetime, note: str) -> Finding:
    """The finding of a table that was not compared."""
    contract = subject.contract
    return Finding(contract.table, contract.source, instant, None, None, parity_rows.none(contract), note)


def _misfits(subjects: Sequence[Subject], tables: dict[str, SourceTable]) -> dict[str, str]:
    """What is wrong with tables that do not fit their contracts."""
    found = {}
    for subject in subjects:
        try:
            schema.check({subject.contract.table: subject.contract}, tables)
        except ContractError as error:
            found[subject.contract.table] = error.what
    return found


@dataclass(frozen=True)
class _Source:
    """The source in the sweep's snapshot."""

    origin: Source
    connections: Sequence[Connection[Any]]
    pace: Pace

    def sums(self, layout: Layout) -> list[Bucket]:
        """Counts and sums of all buckets, over all connections. Raises `Resnapshot` as they do."""
        found: dict[int, Bucket] = {}
        lock = threading.Lock()

        def job(places: Sequence[int]) -> Job:
            def run(connection: Connection[Any]) -> int:
                summed = dict(zip(places, layout.in_source(connection, places), strict=True))
                with lock:
                    found.update(summed)
                return sum(bucket.count for bucket in summed.values())

            return Job(len(places), run)

        all_places = range(layout.number)
        # Shares are summed in one pass over the table.
        step = layout.number if layout.shares else buckets.PER_STATEMENT // 4
        jobs = [job(all_places[start : start + step]) for start in range(0, layout.number, step)]
        work_off(self.origin, jobs, self.connections, self.pace)
        return [found[place] for place in all_places]


@dataclass(frozen=True)
class _Table:
    """The comparison of one table."""

    subject: Subject
    found: Found
    instant: datetime
    source: _Source

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
            lost = parity_rows.none(self.contract, unnamed=max(error.rows, 1))
            finding = replace(unknown(self.subject, self.instant, ""), drift=lost, damage=error.what)
        finding = replace(finding, seconds=time.monotonic() - began)
        log.info("%s: %s rows in the source, %s in the lake, %s of drift%s", finding.table, finding.source_rows,
                 finding.lake_rows, finding.drift.rows, f" ({finding.note})" if finding.note else "")  # fmt: skip
        return finding

    def _finding(self) -> Finding:
        first = self.source.connections[0]
        caught_up = parity_lake.caught_up(first, self.contract, self.subject.held, self.found.increment)
        layout = parity_layout.lay_out(self.contract, self.subject.held)
        with ThreadPoolExecutor(1, thread_name_prefix="parity") as pool:
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
        return replace(finding, drift=parity_rows.find(first, caught_up, layout, differing, weights))

    def _listed(self, caught_up: CaughtUp, mine: Sequence[Bucket]) -> Finding:
        """Row by row, where the server cannot sum: a row is too large for it."""
        first, whole = self.source.connections[0], Layout(self.contract)
        rows = client.fetch(first, f"SELECT COUNT(*) AS n FROM {quote(self.contract.name_in_source)}")
        count = int(rows[0]["n"])
        finding = self._counted(mine, [Bucket(count, (0,))])
        if note := self._why_undecided(first):
            return replace(finding, note=note)
        return replace(finding, drift=parity_rows.find(first, caught_up, whole, [0], [count]))

    def _counted(self, mine: Sequence[Bucket], theirs: Sequence[Bucket]) -> Finding:
        in_source, in_lake = (sum(bucket.count for bucket in side) for side in (theirs, mine))
        return replace(unknown(self.subject, self.instant, ""), source_rows=in_source, lake_rows=in_lake)

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
