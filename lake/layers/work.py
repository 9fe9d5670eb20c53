"""What a run has to take in, table by table, as its manifests tell it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import datetime

from lake.contracts import Contract
from lake.extract.manifest import Manifest


@dataclass(frozen=True)
class Landed:
    """What a run landed of one table, by its manifest.

    Attributes:
        read: rows that were read.
        deleted: keys that are gone from the source.
        is_full: whether the table was read whole.
        is_held: whether it was not read at all, and stays as it is.
        was_held: whether that was so in the run before, and something had changed beside it.
        instant: as of which it was read.
        files, deletes: addresses of the landing files with the rows that were read, and with the keys that are gone, as
            far as they are known.
        bytes: of these files.
    """

    read: int
    deleted: int
    is_full: bool
    instant: datetime
    is_held: bool = False
    was_held: bool = False
    files: tuple[str, ...] = ()
    deletes: tuple[str, ...] = ()
    bytes: int = 0


@dataclass(frozen=True)
class Work:
    """What a run found.

    Attributes:
        landed: per table; of every table that is to be cleaned.
        waiting: tables with rows in quarantine.
    """

    landed: Mapping[str, Landed]
    waiting: Set[str]

    @classmethod
    def of(cls, manifests: Iterable[Manifest], waiting: Set[str]) -> Work:
        """The work that a run's manifests tell of."""
        return cls(
            {
                one.table: Landed(
                    one.rows,
                    one.deleted,
                    one.mode == "full",
                    one.snapshot.instant,
                    one.is_held,
                    one.was_held,
                    tuple(part.uri for part in one.parts),
                    tuple(part.uri for part in one.deletes),
                    sum(part.bytes for part in (*one.parts, *one.deletes)),
                )
                for one in manifests
            },
            waiting,
        )

    @property
    def unsure(self) -> set[str]:
        """Tables of which rows may be gone that nothing tells of: those read whole, and those that were held back until
        now, by which no row was judged meanwhile."""
        return {table for table, landed in self.landed.items() if landed.is_full or landed.was_held}

    @property
    def held(self) -> set[str]:
        """Tables that are held back."""
        return {table for table, landed in self.landed.items() if landed.is_held}

    def references(self, contract: Contract) -> dict[str, tuple[str, str]]:
        """Column -> (parent, its column), of the parents by which rows are judged: one whose parent may only not have
        been read yet is not refused for it."""
        held = self.held
        return {column: parent for column, parent in contract.references.items() if parent[0] not in held}

    def has_news(self, table: str) -> bool:
        """Whether the run read the table whole, read a row of it, found one deleted, or one waits in quarantine."""
        landed = self.landed[table]
        return bool(landed.is_full or landed.read or landed.deleted or table in self.waiting)
