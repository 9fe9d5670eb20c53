"""Works out in memory what becomes of a table's cleaned rows, of its quarantine and of its history."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.table import Table

from lake.contracts import PROBLEMS, Contract
from lake.errors import AuditError
from lake.layers import raw
from lake.layers.arrivals import Landing
from lake.layers.judged import Judged, judge
from lake.layers.keys import keys_of, orphans, without
from lake.layers.layout import REASONS
from lake.layers.located import FILE, PLACE, around, having, locate
from lake.layers.merged import Increment, Merged, as_schema, merge
from lake.layers.outcome import Outcome
from lake.layers.sizes import FEW_KEYS, Arrived, is_rewritten
from lake.layers.versions import PERIOD, versions


@dataclass(frozen=True)
class Change:
    """What becomes of a table in one layer.

    Attributes:
        rows: that it gets.
        deletes: `FILE` and `PLACE` of the rows that go; None where all that are there do.
    """

    layer: str
    rows: pa.Table
    deletes: pa.Table | None = None


@dataclass(frozen=True)
class Content:
    """What becomes of a table.

    Attributes:
        changes: of the layers that do not stay as they are.
        cleaned: all rows of ``cleaned``, where they are written anew.
    """

    changes: tuple[Change, ...]
    outcome: Outcome
    cleaned: pa.Table | None = None


class Contents:
    """Works tables out, as a run finds them on its branch; parents come before the tables that point at them.

    Args:
        lost: tables that may have lost rows in this run; those that are found to have are added.
    """

    def __init__(self, branch: str, run_id: str, lost: set[str]) -> None:
        self._branch = branch
        self._run_id = run_id
        self._lost = lost
        self._keys: dict[tuple[str, str], pa.Array | None] = {}

    def begin(self, tables: Iterable[Arrived]) -> None:
        """Forget the keys that are known; those that some tables point at are remembered from now on."""
        self._keys = {parent: None for one in tables for parent in one.references.values()}

    def of(self, arrived: Arrived, landed: Landing) -> Content:
        """What becomes of a table.

        Raises:
            AuditError: rows were lost or doubled on the way.
        """
        table = arrived.contract.table
        content = self._whole(arrived, landed) if arrived.landed.is_full else self._merged(arrived, landed)
        outcome = content.outcome
        if outcome.judged != outcome.valid + outcome.refused:
            raise AuditError(
                f"{table}: {outcome.judged} rows judged, but {outcome.valid} valid and {outcome.refused} refused",
                "rows were lost or doubled on the way: this is a defect of the platform, keep the branch and report it",
            )
        if outcome.refused or outcome.deleted:
            self._lost.add(table)
        for parent, column in self._keys:
            if parent == table and content.cleaned is not None:
                self._keys[parent, column] = content.cleaned.column(column).combine_chunks()
        return content

    def _whole(self, arrived: Arrived, landed: Landing) -> Content:
        found = judge(landed.read, arrived.contract, self._existing(arrived, [landed.read]))
        counts = (arrived.landed.read, found.valid.num_rows, found.refused.num_rows, 0)
        changes = [Change("cleaned", found.valid), Change("quarantine", found.refused)]
        changes += self._history(arrived, found, gone=None)
        return Content(tuple(changes), Outcome(arrived.contract.table, *counts, found.reasons), found.valid)

    def _merged(self, arrived: Arrived, landed: Landing) -> Content:
        contract = arrived.contract
        lost = {
            name: parent
            for name, parent in arrived.references.items()
            if arrived.landed.was_held or parent[0] in self._lost
        }
        waiting = self._rows(self._found("quarantine", contract), landed.read.schema)
        if not (landed.read.num_rows or landed.gone.num_rows or waiting.num_rows or lost):
            return Content((), Outcome(contract.table))
        of_lost = {name: self._all_keys(*parent).cast(_kind(contract, name)) for name, parent in lost.items()}
        held = self._held(arrived, [landed.read, landed.gone, waiting], of_lost)
        keys = self._existing(arrived, [landed.read, waiting, held]) | of_lost
        found = merge(Increment(contract, self._run_id, landed.read, landed.gone, held, waiting, of_lost), keys)
        judged = found.judged
        changes, cleaned = self._cleaned(arrived, found, held)
        if judged.refused.num_rows or waiting.num_rows:
            changes.append(Change("quarantine", judged.refused))
        changes += self._history(arrived, judged, gone=_keys(contract, [landed.gone, judged.refused]))
        judged_rows = judged.valid.num_rows + judged.refused.num_rows
        counts = (judged_rows, judged.valid.num_rows, judged.refused.num_rows, landed.gone.num_rows)
        return Content(tuple(changes), Outcome(contract.table, *counts, judged.reasons), cleaned)

    def _held(self, arrived: Arrived, changing: list[pa.Table], of_lost: dict[str, pa.Array]) -> pa.Table:
        """Rows of ``cleaned``: all, where it is written anew, or those that an increment concerns, and their places.

        Args:
            changing: rows with the keys that the increment has.
            of_lost: see `Increment.lost`.
        """
        contract = arrived.contract
        found = self._found("cleaned", contract)
        schema = _with_others(found, pa.schema([f for f in changing[0].schema if f.name != PROBLEMS]))
        if arrived.is_rewritten:
            return self._rows(found, schema)
        keys = _keys(contract, changing)
        have = having(contract.key, keys)

        def wanted(rows: pa.Table) -> Any:
            mask = have(rows)
            for name, existing in of_lost.items():
                mask = pc.or_(mask, orphans(rows.column(name), existing))
            return mask

        looked_at = [*dict.fromkeys((*contract.key, *of_lost))]
        within = None if of_lost else around(contract.key[0], keys.column(contract.key[0]))
        return locate(found, schema, looked_at, wanted, within)

    @staticmethod
    def _cleaned(arrived: Arrived, found: Merged, held: pa.Table) -> tuple[list[Change], pa.Table | None]:
        """What becomes of ``cleaned``, and all its rows where it is written anew."""
        key = arrived.contract.key
        if not arrived.is_rewritten:
            changes = found.changed.num_rows or found.outdated
            places = held.filter(pa.array([one in found.outdated for one in keys_of(held, key)], pa.bool_()))
            return [Change("cleaned", found.changed, places.select([FILE, PLACE]))] if changes else [], None
        if not found.changed.num_rows and not found.outdated:
            return [], None
        # Of a column that the contract has lost the lake still has the values, and new rows have none.
        kept = without(held, key, found.outdated)
        cleaned = pa.concat_tables([kept, found.changed], promote_options="default")
        return [Change("cleaned", cleaned)], cleaned

    def _history(self, arrived: Arrived, judged: Judged, gone: pa.Table | None) -> list[Change]:
        """What becomes of the history.

        Args:
            gone: keys that left; None where the table was read whole.
        """
        contract = arrived.contract
        if not contract.history:
            return []
        schema = pa.schema([*judged.valid.schema, *PERIOD])
        table = raw.find(self._branch, "history", contract.table)
        if table is None:
            told = versions(contract, judged.valid, schema.empty_table(), arrived.landed.instant, set())
            return [Change("history", told.begun)]
        schema = _with_others(table, schema)
        is_anew = is_rewritten(table, len(schema))
        keys = None if is_anew or gone is None else _keys(contract, [judged.valid, gone])
        known = _versions(table, contract, schema, keys)
        left = None if gone is None else {*keys_of(gone, contract.key)}
        told = versions(contract, judged.valid, known.drop_columns([FILE, PLACE]), arrived.landed.instant, left)
        if not told.begun.num_rows and not told.ended.num_rows:
            return []
        rows = pa.concat_tables([told.ended, told.begun], promote_options="default")
        if not is_anew:
            return [Change("history", rows, known.select([FILE, PLACE]).take(told.places))]
        ends = {*told.places.to_pylist()}
        stays = pa.array([place not in ends for place in range(known.num_rows)], pa.bool_())
        kept = known.drop_columns([FILE, PLACE]).filter(stays)
        return [Change("history", pa.concat_tables([kept, rows], promote_options="default"))]

    def _found(self, layer: str, contract: Contract) -> Table:
        found = raw.find(self._branch, layer, contract.table)
        assert found is not None, "an increment is merged into tables that are there"
        return found

    @staticmethod
    def _rows(table: Table, schema: pa.Schema) -> pa.Table:
        """All rows of a table, in the columns of a schema and then those that only the table has."""
        return as_schema(table.scan().to_arrow(), _with_others(table, schema))

    def _existing(self, arrived: Arrived, rows: Iterable[pa.Table]) -> dict[str, pa.Array]:
        """For each referencing column, the keys that exist: all, or those that some rows point at."""
        contract, found = arrived.contract, {}
        for name, (parent, column) in arrived.references.items():
            is_known = self._keys.get((parent, column)) is not None
            if is_known or raw.row_count(self._branch, "cleaned", parent) <= FEW_KEYS:
                keys = self._all_keys(parent, column)
            else:
                keys = self._some_keys(parent, column, pa.concat_tables([each.select([name]) for each in rows]))
            found[name] = keys.cast(_kind(contract, name))
        return found

    def _all_keys(self, parent: str, column: str) -> pa.Array:
        """The keys of a parent: of one that is taken in now those that were found valid, else those in the lake."""
        keys = self._keys.get((parent, column))
        if keys is None:
            keys = self._parent(parent).scan(selected_fields=(column,)).to_arrow().column(column).combine_chunks()
            self._keys[parent, column] = keys
        return keys

    def _some_keys(self, parent: str, column: str, pointers: pa.Table) -> pa.Array:
        """Those keys of a parent in the lake that are pointed at."""
        table = self._parent(parent)
        field = pointers.schema.field(0).with_name(column)
        some = pa.table([pc.unique(pointers.column(0))], schema=pa.schema([field]))
        within = around(column, some.column(0))
        return locate(table, some.schema, [column], having([column], some), within).column(column).combine_chunks()

    def _parent(self, parent: str) -> Table:
        found = raw.find(self._branch, "cleaned", parent)
        assert found is not None, "a parent is cleaned before the tables that point at it"
        return found


def _versions(table: Table, contract: Contract, schema: pa.Schema, keys: pa.Table | None) -> pa.Table:
    """The versions of the rows with some keys, or of all, and where they lie."""
    first = contract.key[0]
    if keys is None:
        return locate(table, schema, [first], lambda rows: pa.repeat(pa.scalar(True), rows.num_rows))
    return locate(table, schema, contract.key, having(contract.key, keys), around(first, keys.column(first)))


def _kind(contract: Contract, name: str) -> pa.DataType:
    return contract.schema.field(name).type


def _keys(contract: Contract, tables: Iterable[pa.Table]) -> pa.Table:
    """The keys of some rows."""
    return pa.concat_tables([each.select(list(contract.key)) for each in tables])


def _with_others(table: Table, schema: pa.Schema) -> pa.Schema:
    """A schema, and then the columns that only a table has."""
    have = table.schema().as_arrow()
    others = [have.field(name) for name in have.names if name not in schema.names and name != REASONS]
    return pa.schema([*schema, *(pa.field(field.name, field.type) for field in others)])
