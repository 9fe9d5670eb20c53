"""What an extraction wrote, and the one write that makes it count.

A run's landing is complete when the object ``<source>/run=<id>.json`` exists: it holds the manifests of all tables. It
is written last and only if it is not there (a conditional PUT), so of several tries of one run exactly one counts. A
try that was thought dead and wakes up finds the other's manifest and takes that over; what it wrote itself is nobody's.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal

from lake.changes.increment import Way
from lake.contracts.model import Column, Contract
from lake.platform import storage
from lake.source.snapshot import Snapshot

Mode = Literal["full", "increment", "held back", "not asked for", "gone"]
HELD: frozenset[Mode] = frozenset({"held back", "not asked for", "gone"})
"""Modes of a table that was not read."""

_INSTANTS = ("watermark", "held_since")


@dataclass(frozen=True)
class Part:
    """One landing file; rows and bytes as written.

    Attributes:
        condition: which rows of the table it holds, in the source's SQL; empty for all that were asked for.
        hash_sum: of the canonical hashes of its rows as they came from the source, as a decimal number: what
            ``mysql_arrow.hash_expression`` computes there. Empty where it was not asked for.
        nulled: by column, values that became NULL because the contract says so of what cannot be held.
    """

    uri: str
    rows: int
    bytes: int
    condition: str = ""
    hash_sum: str = ""
    nulled: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Manifest:
    """The outcome of one table's extraction.

    Attributes:
        mode: `full` holds every row of the table, `increment` those that changed; a table that was `held back`,
            that the run was `not asked for`, or that is `gone` from the source, was not read, and stays as the last run
            left it.
        way: how the changes were found; `full` where all rows were read.
        reason: why this way.
        source_rows: rows of the whole table in the snapshot, for proving the cleaned table complete.
        watermark: greatest cursor value in the snapshot, not after its instant; where the next increment starts.
        deletes: files with a row for each key that is gone from the source.
        state: what the table's next increment must know, as `lake.changes.strategy.State` writes it.
        held_since: as of which instant a table that was not read last was; nothing for one that never was.
        missed: whether it was not read while others of its source were, and had changed: what stands beside it in the
            lake may be newer than it.
        was_held: whether the table was not read in the run before, and missed anything by it.
        followed: columns in which the contract followed the table, as the contract has them now.
        gone: columns that it followed the table in having no longer.
        told: the same in sentences.
    """

    table: str
    run_id: str
    mode: Mode
    snapshot: Snapshot
    source_rows: int
    watermark: datetime | None
    parts: list[Part] = field(default_factory=list)
    deletes: list[Part] = field(default_factory=list)
    way: Way = "full"
    reason: str = ""
    state: dict[str, Any] = field(default_factory=dict)
    held_since: datetime | None = None
    missed: bool = False
    was_held: bool = False
    followed: dict[str, dict[str, Any]] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    @property
    def is_held(self) -> bool:
        """Whether the table was not read, and stays as it is."""
        return self.mode in HELD

    @property
    def holds_back(self) -> bool:
        """Whether what is made of the table stays as it is too. Of one that is gone nothing is missing."""
        return self.is_held and self.mode != "gone"

    @property
    def has_news(self) -> bool:
        """Whether anything of the table is to be taken in. A table that was read whole may have become empty, and one
        that was held until now may be missed by what it is read with."""
        return not self.is_held and (self.mode == "full" or self.was_held or bool(self.rows or self.deleted))

    def under(self, contract: Contract) -> Contract:
        """The contract that the run began with, as far as it followed the table when that was read."""
        if not self.followed and not self.gone:
            return contract
        columns = {name: Column.model_validate(entry) for name, entry in self.followed.items()}
        kept = {name: column for name, column in contract.columns.items() if name not in self.gone}
        return contract.with_columns({**kept, **columns})

    @property
    def rows(self) -> int:
        """Rows in all parts."""
        return sum(part.rows for part in self.parts)

    @property
    def deleted(self) -> int:
        """Keys that are gone from the source."""
        return sum(part.rows for part in self.deletes)

    @property
    def nulled(self) -> dict[str, int]:
        """By column, values that became NULL because the contract says so of what cannot be held."""
        return dict(sum((Counter(part.nulled) for part in self.parts), Counter()))

    def to_json(self) -> dict[str, Any]:
        """Plain values; instants as ISO 8601."""
        instants = {name: value.isoformat() if (value := getattr(self, name)) else None for name in _INSTANTS}
        return {**asdict(self), "snapshot": self.snapshot.to_json(), **instants}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Manifest:
        """The inverse of `to_json`."""
        return cls(
            **{
                **value,
                "snapshot": Snapshot.from_json(value["snapshot"]),
                **{name: datetime.fromisoformat(value[name]) if value.get(name) else None for name in _INSTANTS},
                "parts": [Part(**part) for part in value["parts"]],
                "deletes": [Part(**part) for part in value["deletes"]],
            }
        )


def held_back(run_id: str, table: str, reason: str, snapshot: Snapshot, last: Manifest | None) -> Manifest:
    """Of a table that cannot be read in this run: it stays as the last run left it, and the next increment starts where
    this one would have.

    Args:
        snapshot: of the source as the other tables were read; the last one, where the source was away.
        last: what the run before said of the table; nothing where it is not known or never was read.
    """
    return _not_read(run_id, table, "held back", reason, snapshot, last, missed=True)


def gone(run_id: str, table: str, snapshot: Snapshot, last: Manifest | None) -> Manifest:
    """Of a table that the source has dropped, and that the lake keeps as it was. It may come back.

    Args:
        snapshot, last: as for `held_back`.
    """
    return _not_read(run_id, table, "gone", "the source has it no longer", snapshot, last, missed=False)


def not_asked_for(run_id: str, table: str, snapshot: Snapshot, last: Manifest | None, missed: bool) -> Manifest:
    """Of a table that the run is not to read. One that a person has to settle stays known as such.

    Args:
        snapshot, last: as for `held_back`.
        missed: whether other tables of its source were read in this run, and had changed.
    """
    if last and last.mode == "held back":
        return held_back(run_id, table, last.reason, snapshot, last)
    if last and last.mode == "gone":
        return gone(run_id, table, snapshot, last)
    reason = "the run was asked for others"
    has_missed = missed or (last is not None and last.is_held and last.missed)
    return _not_read(run_id, table, "not asked for", reason, snapshot, last, has_missed)


def _not_read(
    run_id: str, table: str, mode: Mode, reason: str, snapshot: Snapshot, last: Manifest | None, missed: bool
) -> Manifest:
    since = (last.held_since if last.is_held else last.snapshot.instant) if last else None
    return Manifest(
        table=table,
        run_id=run_id,
        mode=mode,
        snapshot=snapshot,
        source_rows=last.source_rows if last else 0,
        watermark=last.watermark if last else None,
        way=last.way if last else "full",
        reason=reason,
        state=last.state if last else {},
        held_since=since,
        missed=missed,
        # Of one that was gone before nothing has been missed until it comes back.
        was_held=misses_something(last) and not (mode == "gone" and last is not None and last.mode == "gone"),
    )


def misses_something(last: Manifest | None) -> bool:
    """Whether a table was not read in the run before, and missed anything by it. What was written before there was a
    choice of tables says only that it was held back."""
    return last is not None and last.is_held and (last.missed or last.mode in ("held back", "gone"))


def folder(source: str, table: str, run_id: str) -> str:
    """Where a run lands a table's files."""
    return f"{storage.LANDING}/{source}/{table}/run={run_id}"


def _uri(source: str, run_id: str) -> str:
    return f"{storage.LANDING}/{source}/run={run_id}.json"


def is_one(uri: str) -> bool:
    """Whether an object of the landing zone holds the manifests of a run."""
    return uri.endswith(".json") and uri.rpartition("/")[2].startswith("run=")


def commit(source: str, run_id: str, manifests: list[Manifest]) -> list[Manifest]:
    """Make these the run's manifests, unless another try of the run was first; the ones that count are returned."""
    document = {"run_id": run_id, "tables": [manifest.to_json() for manifest in manifests]}
    storage.put_new(_uri(source, run_id), json.dumps(document, indent=1).encode(), "application/json")
    # Read back whether or not the write says that it was ours: its answer may have been lost.
    return read_all(source, run_id)


def is_committed(source: str, run_id: str) -> bool:
    """Whether the run's landing is complete."""
    return storage.exists(_uri(source, run_id))


def forget(source: str, run_id: str) -> None:
    """Throw away the manifests of a run that found nothing, once those of a later one say all that they say."""
    storage.delete(_uri(source, run_id))


def read_all(source: str, run_id: str) -> list[Manifest]:
    """The manifests of a run, one a table.

    Raises:
        FileNotFoundError: the run's extraction was not finished.
    """
    document = json.loads(storage.get(_uri(source, run_id)))
    return [Manifest.from_json(entry) for entry in document["tables"]]


def read_run(sources: Iterable[str], run_id: str) -> list[Manifest]:
    """The manifests of a run over all its sources, one a table. Raises as `read_all` does."""
    return [entry for source in sources for entry in read_all(source, run_id)]
