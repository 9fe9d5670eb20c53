"""What the receipts say, on receipts written by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lake.ledger import receipts
from lake.ledger.receipts import Receipt
from lake.observe import news, published
from lake.observe.metrics import Sample
from lake.observe.published import Published
from lake.platform import catalog, storage

NOON, ONE = "2026-11-26T12:00:00+00:00", "2026-11-26T13:00:00+00:00"
UNIX_NOON = 1_795_694_400


def receipt(run_id: str = "r1", at: str = NOON, **tables: dict[str, Any]) -> Receipt:
    return Receipt(run_id, "", "", "", at, "", "", tables=tables)


def told(source: str = "shop", **more: Any) -> dict[str, Any]:
    return {"source": source, "mode": "increment", "held_since": "", "source_rows": 9, **more}


def shown(samples: Any) -> dict[tuple[str, ...], float]:
    """Values by name and labels, without what the exporter says of itself."""
    return {
        (sample.metric.name.removeprefix("shoplake_"), *sample.labels): sample.value
        for sample in samples
        if not sample.metric.name.startswith("shoplake_exporter")
    }


def test_rows_by_layer_and_when_it_was_published() -> None:
    found = published.samples(receipt(orders=told(cleaned_rows=7, quarantine_rows=2)), {})
    assert shown(found) == {
        ("published_timestamp_seconds",): UNIX_NOON,
        ("table_rows", "cleaned", "orders"): 7,
        ("table_rows", "quarantine", "orders"): 2,
        ("table_held", "shop", "orders"): 0,
    }


def test_a_receipt_of_before_rows_were_told() -> None:
    found = shown(published.samples(receipt(at="2026-11-26T12:00:00", orders=told()), {}))
    assert found == {("published_timestamp_seconds",): UNIX_NOON, ("table_held", "shop", "orders"): 0}


def test_tables_that_are_held_back() -> None:
    held = told("crm", mode="held back", held_since=NOON)
    never = told("crm", mode="held back")
    found = shown(published.samples(receipt(crm_a=held, crm_b=never, orders=told(mode="not asked for")), {}))
    assert found == {
        ("published_timestamp_seconds",): UNIX_NOON,
        ("table_held", "crm", "crm_a"): 1,
        ("table_held_since_timestamp_seconds", "crm", "crm_a"): UNIX_NOON,
        ("table_held", "crm", "crm_b"): 1,
        ("table_held", "shop", "orders"): 0,
    }


def test_quarantine_by_reason_and_the_rest_as_other() -> None:
    reasons = {f"orphan:{name}": count for name, count in zip("abcdefg", range(70, 0, -10), strict=True)}
    found = shown(published.samples(receipt(orders=told()), {"orders": reasons}))
    waiting = {labels[3]: value for labels, value in found.items() if labels[0] == "quarantine_rows"}
    assert waiting == {"orphan:a": 70, "orphan:b": 60, "orphan:c": 50, "orphan:d": 40, "orphan:e": 30, "other": 30}


# -- reasons
@pytest.fixture
def before(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[int]]:
    """Lets there be receipts, the newest first; tells how many were read."""

    def let(*found: Receipt) -> list[int]:
        read: list[int] = []

        def newest(limit: int) -> Any:
            for each in found[:limit]:
                read.append(1)
                yield each

        monkeypatch.setattr(receipts, "newest", newest)
        return read

    return let


def test_reasons_are_those_of_the_last_run_that_wrote_the_quarantine(before: Callable[..., list[int]]) -> None:
    last = receipt(
        "r3", ONE, orders=told(quarantine_rows=2, judged=0), items=told(quarantine_rows=1, judged=4, reasons={"b": 1})
    )
    read = before(
        last,
        receipt("r2", orders=told(quarantine_rows=2, judged=0, deleted=3, reasons={"a": 2})),
        receipt("r1", orders=told(quarantine_rows=9, judged=9, reasons={"z": 9})),
    )
    assert published.reasons(last) == {"orders": {"a": 2}, "items": {"b": 1}}
    assert len(read) == 2


def test_no_receipt_is_read_where_the_newest_says_all(before: Callable[..., list[int]]) -> None:
    read = before(receipt("r1"))
    newest = receipt("r2", orders=told(quarantine_rows=1, judged=1, reasons={"a": 1}), items=told(quarantine_rows=0))
    assert published.reasons(newest) == {"orders": {"a": 1}}
    assert read == []


def test_rows_that_wait_and_nobody_says_why(before: Callable[..., list[int]]) -> None:
    newest = receipt("r2", orders=told(quarantine_rows=5, judged=0))
    before(newest)
    assert published.reasons(newest) == {"orders": {"unknown": 5}}


# -- when it is read
class Lake:
    """A lake whose state a test chooses; counts how often its receipts are read and its history is walked."""

    def __init__(self) -> None:
        self.head, self.run_id, self.unchanged = "c1", "r1", ""
        self.receipts = {"r1": receipt("r1")}
        self.read, self.walked = 0, 0


@pytest.fixture
def lake(monkeypatch: pytest.MonkeyPatch) -> Lake:
    lake = Lake()

    def last_published(head: str) -> str | None:
        lake.walked += 1
        return lake.run_id or None

    def of_run(run_id: str) -> Receipt:
        lake.read += 1
        return lake.receipts[run_id]

    monkeypatch.setattr(catalog, "head", lambda: lake.head)
    monkeypatch.setattr(news, "last_published", last_published)
    monkeypatch.setattr(storage, "exists", lambda uri: uri.rpartition("/")[2].removesuffix(".json") in lake.receipts)
    monkeypatch.setattr(receipts, "newest_unchanged_since", lambda run_id: lake.unchanged or None)
    monkeypatch.setattr(receipts, "of_run", of_run)
    monkeypatch.setattr(receipts, "newest", lambda limit: iter(list(lake.receipts.values())[::-1][:limit]))
    return lake


def _at(samples: list[Sample]) -> float | None:
    return shown(samples).get(("published_timestamp_seconds",))


def test_a_receipt_is_read_once(lake: Lake) -> None:
    found = Published()
    assert [_at(found.collect()) for _ in range(5)] == [UNIX_NOON] * 5
    assert (lake.read, lake.walked) == (1, 1)


def test_a_run_that_found_nothing_new_counts_though_main_has_not_moved(lake: Lake) -> None:
    found = Published()
    found.collect()
    lake.receipts["r2"], lake.unchanged = receipt("r2", ONE), "r2"
    assert _at(found.collect()) == UNIX_NOON + 3600
    assert (lake.read, lake.walked) == (2, 1)


def test_before_the_first_publish_there_is_nothing(lake: Lake) -> None:
    lake.run_id = ""
    found = Published()
    assert found.collect() == []
    lake.head, lake.run_id = "c2", "r1"
    assert _at(found.collect()) == UNIX_NOON


def test_a_receipt_that_is_still_to_be_written(lake: Lake) -> None:
    lake.head, lake.run_id = "c2", "r2"
    found = Published()
    assert _at(found.collect()) == UNIX_NOON  # of the run before
    lake.receipts["r2"] = receipt("r2", ONE)
    assert _at(found.collect()) == UNIX_NOON + 3600


def test_a_lake_without_any_receipt(lake: Lake) -> None:
    lake.receipts.clear()
    assert Published().collect() == []
