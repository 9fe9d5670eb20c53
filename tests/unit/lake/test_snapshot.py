"""What a snapshot is remembered as."""

from __future__ import annotations

from datetime import UTC, datetime

from lake.source.snapshot import Snapshot

FOUND = Snapshot(
    "shop", datetime(2026, 1, 1, tzinfo=UTC), "0-1-5", "11.4.5-MariaDB", "agreed", 2, "every view tells …", True
)


def test_a_snapshot_survives_json() -> None:
    assert Snapshot.from_json(FOUND.to_json()) == FOUND


def test_one_of_an_older_manifest_is_understood() -> None:
    """It named the means a way, and no proof."""
    now = {"source", "instant", "position", "server", "connections"}
    old = {name: value for name, value in FOUND.to_json().items() if name in now} | {"way": "agreed"}
    found = Snapshot.from_json(old)
    assert (found.means, found.proof, found.is_exact) == ("agreed", "", False)
