"""Where a change comes from, on figures of which it is known."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lake.metrics.series import Amount
from lake.metrics.why import Cells, Part, contributions, explain


def sums(**cells: tuple[int, int]) -> Cells:
    """Now and before, by segment."""
    return {name: (Amount(Decimal(now)), Amount(Decimal(before))) for name, (now, before) in cells.items()}


def quotients(**cells: tuple[int, int, int, int]) -> Cells:
    """Above and below the line now, above and below it before, by segment."""
    return {
        name: (Amount(Decimal(now), Decimal(of)), Amount(Decimal(before), Decimal(of_before)))
        for name, (now, of, before, of_before) in cells.items()
    }


def test_the_segment_that_fell_is_told_and_the_dimension_in_which_it_stands_out() -> None:
    found = explain(
        {
            "channel": sums(web=(450, 600), store=(300, 400)),
            "category": sums(meat=(100, 350), fish=(300, 300), bread=(350, 350)),
        }
    )
    assert found
    assert (found.dimension, found.change) == ("category", Decimal(-250))
    [part] = found.parts
    assert (part.segment, part.before, part.now, found.share(part)) == ("meat", 350, 100, 1)


def test_what_fell_alike_everywhere_has_no_segment_to_name() -> None:
    found = explain({"channel": sums(web=(300, 600), store=(200, 400)), "country": sums(fr=(500, 1000))})
    assert found
    assert (found.dimension, found.parts, found.change) == ("", (), Decimal(-500))


def test_what_is_gone_altogether_fell_alike() -> None:
    found = explain({"device": sums(phone=(0, 60), desktop=(0, 40))})
    assert found
    assert (found.dimension, found.change) == ("", Decimal(-100))


@pytest.mark.parametrize("dimensions", [{}, {"channel": sums(web=(5, 5))}])
def test_without_a_change_there_is_nothing_to_tell(dimensions: dict[str, Cells]) -> None:
    assert explain(dimensions) is None


def test_a_rate_that_rose_in_one_segment_is_that_segment_s_own_doing() -> None:
    before, now = (2, 100), (30, 100)
    found = explain({"method": quotients(card=(*now, *before), cash=(2, 100, 2, 100))})
    assert found
    assert found.change == Decimal("0.14")
    assert (found.rate, found.mix) == (found.change, 0)
    assert [part.segment for part in found.parts] == ["card"]


def test_a_rate_that_rose_by_the_mix_alone_is_told_so() -> None:
    """Each segment's own rate is as before, and the one with the high rate has become the larger one."""
    parts = contributions(quotients(high=(40, 400, 10, 100), low=(2, 200, 4, 400)))
    assert [part.rate for part in parts] == [0, 0]
    whole = Decimal(42) / 600 - Decimal(14) / 500
    assert abs(sum(part.mix for part in parts) - whole) < Decimal("1e-20")


def test_a_segment_that_is_new_adds_by_its_weight() -> None:
    new, old = contributions(quotients(new=(50, 100, 0, 0), old=(10, 100, 10, 100)))
    assert (new.before, new.rate, old.rate) == (None, 0, 0)
    assert new.contribution + old.contribution == Decimal("0.2")


amounts = st.tuples(*[st.integers(0, 10**6)] * 2, *[st.integers(1, 10**6)] * 2)


@given(st.dictionaries(st.text(min_size=1, max_size=3), amounts, min_size=1, max_size=6))
def test_the_parts_are_the_whole_change(drawn: dict[str, tuple[int, int, int, int]]) -> None:
    cells = quotients(**{name: (a, c, b, d) for name, (a, b, c, d) in drawn.items()})
    now, before = (
        sum(Decimal(each[place].above) for each in cells.values())
        / sum(Decimal(each[place].below or 0) for each in cells.values())
        for place in (0, 1)
    )
    parts: list[Part] = contributions(cells)
    assert abs(sum(part.contribution for part in parts) - (now - before)) < Decimal("1e-15")
