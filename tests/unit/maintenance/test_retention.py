"""Which receipts are kept, told on a calendar."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lake.ledger.receipts import Receipt
from lake.ledger.retention import kept

NOW = datetime(2026, 7, 15, 3, 30, tzinfo=UTC)


def receipt(run_id: str, at: str, unchanged_since: str = "") -> Receipt:
    return Receipt(run_id, "", "", "", f"{at}+00:00", "", "", unchanged_since=unchanged_since)


def kept_of(*found: Receipt, needed: frozenset[str] = frozenset()) -> list[str]:
    return sorted(kept(found, NOW, needed))


def test_everything_of_a_month_is_kept() -> None:
    assert kept_of(receipt("a", "2026-06-15T01:00:00"), receipt("b", "2026-06-15T02:00:00")) == ["a", "b"]


def test_of_a_day_of_the_last_year_the_last_one_is_kept() -> None:
    one_day = [receipt("a", "2026-05-01T00:00:00"), receipt("b", "2026-05-01T23:59:59")]
    assert kept_of(*one_day, receipt("c", "2026-05-02T00:00:00")) == ["b", "c"]


def test_of_a_month_before_that_the_last_one_is_kept_for_ever() -> None:
    assert kept_of(
        receipt("a", "2019-02-27T10:00:00"),
        receipt("b", "2019-02-28T10:00:00"),
        receipt("c", "2019-03-01T10:00:00"),
    ) == ["b", "c"]


def test_one_that_found_nothing_new_goes_first() -> None:
    assert kept_of(receipt("a", "2026-05-01T01:00:00"), receipt("b", "2026-05-01T02:00:00", "a")) == ["a"]


def test_a_day_without_anything_new_has_a_receipt_and_keeps_the_one_that_it_points_at() -> None:
    assert kept_of(
        receipt("a", "2026-05-01T01:00:00"),
        receipt("b", "2026-05-01T02:00:00"),
        receipt("c", "2026-05-02T02:00:00", "a"),
        receipt("d", "2026-05-02T03:00:00", "a"),
    ) == ["a", "b", "d"]


def test_what_the_next_increment_starts_from_is_kept_whatever_its_age() -> None:
    old = [receipt("a", "2026-05-01T01:00:00"), receipt("b", "2026-05-01T02:00:00", "a")]
    assert kept_of(*old, needed=frozenset({"b"})) == ["a", "b"]


def test_none_is_kept_of_none() -> None:
    assert kept_of() == []


@pytest.mark.parametrize("hours", [4, 7, 25])
def test_a_year_of_nights_leaves_what_the_policy_says_and_takes_nothing_back(hours: int) -> None:
    """Thinned night by night, it comes to the same receipts as if it were thinned once."""
    start = NOW - timedelta(days=800)
    found = [receipt(f"r{n:05}", (start + timedelta(hours=n)).isoformat()[:19]) for n in range(0, 800 * 24, hours)]
    held: list[Receipt] = []
    for night in range(0, 801, 5):
        now = start + timedelta(days=night)
        held += [one for one in found if now - timedelta(days=5) <= datetime.fromisoformat(one.published_at) < now]
        ids = kept(held, now)
        held = [one for one in held if one.run_id in ids]
    once = kept([one for one in found if datetime.fromisoformat(one.published_at) < NOW], NOW)
    assert {one.run_id for one in held} == once
    per_day = 24 / hours
    assert len(once) == pytest.approx(31 * per_day + min(per_day, 1) * 335 + 14, abs=3)
