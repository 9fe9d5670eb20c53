"""Which tables are small enough that a run takes them in without Spark."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

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
"""Rows by columns of a table into which an increment is merged here: it is written whole, and each state that the lake
keeps of it is a copy."""

FEW_KEYS = 1_000_000
"""Of a parent, in memory while the tables that point at it are judged."""

LAYERS = ("cleaned", "quarantine")


@dataclass(frozen=True)
class Arrived:
    """What a run has read of a table, and what it goes with.

    Attributes:
        references: column -> (parent, its column), of the parents that the run knows.
        held: rows that ``cleaned`` has, where the table was not read whole.
    """

    contract: Contract
    landed: Landed
    references: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    held: int = 0

    @property
    def values(self) -> int:
        """Rows by columns, of those that are held in memory."""
        return (self.landed.read + self.landed.deleted + self.held) * len(self.contract.columns)


class Sizes:
    """Tells the small tables of a run, on its branch, from the others."""

    def __init__(self, branch: str, contracts: Mapping[str, Contract], work: Work) -> None:
        self._branch = branch
        self._contracts = contracts
        self._work = work

    def arrived(self, table: str) -> Arrived:
        """What the run has read of a table."""
        contract, landed = self._contracts[table], self._work.landed[table]
        held = 0 if landed.is_full else raw.row_count(self._branch, "cleaned", table)
        return Arrived(contract, landed, self._work.references(contract), held)

    def is_small(self, table: str) -> bool:
        """Whether a table is to be taken in without Spark. Its parents come before it."""
        if not self._is_concerned(table):
            return False
        found = self.arrived(table)
        return (
            self._fits(found)
            and (self._can_replace(table) if found.landed.is_full else self._can_merge(table))
            and all(self._keys(parent) <= FEW_KEYS for parent, _ in found.references.values())
        )

    def _is_concerned(self, table: str) -> bool:
        """Whether it is known already that rows of a table have to be judged. Of most that are here because a parent
        has changed none has to, and to find that out costs Spark nothing."""
        landed = self._work.landed
        parents = [landed[parent] for parent, _ in self._work.references(self._contracts[table]).values()]
        has_lost = any(parent.is_full or parent.was_held or parent.deleted for parent in parents)
        return self._work.has_news(table) or landed[table].was_held or has_lost

    def _fits(self, arrived: Arrived) -> bool:
        """Whether it is small enough, has no history, and rules that are applied here as in Spark."""
        contract, landed = arrived.contract, arrived.landed
        parents = {
            name: self._contracts[parent].schema.field(key).type for name, (parent, key) in arrived.references.items()
        }
        return (
            bool(landed.files or not landed.read)
            and bool(landed.deletes or not landed.deleted)
            and arrived.values <= (SMALL_VALUES if landed.is_full else MERGED_VALUES)
            and landed.bytes <= SMALL_BYTES
            and not contract.history
            and can_judge(contract, parents)
        )

    def _can_replace(self, table: str) -> bool:
        """Whether what the lake has of a table consists of whole files: rows that Spark has marked as deleted in them
        only Spark takes out of the way."""
        found = [raw.find(self._branch, layer, table) for layer in LAYERS if f"{layer}.{table}" in self._present]
        snapshots = [one.current_snapshot() for one in found if one]
        return not any(int(one.summary["total-delete-files"] or 0) for one in snapshots if one and one.summary)

    def _can_merge(self, table: str) -> bool:
        """Whether an increment may be merged into what the lake has of a table."""
        return all(f"{layer}.{table}" in self._present for layer in LAYERS) and self._can_replace(table)

    def _keys(self, parent: str) -> int:
        """How many keys a parent has, at most."""
        landed = self._work.landed[parent]
        return landed.read + (0 if landed.is_full else raw.row_count(self._branch, "cleaned", parent))

    @cached_property
    def _present(self) -> set[str]:
        return set(catalog.tables(self._branch))
