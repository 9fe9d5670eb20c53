"""Which tables are the same though their metadata has another address."""

from __future__ import annotations

import pytest

from lake.ledger import rewritten
from lake.platform import storage


@pytest.fixture(autouse=True)
def notes(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """The object store, as a dictionary of this test."""
    kept: dict[str, bytes] = {}
    monkeypatch.setattr(storage, "put", lambda uri, data, content_type="": kept.update({uri: data}))
    monkeypatch.setattr(storage, "get", lambda uri: kept[uri])
    monkeypatch.setattr(storage, "list_keys", lambda prefix: sorted(kept))
    return kept


def test_what_was_written_anew_several_times_is_the_same() -> None:
    rewritten.remember("monday", {"b": "a", "y": "x"})
    rewritten.remember("tuesday", {"c": "b"})
    assert rewritten.changed({"orders": "c", "items": "y"}, {"orders": "a", "items": "x"}) == set()
    assert rewritten.changed({"orders": "c"}, {"orders": "b"}) == set()


def test_what_changed_before_or_after_it_was_written_anew_has_changed() -> None:
    rewritten.remember("monday", {"b": "a"})
    assert rewritten.changed({"orders": "d"}, {"orders": "a"}) == {"orders"}
    assert rewritten.changed({"orders": "b"}, {"orders": "z"}) == {"orders"}


def test_a_table_that_was_not_there_is_new(notes: dict[str, bytes]) -> None:
    rewritten.remember("monday", {"b": "a"})
    assert rewritten.changed({"orders": "b"}, {}) == {"orders"}


def test_the_same_address_is_the_same_table_and_the_store_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(storage, "list_keys")
    assert rewritten.changed({"orders": "a"}, {"orders": "a"}) == set()
    assert rewritten.changed({"orders": "a", "new": "n"}, {"orders": "a"}) == {"new"}
