"""Takes in without Spark what is small: tables of some hundred rows, and what an increment changes in large ones.

For so little Spark's part is all planning and round trips. Here it costs a fraction of that, and ``cleaned``,
``quarantine`` and ``history`` of a table change at the same instant, those of many tables in one commit. What comes out
is what Spark makes of the same rows, in tables of the same layout, and either goes on with what the other has made.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

from pyiceberg.exceptions import CommitFailedException, CommitStateUnknownException
from tenacity import Retrying, before_sleep_log, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from lake import faultpoints, logs, tracing
from lake.layers.arrivals import landing
from lake.layers.content import Content, Contents
from lake.layers.outcome import Outcome
from lake.layers.sizes import SMALL_BYTES, SMALL_VALUES, Arrived
from lake.layers.written import write
from lake.platform import catalog
from lake.platform.catalog import pyiceberg_properties
from lake.platform.rest_catalog import TogetherCatalog
from lake.tracing import names

log = logging.getLogger(__name__)

TOGETHER = 40
"""Tables in one commit."""

TOGETHER_VALUES = SMALL_VALUES
"""Rows by columns of the tables in one commit, all of which are in memory at once, ..."""

TOGETHER_BYTES = 2 * SMALL_BYTES
"""... and bytes of their landing files."""

AT_ONCE = 4


class SmallTables:
    """Puts small tables into the lake on the branch of a run.

    Args:
        lost: tables that may have lost rows in this run; those that are found to have are added.
    """

    def __init__(self, branch: str, run_id: str, lost: set[str]) -> None:
        self._branch = branch
        self._contents = Contents(branch, run_id, lost)
        self._lake = TogetherCatalog(branch, **pyiceberg_properties(branch))
        self._present = set(catalog.tables(branch))
        self._lock = Lock()

    def take_in(self, tables: Sequence[Arrived]) -> list[Outcome]:
        """Take tables in, which come after those that they point at; what was found of each.

        Raises:
            AuditError: rows were lost or doubled on the way.
        """
        # One call after the other: what is gathered for a commit, and the memory, are this object's.
        with self._lock:
            self._contents.begin(tables)
            return [outcome for some in _dealt(tables) for outcome in self._take_in(some)]

    def _take_in(self, tables: Sequence[Arrived]) -> list[Outcome]:
        with tracing.span("take in small tables", {names.TABLES: len(tables)}) as span:
            outcomes = self._taken_in(tables)
            span.set_attribute(names.ROWS, sum(one.judged for one in outcomes))
        return outcomes

    def _taken_in(self, tables: Sequence[Arrived]) -> list[Outcome]:
        with ThreadPoolExecutor(AT_ONCE, initializer=logs.same_context()) as pool:
            landed = list(pool.map(landing, tables))
            retrying = Retrying(
                retry=retry_if_exception_type((CommitFailedException, CommitStateUnknownException)),
                stop=stop_after_attempt(5),
                wait=wait_random_exponential(max=10),
                before_sleep=before_sleep_log(log, logging.WARNING),
                reraise=True,
            )
            for attempt in retrying:
                with attempt:
                    if attempt.retry_state.attempt_number > 1:
                        # Another try of the task was faster, or this one's answer was lost: what is to be done is
                        # worked out anew, or rows would be added twice.
                        self._lake.forget()
                        self._contents.begin(tables)
                        self._present = set(catalog.tables(self._branch))
                    contents = [self._contents.of(one, rows) for one, rows in zip(tables, landed, strict=True)]
                    with tracing.span("write files"):
                        for _ in pool.map(self._write, contents):
                            pass
                    with tracing.span("commit", service="nessie"):
                        self._lake.commit()
        faultpoints.reach("clean.committed")
        outcomes = [content.outcome for content in contents]
        _say(outcomes)
        self._present |= {f"{change.layer}.{one.outcome.table}" for one in contents for change in one.changes}
        return outcomes

    def _write(self, content: Content) -> None:
        """Write what changes, without committing it."""
        for change in content.changes:
            write(self._lake, content.outcome.table, change, self._present)


def _say(outcomes: Sequence[Outcome]) -> None:
    """Log a line for all, and one for each table of which rows were refused."""
    valid, first, last = sum(one.valid for one in outcomes), outcomes[0].table, outcomes[-1].table
    log.info("cleaned: %s small tables, %s to %s, %s rows", len(outcomes), first, last, valid)
    for one in outcomes:
        if one.refused:
            with logs.about(table=one.table):
                log.info("cleaned.%s: %s", one.table, one)


def _dealt(tables: Sequence[Arrived]) -> Iterator[list[Arrived]]:
    """Tables in their order, in lists that are committed together."""
    some: list[Arrived] = []
    for one in tables:
        if some and _is_full([*some, one]):
            yield some
            some = []
        some.append(one)
        if not one.is_rewritten:
            # Its rows are only in the lake together, where the tables that point at it find them.
            yield some
            some = []
    if some:
        yield some


def _is_full(tables: Sequence[Arrived]) -> bool:
    return (
        len(tables) > TOGETHER
        or sum(one.values for one in tables) > TOGETHER_VALUES
        or sum(one.landed.bytes for one in tables) > TOGETHER_BYTES
    )
