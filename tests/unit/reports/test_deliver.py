"""Which reports a publish makes: of a day, a week or a month one is enough."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import pytest

from lake.reports import deliver

NAMES = ["business", "daily", "monthly", "weekly"]
INSTANTS = {"monday": "2026-11-23T06:00:00+00:00", "later_on_monday": "2026-11-23T18:00:00+00:00"}


@pytest.fixture(autouse=True)
def kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """All reports of one receipt, and one of a receipt that is gone."""
    receipts = [SimpleNamespace(run_id=run_id, source_instant=instant) for run_id, instant in INSTANTS.items()]
    monkeypatch.setattr(deliver.receipts, "receipts", lambda: receipts)
    monkeypatch.setattr(deliver, "keys", lambda: [*((name, "monday") for name in NAMES), ("daily", "gone")])


@pytest.mark.parametrize(
    ("as_of", "made"),
    [
        (date(2026, 11, 23), ["business"]),
        (date(2026, 11, 24), ["business", "daily"]),
        (date(2026, 11, 30), ["business", "daily", "weekly"]),
        (date(2026, 12, 1), ["business", "daily", "monthly", "weekly"]),
    ],
)
def test_a_period_is_told_once(as_of: date, made: list[str]) -> None:
    assert deliver.without_made(NAMES, as_of) == made


def test_one_that_cannot_be_read_is_made_so_that_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert deliver.without_made(["no_such_report"], date(2026, 11, 23)) == ["no_such_report"]
