"""Which tables are small enough that a run takes them in without Spark."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import pyarrow as pa
from pyiceberg.table import Table

from lake.contracts import Contract
from lake.layers import raw
from lake.layers.judged import can_judge
from lake.layers.work import Landed, Work
from lake.platform import catalog

SMALL_VALUES = 4_000_000
"""Rows by columns of a table that is held in memory whole."""

SMALL_BYTES = 32 << 20
"""Of its landing files: texts may be long."""

MERGED_VALUES = 200_000
"""Rows by columns of a table that an increment writes anew: each state that the lake keeps of it is a copy. Into a
larger one it writes what changed, beside the positions of the rows that go."""

FEW_KEYS = 1_000_000
"""Of a parent, in memory while the tables that point at it are judged."""

FEW_GONE = 10_000
"""Rows of a parent. When more are gone, the rows that pointed at them may be more than fit into memory."""

LAYERS = ("cleaned", "quarantine")


@dataclass(frozen=True)
class Arrived:
    """What a run has read of a table, and what it goes with.

    Attributes:
        references: column -> (parent, its column), of the parents that the run knows.
        held: rows that are in memory besides those that were read: all of ``cleaned``, where an increment writes it
            anew, or those that it changes at most.
        is_rewritten: whether ``cleaned`` is written anew.
    """

    contract: Contract
    landed: Landed
    references: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    held: int = 0
    is_rewritten: bool = True

    @property
    def values(self) -> int:
        """Rows by columns, of those that are held in memory."""
        return (self.landed.read + self.landed.deleted + self.held) * len(self.contract.columns)


def is_rewritten(table: Table, columns: int, more: int = 0) -> bool:
    """Whether an increment writes a table anew, and not only what changes.

    Args:
        more: rows that may be added.
    """
    rows = raw.told(table.metadata, "total-records") + more
    return not raw.told(table.metadata, "total-delete-files") and rows * columns <= MERGED_VALUES


class Sizes:
    """Tells the small tables of a run, on its branch, from the others."""

    def __init__(self, branch: str, contracts: Mapping[str, Contract], work: Work) -> None:
        self._branch = branch
        self._contracts = contracts
        self._work = work

    def arrived(self, table: str) -> Arrived:
        """What the run has read of a table."""
        contract, landed = self._contracts[table], self._work.landed[table]
        references, changing = self._work.references(contract), landed.read + landed.deleted
        found = None if landed.is_full else raw.find(self._branch, "cleaned", table)
        if found is None:
            return Arrived(contract, landed, references)
        if is_rewritten(found, len(contract.columns), changing):
            return Arrived(contract, landed, references, raw.row_count(self._branch, "cleaned", table))
        waiting = raw.row_count(self._branch, "quarantine", table)
        return Arrived(contract, landed, references, changing + 2 * waiting, is_rewritten=False)

    def is_small(self, table: str) -> bool:
        """Whether a table is to be taken in without Spark. Its parents come before it."""
        if not self._is_concerned(table):
            return False
        found = self.arrived(table)
        return (
            self._fits(found)
            and (self._can_replace(found) if found.landed.is_full else self._can_merge(found))
            and all(self._keys(parent) <= FEW_KEYS for parent in self._losing(found))
        )

    def _is_concerned(self, table: str) -> bool:
        """Whether it is known already that rows of a table have to be judged. Of most that are here because a parent
        has changed none has to, and to find that out costs Spark nothing."""
        landed = self._work.landed
        parents = [landed[parent] for parent, _ in self._work.references(self._contracts[table]).values()]
        has_lost = any(parent.is_full or parent.was_held or parent.deleted for parent in parents)
        return self._work.has_news(table) or landed[table].was_held or has_lost

    def _fits(self, arrived: Arrived) -> bool:
        """Whether it is small enough, and has rules that are applied here as in Spark."""
        contract, landed = arrived.contract, arrived.landed
        parents = {
            name: self._contracts[parent].schema.field(key).type for name, (parent, key) in arrived.references.items()
        }
        return (
            bool(landed.files or not landed.read)
            and bool(landed.deletes or not landed.deleted)
            and arrived.values <= SMALL_VALUES
            and landed.bytes <= SMALL_BYTES
            and can_judge(contract, parents)
        )

    def _can_replace(self, arrived: Arrived) -> bool:
        """Whether what the lake has of a table consists of whole files: rows that are marked as deleted in them only
        Spark takes out of the way. All versions of its rows have to fit too."""
        contract = arrived.contract
        found = [raw.find(self._branch, layer, contract.table) for layer in LAYERS if self._has(layer, contract.table)]
        versions = raw.row_count(self._branch, "history", contract.table) if contract.history else 0
        return (
            not any(raw.told(one.metadata, "total-delete-files") for one in found if one)
            and versions * len(contract.columns) <= SMALL_VALUES
        )

    def _can_merge(self, arrived: Arrived) -> bool:
        """Whether an increment may be merged into what the lake has of a table.

        Of a large one the rows that it concerns are looked for. So it has to be known that they are few, and what the
        same key is.
        """
        contract, losing = arrived.contract, [self._work.landed[parent] for parent in self._losing(arrived)]
        is_exact = not any(pa.types.is_floating(contract.schema.field(name).type) for name in contract.key)
        few = sum(one.deleted for one in losing) <= FEW_GONE and not any(one.is_full or one.was_held for one in losing)
        return all(self._has(layer, contract.table) for layer in LAYERS) and (
            arrived.is_rewritten or (is_exact and few and not arrived.landed.was_held)
        )

    def _losing(self, arrived: Arrived) -> list[str]:
        """Parents that may have lost rows, of which all keys are needed."""
        landed = self._work.landed
        parents = {parent for parent, _ in arrived.references.values()}
        may_lose = arrived.landed.is_full or arrived.landed.was_held
        return [
            parent
            for parent in sorted(parents)
            if may_lose or landed[parent].is_full or landed[parent].was_held or landed[parent].deleted
        ]

    def _has(self, layer: str, table: str) -> bool:
        return f"{layer}.{table}" in self._present

    def _keys(self, parent: str) -> int:
        """How many keys a parent has, at most."""
        landed = self._work.landed[parent]
        return landed.read + (0 if landed.is_full else raw.row_count(self._branch, "cleaned", parent))

    @cached_property
    def _present(self) -> set[str]:
        return set(catalog.tables(self._branch))
