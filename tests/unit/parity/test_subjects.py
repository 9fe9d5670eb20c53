"""What a sweep compares the source with: the lake as the last run left it, or found it to be right."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from lake.contracts import Contract, frozen
from lake.extract import manifest
from lake.extract.manifest import Manifest
from lake.ledger import parity_subjects, receipts
from lake.ledger.receipts import Receipt
from lake.source.snapshot import Snapshot

SNAPSHOT = Snapshot("crm", datetime(2026, 1, 1, tzinfo=UTC), "", "11.4", "single", 1, "", True)
CONTRACT = Contract.model_validate(
    {"source": "crm", "table": "t", "description": "x", "owner": "x", "grain": "x", "deletes": "none", "key": []}
    | {"columns": {"a": {"type": "int"}}}
)


@pytest.fixture
def landed(monkeypatch: pytest.MonkeyPatch) -> dict[str, Manifest]:
    """Manifests of the source by run, the run `published` being the last that was."""
    found = {"published": Manifest("t", "published", "full", SNAPSHOT, 5, None)}

    def read_all(source: str, run_id: str) -> list[Manifest]:
        if run_id not in found:
            raise FileNotFoundError(run_id)
        return [found[run_id]]

    receipt: Any = Receipt("published", "", "", "", "", "", "")
    monkeypatch.setattr(parity_subjects, "last_published", lambda commit: "published")
    monkeypatch.setattr(receipts, "of_run", lambda run_id: receipt)
    monkeypatch.setattr(receipts, "newest_unchanged_since", lambda run_id: "later")
    monkeypatch.setattr(frozen, "read", lambda sha256: {"t": CONTRACT})
    monkeypatch.setattr(manifest, "read_all", read_all)
    return found


def test_a_table_that_a_run_without_news_held_back_is_known_to_be_held(landed: dict[str, Manifest]) -> None:
    """A run that finds a table dropped, and nothing else, publishes nothing."""
    landed["later"] = manifest.held_back("later", "t", "it is gone", SNAPSHOT, landed["published"])
    (subject,) = parity_subjects.published("c0ffee")["crm"]
    assert subject.published.is_held


def test_what_was_published_counts_where_no_later_run_has_read_the_source(landed: dict[str, Manifest]) -> None:
    (subject,) = parity_subjects.published("c0ffee")["crm"]
    assert subject.published.run_id == "published"


def test_a_published_run_without_manifests_is_not_taken_for_one_without_tables(landed: dict[str, Manifest]) -> None:
    landed.clear()
    with pytest.raises(FileNotFoundError):
        parity_subjects.published("c0ffee")
