"""Freshness, parity, branches, files and audits: what each makes of what it is given."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lake.alerts.freshness import Age
from lake.errors import CatalogError, ServiceError
from lake.ledger import parity_ledger
from lake.ledger.receipts import Receipt
from lake.observe import audited, branches, files, freshness, parity
from lake.observe.audited import Audited, Audits
from lake.observe.files import Files, Summary
from lake.observe.news import Remembered
from lake.observe.parity import Parity
from lake.platform import catalog, storage
from lake.settings import settings
from tests.unit.observe.test_published import shown

NOON = datetime(2026, 11, 26, 12, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


# -- freshness
@pytest.fixture
def hourly(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LAKE_PIPELINE_SCHEDULE", "0 * * * *")
    settings.cache_clear()
    yield
    monkeypatch.undo()
    settings.cache_clear()


def test_ages_and_what_they_may_be(hourly: None) -> None:
    found = [
        Age("orders", "shop", NOON - HOUR),
        Age("items", "shop", NOON - 2 * HOUR, minutes=90),
        Age("visits", "crm", NOON - 9 * HOUR, is_shown=False),
    ]
    assert shown(freshness.samples(found, NOON)) == {
        ("source_as_of_timestamp_seconds", "shop"): (NOON - HOUR).timestamp(),
        ("table_as_of_timestamp_seconds", "shop", "orders"): (NOON - HOUR).timestamp(),
        ("table_stale_after_seconds", "shop", "orders"): 2.5 * 3600,  # since 10:00, the third last scheduled run
        ("table_as_of_timestamp_seconds", "shop", "items"): (NOON - 2 * HOUR).timestamp(),
        ("table_stale_after_seconds", "shop", "items"): 90 * 60,
        ("table_stale_after_seconds", "crm", "visits"): 2.5 * 3600,
    }
    for age in found:
        limit = age.limit(NOON)
        assert limit is not None and age.is_stale(NOON) == (NOON - age.since > limit)


def test_by_hand_only_nothing_says_how_old_a_table_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKE_PIPELINE_SCHEDULE", "")
    settings.cache_clear()
    try:
        found = shown(freshness.samples([Age("orders", "shop", NOON)], NOON))
    finally:
        monkeypatch.undo()
        settings.cache_clear()
    assert {name for name, *_ in found} == {"source_as_of_timestamp_seconds", "table_as_of_timestamp_seconds"}


# -- parity
def row(table: str, drift: int, against: str | None = "source", verified: datetime | None = NOON) -> dict[str, Any]:
    return {
        "source": "shop", "table": table, "drift_rows": drift, "against": against, "verified_through": verified,
        "lake_rows": None,
    }  # fmt: skip


def test_drift_by_what_it_was_compared_with() -> None:
    rows = [
        row("orders", 0, verified=NOON - HOUR), row("orders", 3, "primary"),
        row("items", 0, None), row("stores", 5, verified=None),
    ]  # fmt: skip
    assert shown(parity.samples(rows)) == {
        ("parity_drift_rows", "shop", "orders", "source"): 0,
        ("parity_drift_rows", "shop", "orders", "primary"): 3,
        ("table_verified_timestamp_seconds", "shop", "orders"): NOON.timestamp(),
        ("parity_drift_rows", "shop", "items", "source"): 0,
        ("table_verified_timestamp_seconds", "shop", "items"): NOON.timestamp(),
        ("parity_drift_rows", "shop", "stores", "source"): 5,
    }


def test_the_ledger_is_read_when_it_has_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    heads, read = {"main": "m1"}, []
    monkeypatch.setattr(catalog, "heads", lambda: heads)
    monkeypatch.setattr(parity_ledger, "newest", lambda: read.append(1) or [row("orders", len(read))])
    found = Parity()
    assert found.collect() == []
    heads["ops"] = "o1"
    for drift in (1, 1):
        assert shown(found.collect())["parity_drift_rows", "shop", "orders", "source"] == drift
    heads["ops"] = "o2"
    assert shown(found.collect())["parity_drift_rows", "shop", "orders", "source"] == 2


# -- branches
def test_branches_by_what_they_are_for() -> None:
    names = ["main", "run_a", "run_b", "maintenance_x", "ops", "of_somebody", "running"]
    assert shown(branches.samples(names)) == {
        ("branches", "run"): 2, ("branches", "maintenance"): 1, ("branches", "parity"): 1, ("branches", "other"): 2,
    }  # fmt: skip


# -- files
def metadata(files: int, rows: int, **totals: int) -> dict[str, Any]:
    summary = {"total-data-files": files, "total-records": rows, "total-files-size": 1000 * files, **totals}
    counts = {name.replace("_", "-"): str(value) for name, value in summary.items()}
    snapshots = [{"snapshot-id": 1, "summary": {}}, {"snapshot-id": 7, "summary": counts}]
    return {"current-snapshot-id": 7, "snapshots": snapshots}


def test_the_summary_of_a_tables_current_snapshot() -> None:
    document = metadata(3, 100, total_delete_files=2, total_position_deletes=10)
    assert files.summary(document) == Summary(data_files=3, delete_files=2, bytes=3000, rows=90)


@pytest.mark.parametrize("document", [{}, {"current-snapshot-id": None}, {"current-snapshot-id": -1, "snapshots": []}])
def test_a_table_that_was_never_written(document: dict[str, Any]) -> None:
    assert files.summary(document) == Summary()


def test_layers_are_summed_and_rows_are_told_of_what_people_read() -> None:
    tables = {
        "raw.orders": Summary(4, 0, 4000, 10), "raw.items": Summary(1, 0, 10, 1),
        "cleaned.orders": Summary(2, 1, 200, 9), "marts.daily_revenue": Summary(1, 0, 5, 365),
    }  # fmt: skip
    assert shown(files.samples(tables)) == {
        ("table_rows", "marts", "daily_revenue"): 365,
        ("lake_files", "raw", "data"): 5, ("lake_files", "raw", "deletes"): 0, ("lake_bytes", "raw"): 4010,
        ("lake_files", "cleaned", "data"): 2, ("lake_files", "cleaned", "deletes"): 1, ("lake_bytes", "cleaned"): 200,
        ("lake_files", "marts", "data"): 1, ("lake_files", "marts", "deletes"): 0, ("lake_bytes", "marts"): 5,
    }  # fmt: skip


class Store:
    """Tables at a head of main, with the metadata at each address; counts what is read."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.head, self.tables, self.read = "c1", {"raw.a": "s3://w/a1", "raw.b": "s3://w/b1"}, []
        self.broken = ""
        monkeypatch.setattr(catalog, "head", lambda: self.head)
        monkeypatch.setattr(catalog, "contents", lambda reference: dict(self.tables))
        monkeypatch.setattr(storage, "get", self.get)

    def get(self, uri: str) -> bytes:
        if uri == self.broken:
            raise ServiceError("the object store is away")
        self.read.append(uri)
        return json.dumps(metadata(1, 5)).encode()


def test_only_what_has_changed_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    store, found = Store(monkeypatch), Files()
    for _ in range(3):
        assert shown(found.collect())["lake_files", "raw", "data"] == 2
    assert sorted(store.read) == ["s3://w/a1", "s3://w/b1"]
    store.head, store.tables = "c2", {"raw.a": "s3://w/a2", "raw.c": "s3://w/c1"}
    assert shown(found.collect())["lake_files", "raw", "data"] == 2
    assert sorted(store.read[2:]) == ["s3://w/a2", "s3://w/c1"]


def test_what_could_not_be_read_is_read_next_time(monkeypatch: pytest.MonkeyPatch) -> None:
    store, found = Store(monkeypatch), Files()
    store.broken = "s3://w/b1"
    with pytest.raises(ServiceError):
        found.collect()
    store.broken = ""
    assert shown(found.collect())["lake_files", "raw", "data"] == 2
    assert sorted(store.read) == ["s3://w/a1", "s3://w/b1"]


def test_an_empty_lake_has_no_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(monkeypatch)
    store.tables = {}
    assert shown(Files().collect()) == {}


# -- audits
def result(is_passed: bool, severity: str = "critical", at: datetime = NOON) -> dict[str, Any]:
    return {"is_passed": is_passed, "severity": severity, "checked_at": at}


def test_the_results_of_a_run_that_was_not_published() -> None:
    results = [result(True), result(True, "warning"), result(False), result(False, "warning"), result(False, "warning")]
    assert audited.of_results(results) == Audited(NOON, passed=2, failed=1, warned=2)
    assert audited.of_results([*results, result(True, at=NOON + HOUR)]) == Audited(NOON + HOUR, 1, 0, 0)
    assert audited.of_results([]) is None


def test_the_newest_audit_counts() -> None:
    checks = {"checks": 10, "failed": 0, "warnings": ["w"]}
    published = audited.of_receipt(Receipt("r", "", "", "", NOON.isoformat(), "", "", checks=checks))
    failed = Audited(NOON + HOUR, 8, 2, 0)
    assert shown(audited.samples([failed, published])) == {
        ("audit_checks", "passed"): 8, ("audit_checks", "failed"): 2, ("audit_checks", "warned"): 0,
    }  # fmt: skip
    assert shown(audited.samples([published]))["audit_checks", "passed"] == 9
    assert shown(audited.samples([])) == {}


def test_a_branch_is_looked_at_when_it_has_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    heads, looked = {"main": "m", "run_scheduled_20261126t120000": "a", "maintenance_x": "b"}, []

    def of_branch(branch: str) -> Audited | None:
        looked.append(branch)
        return Audited(NOON, 1, len(looked), 0)

    found = Audits()
    monkeypatch.setattr(found._news, "state", lambda: None)
    monkeypatch.setattr(catalog, "heads", lambda: heads)
    monkeypatch.setattr(audited, "of_branch", of_branch)
    for failed in (1, 1):
        assert shown(found.collect())["audit_checks", "failed"] == failed
    heads["run_scheduled_20261126t120000"] = "c"
    assert shown(found.collect())["audit_checks", "failed"] == 2
    del heads["run_scheduled_20261126t120000"]
    assert found.collect() == []


# -- what is kept
def test_a_value_is_kept_until_its_key_changes_or_its_time_is_up() -> None:
    now, made = [0.0], []
    kept: Remembered[int] = Remembered(10, lambda: now[0])
    make = lambda: made.append(1) or len(made)  # noqa: E731
    assert [kept.get("a", make), kept.get("a", make), kept.get("b", make)] == [1, 1, 2]
    now[0] = 10
    assert kept.get("b", make) == 3


def test_nothing_is_kept_of_what_failed() -> None:
    kept: Remembered[int] = Remembered(10)

    def fails() -> int:
        raise CatalogError("no")

    kept.get("a", lambda: 1)
    with pytest.raises(CatalogError):
        kept.get("b", fails)
    assert kept.get("a", lambda: 2) == 2
