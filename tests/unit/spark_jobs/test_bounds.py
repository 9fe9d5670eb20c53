"""Ranges around the keys that a run touches."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from spark_jobs.bounds import MOST_RANGES, Bounds, around, spanning


def test_what_lies_together_is_one_range_and_what_lies_apart_another() -> None:
    late = range(1_000_000, 1_000_040)
    ranges = around("k", [5, *late, 7, None]).ranges
    assert ranges[0] == (5, 5)
    assert ranges[1] == (7, 7)
    assert ranges[-1][1] == 1_000_039
    assert len(ranges) == MOST_RANGES


def test_sql_says_what_is_meant() -> None:
    assert Bounds("a b", ((1, 2), (7, 7))).sql == "(`a b` BETWEEN 1 AND 2 OR `a b` BETWEEN 7 AND 7)"
    unsigned = Decimal(2**64 - 1)
    assert around("k", [unsigned]).sql == "(`k` BETWEEN 18446744073709551615BD AND 18446744073709551615BD)"
    assert around("k", []).sql == around("k", [None]).sql == "true"


@given(st.lists(st.integers(), min_size=1))
def test_every_value_is_in_a_range_and_every_end_is_a_value(values: list[int]) -> None:
    ranges = around("k", values).ranges
    assert len(ranges) <= MOST_RANGES
    assert all(any(low <= value <= high for low, high in ranges) for value in values)
    assert {end for both in ranges for end in both} <= {*values}
    assert list(ranges) == sorted(ranges)


def test_whatever_lies_between_two_ends_may_be_asked_for() -> None:
    assert spanning("k", [(5, 90), (None, None), (40, 95), (200, 200)]).ranges == ((5, 95), (200, 200))
    assert spanning("k", [(None, None)]).ranges == spanning("k", []).ranges == ()
