"""How a living shop spreads its acts over time, and what it says of its pace."""

from __future__ import annotations

import pytest

from lake.shop.tick import Lived, TickSummary, spread


def test_acts_of_a_kind_come_at_even_distances_and_kinds_side_by_side() -> None:
    four, two = [lambda cursor: {}] * 4, [lambda cursor: {}] * 2
    due = spread([four, two, []], begin=10, end=18)
    assert [(at, act in two) for at, act in due] == [
        (11, False), (12, True), (13, False), (15, False), (16, True), (17, False)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("orders", "seconds", "kept_up"),
    [
        (600, 30.0, True),
        (571, 30.0, True),
        (569, 30.0, False),
        # Stopped a moment after it began: no order was due yet.
        (0, 0.04, True),
        (0, 1.0, False),
    ],
)
def test_a_rate_is_kept_when_no_more_than_a_twentieth_is_missing(orders: int, seconds: float, kept_up: bool) -> None:
    lived = Lived(TickSummary(seed=1, orders_placed=orders), seconds, asked_rate=20)
    assert lived.kept_up is kept_up
    assert lived.rate == pytest.approx(orders / seconds)
