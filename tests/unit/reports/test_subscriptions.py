"""When a report is due, and how a mistake in the file is named."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from lake.errors import LakeError
from lake.reports.subscriptions import Due, Subscription, due, load
from lake.settings import settings


@pytest.mark.parametrize(
    ("every", "now", "period"),
    [
        ("day", "2026-11-25T05:59", "2026-11-23"),
        ("day", "2026-11-25T06:00", "2026-11-24"),
        ("day", "2027-01-01T06:00", "2026-12-31"),
        # The 23rd is a Monday.
        ("week", "2026-11-23T05:59", "2026-W46"),
        ("week", "2026-11-23T06:00", "2026-W47"),
        ("week", "2026-11-29T23:00", "2026-W47"),
        ("week", "2027-01-04T06:00", "2026-W53"),
        ("month", "2026-12-01T05:59", "2026-10"),
        ("month", "2026-12-01T06:00", "2026-11"),
        ("month", "2026-12-31T23:00", "2026-11"),
        ("month", "2027-01-01T06:00", "2026-12"),
    ],
)
def test_the_period_that_is_over(every: str, now: str, period: str) -> None:
    one = Subscription.model_validate({"report": "business", "every": every, "to": ["a@b.example"]})
    instant = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert list(due([one], instant)) == [Due("business", every, period, "a@b.example")]


def test_nobody_is_subscribed_until_somebody_is() -> None:
    assert load(settings().report_subscriptions) == []


GOOD = """
subscriptions:
  - report: business
    every: day
    to: [a@b.example]
"""


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("business", "busines", "subscription 1: there is no report 'busines'"),
        ("every: day", "every: hour", "every: Input should be 'day', 'week' or 'month'"),
        ("a@b.example", "a b", "expected an address such as owner@example.com, not 'a b'"),
        ("[a@b.example]", "[]", "to: Tuple should have at least 1 item"),
        ("subscriptions:", "subscribers:", "has no list `subscriptions`"),
        ("- report", "- [", "is not YAML"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, old: str, new: str, told: str) -> None:
    file = tmp_path / "subscriptions.yml"
    file.write_text(GOOD)
    assert len(load(file)) == 1
    file.write_text(GOOD.replace(old, new))
    with pytest.raises(LakeError) as caught:
        load(file)
    assert str(file) in caught.value.what
    assert told in caught.value.what
