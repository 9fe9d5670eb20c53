"""Runs that are asked to read some sources or tables alone: the others stay as they are, and miss nothing for good."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lake.contracts import Contract
from lake.errors import ContractError
from lake.extract import manifest
from lake.extract.manifest import Manifest, Part
from lake.platform import catalog
from lake.run import Run
from lake.source.snapshot import Snapshot
from lake.steps import scope

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
BEFORE, NOW = (Snapshot("shop", NOON + timedelta(hours=hour), "", server="") for hour in (0, 1))
LAST = Manifest("orders", "first", "increment", BEFORE, source_rows=5, watermark=NOON, state={"way": "binlog"})


def _contract(table: str, source: str) -> Contract:
    column = {"type": "bigint", "nullable": False}
    said: Any = {"table": table, "description": "x", "owner": "x", "grain": "x", "key": ["k"], "deletes": "keys"}
    return Contract.model_validate({**said, "source": source, "columns": {"k": column}})


CONTRACTS = {
    "orders": _contract("orders", "shop"),
    "items": _contract("items", "shop"),
    "pos_tills": _contract("pos_tills", "pos"),
}


def _left(last: Manifest | None, missed: bool = False) -> Manifest:
    return manifest.not_asked_for("second", "orders", NOW, last, missed)


@pytest.mark.parametrize(
    ("sources", "tables", "asked"),
    [
        ((), (), ["orders", "items", "pos_tills"]),
        (("pos",), (), ["pos_tills"]),
        ((), ("items",), ["items"]),
        (("pos",), ("items",), ["items", "pos_tills"]),
    ],
)
def test_a_run_is_asked_for_sources_and_tables(
    sources: tuple[str, ...], tables: tuple[str, ...], asked: list[str]
) -> None:
    run = Run("r", "base", only_sources=sources, only_tables=tables)
    assert [name for name, contract in CONTRACTS.items() if Run.from_json(run.to_json()).asks_for(contract)] == asked


def test_a_table_that_is_not_asked_for_goes_on_where_it_stood() -> None:
    left = _left(LAST)
    assert (left.is_held, left.has_news, left.state, left.source_rows) == (True, False, LAST.state, 5)
    assert (left.mode, left.held_since) == ("not asked for", BEFORE.instant)
    assert _left(left).held_since == BEFORE.instant


def test_it_has_missed_something_where_its_source_had_news_in_any_run_since() -> None:
    assert not manifest.misses_something(_left(LAST))
    assert manifest.misses_something(_left(LAST, missed=True))
    assert manifest.misses_something(_left(_left(LAST, missed=True)))
    assert not manifest.misses_something(LAST)


def test_one_that_waits_for_a_person_goes_on_waiting_and_is_told_of() -> None:
    back = manifest.held_back("first", "orders", "column total is gone", BEFORE, LAST)
    left = _left(back)
    assert (left.mode, left.reason, left.held_since) == ("held back", "column total is gone", BEFORE.instant)


def test_a_table_that_changed_is_news_and_one_that_is_only_left_is_not() -> None:
    assert replace(LAST, parts=[Part("s3://x", 1, 1)]).has_news
    assert not replace(LAST, mode="not asked for", parts=[Part("s3://x", 1, 1)]).has_news


@pytest.mark.parametrize(
    ("sources", "tables", "said"),
    [
        (["crm"], [], "no source with contracts is called 'crm'"),
        ([], ["order"], r"'order'[\s\S]*is it orders"),
        ([], ["zzz"], r"'zzz'[\s\S]*lake tables"),
        ([], ["pos_tills"], r"no run has read source pos yet[\s\S]*lake run --source pos"),
    ],
)
def test_what_is_not_there_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, sources: list[str], tables: list[str], said: str
) -> None:
    monkeypatch.setattr(catalog, "tables", lambda: ["raw.orders", "raw.items"])
    with pytest.raises(ContractError, match=said):
        scope.check_asked(CONTRACTS, sources, tables)


def test_what_is_there_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "tables", lambda: ["raw.orders", "raw.items"])
    scope.check_asked(CONTRACTS, ["pos"], ["items", "pos_tills"])
