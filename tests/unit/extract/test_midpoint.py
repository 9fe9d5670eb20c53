"""Values between two keys: always above the lower one, never above the upper one."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from lake.extract.midpoint import between, between_code_points


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 10, 5),
        (-3, -2, -2),
        (0, 18446744073709551615, 9223372036854775808),
        (Decimal("1.5"), Decimal("2.50"), Decimal("2.00")),
        (date(2026, 1, 1), date(2026, 1, 3), date(2026, 1, 2)),
        (datetime(2026, 1, 1), datetime(2026, 1, 1, 0, 0, 0, 2), datetime(2026, 1, 1, 0, 0, 0, 1)),
        (timedelta(hours=-1), timedelta(hours=3), timedelta(hours=1)),
        (b"\x00", b"\x02", b"\x01"),
        ("a", "c", "b"),
        ("customer 1", "customer 3", "customer 2"),
    ],
)
def test_the_middle(low: Any, high: Any, expected: Any) -> None:
    assert between(low, high) == expected


@pytest.mark.parametrize(("low", "high"), [(5, 5), (5, 4), ("a", "a"), ("0000-00-00", date(2026, 1, 1)), (None, None)])
def test_there_is_nothing_between(low: Any, high: Any) -> None:
    assert between(low, high) is None


@pytest.mark.parametrize(
    ("low", "high"), [("A", "Z"), ("Ä", "Ö"), ("мир", "яблоко"), ("🍎", "🛒"), ("", "a"), ("ab", "ac")]
)
def test_code_points_make_progress(low: str, high: str) -> None:
    middle = between_code_points(low, high)
    assert middle is not None
    assert low < middle <= high


def test_halving_ends_at_neighbours() -> None:
    low, high, steps = "aaaa", "aaab", 0
    while (middle := between(low, high)) is not None and steps < 100:
        assert low < middle <= high
        low, steps = middle, steps + 1
    assert 0 < steps < 100
