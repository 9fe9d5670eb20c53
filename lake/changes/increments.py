"""What changed in every table of a source since the last published run: plans, one pass over the binlog, increments.

The order of a run:

1. ``moment = before_snapshot(connection, …)``, directly before the snapshot is opened, on any connection;
2. ``moment = inside_snapshot(connection, moment)``, on one of the snapshot's own connections;
3. ``find(…)`` gives for each table its plan and, unless it is read whole, its increment;
4. when a table has been read, ``state_after(…)`` is what goes into its manifest, for the next run's ``states``.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

import pyarrow as pa
from pymysql.connections import Connection

from lake import logs
from lake.changes import binlog, buckets, by_key, compare, cursor, strategy
from lake.changes.cursor import Open
from lake.changes.increment import Held, Increment, Piece, Resnapshot
from lake.changes.prepared import Prepared
from lake.changes.ranges import rendered
from lake.changes.strategy import Plan, State
from lake.contracts import Contract
from lake.contracts.source_schema import SourceColumn
from lake.source import schema, server
from lake.source.position import Position
from lake.source.server import Server
from lake.source.sources import Source

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Moment:
    """What is known of the server at a snapshot.

    Attributes:
        open: what was being written.
        start: where the next run starts to read the binlog: the view holds all that lies before it.
        end: how far this run reads the binlog: the view holds nothing that lies behind it. Both are None if the binlog
            is not read, or if they are not safely known.
    """

    server: Server
    open: Open
    start: Position | None
    end: Position | None = None


@dataclass(frozen=True)
class Found:
    """How one table is read in this run.

    Attributes:
        increment: what changed; None where all rows are read (`plan.way` is `full`).
        prepared: XA transactions that the next run has to know of.
    """

    plan: Plan
    increment: Increment | None
    prepared: Prepared = field(default_factory=Prepared)


def before_snapshot(connection: Connection[Any], contracts: Iterable[Contract]) -> Moment:
    """Ask the server what must be known before the view is opened."""
    asked = server.inspect(connection, [contract.name_in_source for contract in contracts])
    still_open = cursor.open_transactions(connection, asked)
    return Moment(asked, still_open, None if asked.why_no_binlog() else asked.dialect.start_before(connection))


def inside_snapshot(connection: Connection[Any], moment: Moment) -> Moment:
    """Complete it by what the view tells of itself, or by where the binlog stands now that the view is open."""
    if moment.server.why_no_binlog():
        return moment
    start, end = moment.server.dialect.places(connection, moment.start)
    return replace(moment, start=start, end=end)


def find(
    connection: Connection[Any],
    moment: Moment,
    origin: Source,
    contracts: Mapping[str, Contract],
    states: Mapping[str, State | None],
    held: Mapping[str, Held],
) -> dict[str, Found]:
    """Plan every table and find what changed in those that are not read whole.

    Args:
        connection: with the snapshot open.
        origin: the source; the binlog is read over connections of its own.
        states: what the last published run left for each table; None where all is to be read.
        held: for each table with a state what the lake holds; asked only where something differs, or when a piece is
            read.

    Raises:
        SourceError: the source is away, or holds a key that the contract's type cannot.
    """
    plans = {name: strategy.plan(contract, moment.server, states[name]) for name, contract in contracts.items()}
    changes = _binlog(connection, moment, origin, contracts, states, plans)
    found = {}
    for name, contract in contracts.items():
        one = _table(connection, contract, moment, states[name], plans[name], changes, held.get(name))
        found[name] = one = replace(one, prepared=changes.prepared.get(name, one.prepared))
        # Of hundreds of tables most are as they were, and say nothing.
        is_quiet = one.increment is not None and not any(one.increment.found.values())
        counts = f", {one.increment.found}" if one.increment else ""
        level = logging.DEBUG if is_quiet else logging.INFO
        with logs.about(table=name):
            log.log(level, "%s: %s, because %s%s", name, one.plan.way, one.plan.reason, counts)
    return found


def with_drifted(connection: Connection[Any], contract: Contract, found: Found, keys: pa.Table) -> Found:
    """Read the rows of some keys besides, whether or not they changed; what is gone of them is deleted.

    Args:
        connection: with the snapshot open.
        keys: rows of the lake that are known to differ from the source's.
    """
    increment = found.increment
    if increment is None or not keys.num_rows:
        return found
    keys = by_key.without(keys, increment.deleted)
    present = by_key.present(connection, contract, keys)
    more = replace(
        increment,
        again=by_key.pieces(connection, contract, present),
        deleted=pa.concat_tables([increment.deleted, by_key.without(keys, present)]),
        found={**increment.found, "drifted": keys.num_rows},
    )
    reason = f"{found.plan.reason}; {keys.num_rows} rows that had drifted are read again"
    return replace(found, plan=replace(found.plan, reason=reason), increment=more)


def state_after(
    connection: Connection[Any],
    contract: Contract,
    moment: Moment,
    found: Found,
    watermark: datetime | None,
) -> State:
    """What this run leaves for the table's next increment, as of the snapshot that is open.

    Args:
        watermark: greatest cursor in the snapshot, not after its instant.
    """
    needs = found.plan.needs
    summed: dict[str, buckets.Buckets] = {}
    if found.increment is not None:
        summed = {content: buckets.Buckets.from_json(value) for content, value in found.increment.state.items()}
    try:
        if needs and needs not in summed:
            summed[needs] = buckets.first(connection, contract, needs)
    except Resnapshot as error:
        log.warning("%s: no sums are kept, because %s", contract.table, error.reason)
    return State(
        columns=strategy.columns_of(contract),
        rules=contract.rules_sha256,
        watermark=watermark,
        open=moment.open,
        position=moment.start,
        prepared=found.prepared,
        keys=summed.get("keys"),
        rows=summed.get("rows"),
    )


def _binlog(
    connection: Connection[Any],
    moment: Moment,
    origin: Source,
    contracts: Mapping[str, Contract],
    states: Mapping[str, State | None],
    plans: Mapping[str, Plan],
) -> binlog.Changes:
    """One pass for all tables that start from the same place; as a rule there is one place."""
    described: dict[str, list[SourceColumn]] = {}
    starts: dict[Position, dict[str, binlog.Table]] = {}
    for name, plan in plans.items():
        state = states[name]
        if plan.way == "binlog" and state and state.position:
            described = described or schema.columns(connection, origin)
            columns = described.get(contracts[name].name_in_source, [])
            table = binlog.Table(contracts[name], columns, state.prepared)
            starts.setdefault(state.position, {})[name] = table
    together = binlog.Changes()
    for start, tables in starts.items():
        reason = moment.server.dialect.why_not_from(connection, start)
        if moment.end is None:
            reason = "where the binlog stands in this snapshot is not known"
        try:
            if reason or moment.end is None:
                raise Resnapshot(reason)
            changes = binlog.read(origin, tables, start, moment.end, moment.start)
        except Resnapshot as error:
            together.resnapshot |= dict.fromkeys(tables, error.reason)
            continue
        together.tables |= changes.tables
        together.resnapshot |= changes.resnapshot
        together.elsewhere |= changes.elsewhere
        together.prepared |= changes.prepared
    return together


def _table(
    connection: Connection[Any],
    contract: Contract,
    moment: Moment,
    state: State | None,
    plan: Plan,
    changes: binlog.Changes,
    held: Held | None,
) -> Found:
    name = contract.table
    if plan.way == "binlog" and name in changes.elsewhere:
        plan = strategy.plan(contract, moment.server, state, changes.elsewhere[name])
    if plan.way == "binlog" and name in changes.resnapshot:
        plan = replace(plan, way="full", reason=f"read anew: {changes.resnapshot[name]}")
    if plan.way == "full" or state is None or held is None:
        return Found(plan, None)
    try:
        if plan.way == "binlog":
            return Found(plan, _by_binlog(connection, contract, changes.tables[name]))
        if plan.way == "sweep":
            assert state.rows
            difference = compare.rows(connection, contract, state.rows, held)
            counts = {"buckets": difference.differing, "deleted": difference.deleted.num_rows}
            left = {"rows": difference.now.to_json()}
            return Found(plan, Increment(difference.pieces, difference.deleted, left, counts))
        return Found(plan, _by_cursor(connection, contract, state, held))
    except Resnapshot as error:
        return Found(replace(plan, way="full", reason=f"read anew: {error.reason}"), None)


def _by_binlog(connection: Connection[Any], contract: Contract, changes: binlog.TableChanges) -> Increment:
    present = by_key.present(connection, contract, changes.keys)
    gone = by_key.without(changes.keys, present)
    return Increment(by_key.pieces(connection, contract, present), gone, {}, changes.counts)


def _by_cursor(connection: Connection[Any], contract: Contract, state: State, held: Held) -> Increment:
    assert state.watermark
    start = cursor.since(contract, state.watermark, state.open)
    condition = cursor.changed_since(contract, start)
    moved = Piece(rendered(connection, condition), partial(held.since, start))
    if contract.deletes == "none":
        return Increment([moved], by_key.key_schema(contract).empty_table(), {})
    difference = compare.keys(connection, contract, state.keys, held, condition)
    counts = {"buckets": difference.differing, "deleted": difference.deleted.num_rows}
    return Increment([moved, *difference.pieces], difference.deleted, {"keys": difference.now.to_json()}, counts)
