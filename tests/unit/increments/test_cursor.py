"""How far back a cursor reaches."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lake.changes import cursor
from lake.changes.cursor import Open
from lake.contracts import Contract


def _contract(mysql: str, lateness: int) -> Contract:
    columns = {"id": {"type": "int", "nullable": False}, "at": {"type": mysql, "nullable": False}}
    common = {"description": "x", "owner": "x", "grain": "x", "deletes": "none", "key": ["id"], "cursor": "at"}
    return Contract.model_validate({**common, "table": "t", "columns": columns, "lateness_seconds": lateness})


AT = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "mysql, lateness, began_before_seconds, reach",
    [
        ("datetime(6)", 60, None, timedelta(seconds=60)),
        ("datetime(6)", 60, 10, timedelta(seconds=60)),
        ("datetime(6)", 60, 3600, timedelta(seconds=3600, microseconds=1)),
        ("datetime(6)", 0, None, timedelta(microseconds=1)),
        ("datetime(3)", 0, None, timedelta(milliseconds=1)),
        ("timestamp", 0, None, timedelta(seconds=1)),
        ("datetime", 0, 5, timedelta(seconds=6)),
    ],
)
def test_the_reach_is_as_long_as_a_commit_may_come_late(
    mysql: str, lateness: int, began_before_seconds: int | None, reach: timedelta
) -> None:
    before = None if began_before_seconds is None else Open(AT - timedelta(seconds=began_before_seconds), "")
    assert AT - cursor.since(_contract(mysql, lateness), AT, before) == reach


def test_changed_since_is_in_utc() -> None:
    contract = _contract("datetime(6)", 0)
    local = AT.astimezone(tz=None)
    assert cursor.changed_since(contract, local) == ("`at` > %s", (datetime(2026, 1, 1, 12),))
