"""What maintenance removes, or would remove: for people and for `lake maintenance --json`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from lake.platform.storage import Stored


@dataclass(frozen=True)
class Gone:
    """Things of one kind.

    Attributes:
        count: how many.
        bytes: what they take; None where that is not known.
    """

    kind: str
    count: int
    bytes: int | None = None

    @classmethod
    def objects(cls, kind: str, objects: Iterable[Stored]) -> Gone:
        """Objects of the store."""
        sizes = [each.bytes for each in objects]
        return cls(kind, len(sizes), sum(sizes))

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)
