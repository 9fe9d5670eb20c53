"""When a table is too old, and who is told how."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lake.alerts import freshness
from lake.alerts.freshness import Age, ages, stale
from lake.ledger import receipts
from lake.ledger.receipts import Receipt
from lake.platform import storage
from lake.settings import settings

NOW = datetime(2026, 11, 25, 12, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    def choose(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(f"LAKE_{name.upper()}", value)
        settings.cache_clear()

    yield choose
    monkeypatch.undo()
    settings.cache_clear()


def _stale(age: timedelta, **of: Any) -> bool:
    return Age("orders", "shop", NOW - age, **of).is_stale(NOW)


@pytest.mark.parametrize(
    ("cron", "fresh", "late"),
    [
        ("0 * * * *", 2.5 * HOUR, 2.5 * HOUR + timedelta(seconds=1)),  # 12:00, 11:00, 10:00
        ("0 3 * * *", 57.5 * HOUR, 57.6 * HOUR),  # today, yesterday, the day before, at 3:00
        ("0 6 * * 1-5", 54.5 * HOUR, 54.6 * HOUR),  # it is a Wednesday: back to Monday
        ("0 6 * * 2-3", 174.5 * HOUR, 174.6 * HOUR),  # back to Tuesday, and Wednesday of the week before
    ],
)
def test_three_scheduled_runs_may_not_pass_in_vain(
    chosen: Callable[..., None], cron: str, fresh: timedelta, late: timedelta
) -> None:
    chosen(pipeline_schedule=cron)
    assert not _stale(fresh)
    assert _stale(late)


def test_a_rule_in_minutes_stands_above_the_schedule(chosen: Callable[..., None]) -> None:
    chosen(pipeline_schedule="0 * * * *")
    assert _stale(61 * timedelta(minutes=1), minutes=60)
    assert not _stale(60 * timedelta(minutes=1), minutes=60)
    assert not _stale(30 * HOUR, minutes=1440 * 2)


def test_by_hand_only_there_is_no_rule(chosen: Callable[..., None]) -> None:
    chosen(pipeline_schedule="")
    assert not _stale(1000 * HOUR)
    assert _stale(2 * HOUR, minutes=60)


def _ages(**hours: float) -> list[Age]:
    return [Age(table, "shop", NOW - each * HOUR, minutes=60) for table, each in hours.items()]


def test_a_table_that_stayed_behind_is_told_by_itself() -> None:
    [alert] = stale(_ages(orders=9, items=0.5), NOW)
    assert alert.identity == {
        "alertname": "TableStale",
        "severity": "warning",
        "team": "data",
        "source": "shop",
        "table": "orders",
    }
    assert alert.summary == "orders of shop is as of 2026-11-25 03:30 UTC, 9 h ago; it may get 60 min old"


def test_a_source_of_which_all_is_late_is_one_alert() -> None:
    other = Age("visits", "crm", NOW, minutes=60)
    [alert] = stale([*_ages(orders=9, items=3 * 24), other], NOW)
    assert alert.identity == {"alertname": "SourceStale", "severity": "critical", "team": "data", "source": "shop"}
    assert alert.summary == (
        "all 2 tables of shop are too old; items is as of 2026-11-22 12:30 UTC, 3 days ago; it may get 60 min old"
    )


def test_nothing_is_told_of_what_is_fresh() -> None:
    assert stale(_ages(orders=0.5, items=1), NOW) == []


# -- against receipts and contracts
@pytest.fixture
def lake(tmp_path: Path, chosen: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Contracts of the shop (orders, items) and an added source (visits); takes receipts, the newest first."""
    chosen(home=str(tmp_path), contracts=str(tmp_path / "contracts"), pipeline_schedule="0 * * * *", source_host="x")
    for name in ("shop/orders", "shop/items", "crm/visits"):
        file = tmp_path / "contracts" / f"{name}.yml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(_contract(file.stem))
        os.utime(file, (NOW.timestamp(), NOW.timestamp() - 5 * 3600))
    added = {"host": "h", "port": 3306, "user": "u", "database": "crm"}
    (tmp_path / "sources.json").write_text(json.dumps({"crm": added}))

    def publish(*receipts: dict[str, tuple[str, str]]) -> None:
        """Each receipt says of tables their source and as of when."""
        written = {f"s3://receipts/r{number}.json": _receipt(tables) for number, tables in enumerate(receipts)}
        monkeypatch.setattr(storage, "list_newest", lambda prefix: [f"{prefix}/pending/r9.json", *written])
        monkeypatch.setattr(storage, "get", lambda uri: json.dumps(written[uri].to_json()).encode())

    return publish


def _contract(table: str, more: str = "") -> str:
    head = f"table: {table}\ndescription: d\nowner: o\ngrain: g\nkey: [id]\ndeletes: none\n{more}"
    return head + "columns:\n  id: {type: int, nullable: false}\n"


def _receipt(tables: dict[str, tuple[str, str]]) -> Receipt:
    return Receipt(
        "r", "c", "2020-01-01T00:00:00", "", "", "", "",
        sources={source: {"instant": instant} for source, instant in tables.values()},
        tables={table: {"source": source} for table, (source, _) in tables.items()},
    )  # fmt: skip


def test_the_newest_receipt_that_names_a_table_counts(lake: Callable[..., None]) -> None:
    lake(
        {"visits": ("crm", "2026-11-25T12:00:00+00:00")},
        {"orders": ("shop", "2026-11-25T11:00:00"), "items": ("shop", "2026-11-25T11:00:00")},
        {"orders": ("shop", "2026-11-25T10:00:00")},
    )
    assert {age.table: (age.source, age.since.hour, age.is_shown) for age in ages()} == {
        "orders": ("shop", 11, True),
        "items": ("shop", 11, True),
        "visits": ("crm", 12, True),
    }


def test_a_table_that_never_came_is_as_old_as_its_contract(lake: Callable[..., None]) -> None:
    lake({"orders": ("shop", "2026-11-25T12:00:00"), "items": ("shop", "2026-11-25T12:00:00")})
    [alert] = stale(ages(), NOW)
    assert alert.labels == {"source": "crm"}
    assert "visits is not there; its contract is of 2026-11-25 07:30 UTC, 5 h ago" in alert.summary


def test_a_shop_that_was_never_read_is_not_missed(lake: Callable[..., None]) -> None:
    lake({"visits": ("crm", "2026-11-25T12:00:00")})
    assert [age.table for age in ages()] == ["visits"]


def test_before_the_first_publish_nothing_is_missed(lake: Callable[..., None]) -> None:
    lake()
    assert ages() == []


def test_a_table_that_its_source_has_dropped_is_not_missed(lake: Callable[..., None]) -> None:
    lake({"visits": ("crm", "2026-11-25T12:00:00"), "orders": ("shop", "2026-11-25T12:00:00")})
    newest = next(receipts.newest(1))
    newest.tables["orders"] |= {"mode": receipts.GONE, "held_since": "2026-11-20T12:00:00+00:00"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(receipts, "newest", lambda limit: iter([newest]))
        assert "orders" not in {age.table for age in ages()}


def test_a_contract_may_have_a_rule_of_its_own(lake: Callable[..., None], tmp_path: Path) -> None:
    (tmp_path / "contracts/shop/items.yml").write_text(_contract("items", "stale_after_minutes: 10\n"))
    lake({table: ("shop", "2026-11-25T12:00:00") for table in ("orders", "items")})
    assert {age.table: age.minutes for age in ages()} == {"orders": None, "items": 10, "visits": None}
    assert freshness.look(NOW).settled({"alertname": "TableStale"})
