"""Works out in memory what a run makes of a table's history.

The rules are those of `spark_jobs.history`, which does the same to large tables: a version begins when a column other
than the cursor changes, and ends when the next one begins or its row is gone.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from lake.contracts import EXTRACTED_AT, Contract
from lake.contracts.model import HISTORY
from lake.contracts.types import INSTANT
from lake.layers.keys import Key, keys_of
from lake.layers.merged import differ

FROM, TO, CURRENT = HISTORY
PERIOD = pa.schema([(FROM, INSTANT), (TO, INSTANT), (CURRENT, pa.bool_())])
"""Columns that a history has besides those of the rows."""


@dataclass(frozen=True)
class Versions:
    """What becomes of a history.

    Attributes:
        begun: versions that begin.
        ended: versions that were current, with the instants at which they end.
        places: for each of these, its place among the versions that were given.
    """

    begun: pa.Table
    ended: pa.Table
    places: pa.Array


def versions(contract: Contract, rows: pa.Table, known: pa.Table, instant: datetime, gone: Set[Key] | None) -> Versions:
    """Bring a history up to date.

    Args:
        rows: valid rows as they are now, each key once: the contract's columns and the marks.
        known: versions, at least all that there are of the keys of ``rows`` and ``gone``; columns as in ``rows``, and
            `PERIOD`.
        instant: as of which the source was read.
        gone: keys that left; ``None`` says that ``rows`` is the whole table, and every current version without a row
            ends.
    """
    keys = keys_of(rows, contract.key)
    current, until = _current(contract, known), _until(contract, known)
    place = pa.array([current.get(key) for key in keys], pa.int64())
    compared = [name for name in contract.columns if name not in (*contract.key, contract.cursor)]
    is_new = pc.or_(pc.is_null(place), differ(rows, known.take(place), compared))
    new, place = rows.filter(is_new), place.filter(is_new)
    ends_before = pa.array([until.get(key) for key in keys_of(new, contract.key)], INSTANT)
    begins = _begin(contract, new, known.column(FROM).take(place), ends_before, instant)
    ends = {at: when for at, when in zip(place.to_pylist(), begins.to_pylist(), strict=True) if at is not None}
    left = current.keys() - {*keys} if gone is None else gone & current.keys()
    ends |= {current[key]: instant for key in left}
    places = pa.array(sorted(ends), pa.int64())
    ended = known.take(places)
    return Versions(
        _with_period(new, begins, pa.nulls(len(begins), INSTANT), is_current=True),
        _with_period(ended, ended.column(FROM), pa.array([ends[at] for at in sorted(ends)], INSTANT), is_current=False),
        places,
    )


def _current(contract: Contract, known: pa.Table) -> dict[Key, int]:
    """The place of the current version of each key."""
    is_current = known.column(CURRENT).to_pylist()
    return {key: at for at, key in enumerate(keys_of(known, contract.key)) if is_current[at]}


def _until(contract: Contract, known: pa.Table) -> dict[Key, datetime]:
    """When the last of the closed versions of each key ended."""
    closed = known.filter(pc.invert(known.column(CURRENT)))
    found: dict[Key, datetime] = {}
    for key, until in zip(keys_of(closed, contract.key), closed.column(TO).to_pylist(), strict=True):
        found[key] = max(until, found.get(key, until))
    return found


def _begin(contract: Contract, rows: pa.Table, since: Any, until: Any, instant: datetime) -> pa.ChunkedArray:
    """When versions begin: when the source wrote them, as the cursor says, and otherwise when they were seen.

    The cursor of a row that was refused and is valid again, or that changed without it, lies before the end of the
    version before; then it is the instant of the run, so that versions of a row do not overlap.
    """
    now = pa.scalar(instant, INSTANT)
    extracted = rows.column(EXTRACTED_AT)
    written = pc.coalesce(rows.column(contract.cursor), extracted) if contract.cursor else extracted
    follows = [pc.fill_null(pc.greater(written, since), True), pc.fill_null(pc.greater_equal(written, until), True)]
    return pc.if_else(pc.and_(pc.and_(*follows), pc.less(written, now)), written, now)


def _with_period(rows: pa.Table, begins: Any, ends: Any, is_current: bool) -> pa.Table:
    """Rows with the time in which they were current."""
    said: Mapping[str, Any] = {FROM: begins, TO: ends, CURRENT: pa.array([is_current] * rows.num_rows, pa.bool_())}
    others = rows.drop_columns([name for name in PERIOD.names if name in rows.column_names])
    for name, values in said.items():
        others = others.append_column(PERIOD.field(name), values)
    return others
