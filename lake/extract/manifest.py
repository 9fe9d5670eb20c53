"""What an extraction wrote: files, rows, bounds, watermark, and the snapshot that was read."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal

from lake import storage
from lake.extract.source import Snapshot

Mode = Literal["full", "increment"]


@dataclass(frozen=True)
class Part:
    """One landing file; rows and bytes as written."""

    uri: str
    rows: int
    bytes: int


@dataclass(frozen=True)
class Manifest:
    """The outcome of one table's extraction. It is written after the last part: a folder without one is unfinished.

    Attributes:
        mode: `full` holds every row of the table, `increment` those whose cursor moved.
        source_rows: rows of the whole table in the snapshot, for proving the cleaned table complete.
        watermark: greatest cursor value in the snapshot, not after its instant; where the next increment starts.
        keys: files with every key of the table, where deletes are found by comparing keys.
        nulled: by column, values that became NULL because the contract says so of what cannot be held.
    """

    table: str
    run_id: str
    mode: Mode
    snapshot: Snapshot
    source_rows: int
    watermark: datetime | None
    parts: list[Part] = field(default_factory=list)
    keys: list[Part] = field(default_factory=list)
    nulled: dict[str, int] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Rows in all parts."""
        return sum(part.rows for part in self.parts)

    def to_json(self) -> dict[str, Any]:
        """Plain values; instants as ISO 8601."""
        watermark = self.watermark.isoformat() if self.watermark else None
        return {**asdict(self), "snapshot": self.snapshot.to_json(), "watermark": watermark}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Manifest:
        """The inverse of `to_json`."""
        return cls(
            **{
                **value,
                "snapshot": Snapshot.from_json(value["snapshot"]),
                "watermark": datetime.fromisoformat(value["watermark"]) if value["watermark"] else None,
                "parts": [Part(**part) for part in value["parts"]],
                "keys": [Part(**part) for part in value["keys"]],
            }
        )


def folder(source: str, table: str, run_id: str) -> str:
    """Where a run lands a table's files."""
    return f"{storage.LANDING}/{source}/{table}/run={run_id}"


def write(manifest: Manifest) -> None:
    """Write the manifest beside its parts."""
    where = folder(manifest.snapshot.source, manifest.table, manifest.run_id)
    storage.put(f"{where}/manifest.json", json.dumps(manifest.to_json(), indent=1).encode(), "application/json")


def read(source: str, table: str, run_id: str) -> Manifest:
    """Read a manifest back.

    Raises:
        FileNotFoundError: the table's extraction was not finished.
    """
    return Manifest.from_json(json.loads(storage.get(f"{folder(source, table, run_id)}/manifest.json")))
