"""Receipts stay readable, whichever version has written them."""

from __future__ import annotations

import json

import pytest

from lake.ledger import receipts
from lake.platform import storage

OLD = {
    "run_id": "r1",
    "lake_commit": "abc",
    "source_instant": "2026-11-26T05:20:00+00:00",
    "source_position": "0-1-5",
    "published_at": "2026-11-26T05:21:00+00:00",
    "code_version": "0.1.0",
    "dbt_manifest_sha256": "",
    "tables": {"orders": {"source": "shop", "mode": "full", "read": 5}},
}
"""As runs have left it that were before there were traces."""


def test_a_receipt_of_a_run_that_was_not_traced_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "get", lambda uri: json.dumps(OLD).encode())
    found = receipts.of_run("r1")
    assert (found.trace_id, found.unchanged_since) == ("", "")
    assert found.to_json()["trace_id"] == ""
