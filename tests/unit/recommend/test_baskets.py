"""Baskets as arrays, and what is held out of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lake.errors import LakeError
from lake.recommend.baskets import Baskets, NothingToLearnError, cut, from_lines, hold_out, read_json
from tests.unit.recommend.shops import FIRST, shop

SHOP = {7: [[10], [10, 20], [30]], 9: [[20], [40]], 11: [[10]]}


def _content(baskets: Baskets) -> dict[int, list[list[int]]]:
    found: dict[int, list[list[int]]] = {}
    for customer, basket, product in zip(baskets.customer, baskets.basket, baskets.product, strict=True):
        of_customer = found.setdefault(int(baskets.customers[customer]), [])
        while len(of_customer) <= basket:
            of_customer.append([])
        of_customer[basket].append(int(baskets.products[product]))
    return found


def test_lines_in_any_order_become_baskets_in_the_order_of_time() -> None:
    instants = FIRST + np.array([2, 1, 1, 1, 2]) * np.timedelta64(1, "D")
    found = from_lines(np.array([1, 1, 1, 1, 1]), np.array([5, 6, 6, 4, 5]), np.array([30, 20, 20, 10, 10]), instants)
    # Orders 4 and 6 are of one instant; order 6 has product 20 in two lines.
    assert _content(found) == {1: [[10], [20], [10, 30]]}
    assert found.counts.tolist() == [3]
    assert found.bought.toarray().tolist() == [[2, 1, 1]]


def test_the_last_basket_is_held_out_of_those_who_have_two() -> None:
    split = hold_out(shop(SHOP))
    assert _content(split.history) == {7: [[10], [10, 20]], 9: [[20]], 11: [[10]]}
    assert split.history.customers[split.tested].tolist() == [7, 9]
    held = split.future.toarray()
    products = split.history.products
    assert [products[row].tolist() for row in held] == [[30], [40], []]


def test_the_basket_before_the_last_is_held_out_and_the_last_one_is_not_known() -> None:
    split = hold_out(shop(SHOP), last=2)
    assert split.history.customers[split.tested].tolist() == [7]
    # Of who is not tested the last basket is left away too: it may be of a later time.
    assert _content(split.history) == {7: [[10]], 9: [[20]]}
    assert split.history.products[split.future.toarray()[0]].tolist() == [10, 20]


def test_a_cut_in_time_knows_nothing_of_that_time_of_anybody() -> None:
    day = int((FIRST + np.timedelta64(7, "D")).astype("datetime64[D]").astype(int))
    split = cut(shop(SHOP), day)
    assert _content(split.history) == {7: [[10]], 9: [[20]], 11: [[10]]}
    assert [split.history.products[row].tolist() for row in split.future.toarray()] == [[10, 20], [40], []]


def test_who_never_came_back_is_nothing_to_measure_with() -> None:
    with pytest.raises(NothingToLearnError, match="none of 1 customers has 2 baskets"):
        hold_out(shop({1: [[10]]}))
    with pytest.raises(LakeError, match="nobody who had bought before 2026-05-01"):
        cut(shop(SHOP), int(np.datetime64("2026-05-01", "D").astype(int)))


@given(st.dictionaries(st.integers(1, 5), st.lists(st.sets(st.integers(1, 6), min_size=1), min_size=1), min_size=1))
def test_arrays_hold_what_went_into_them(told: dict[int, list[set[int]]]) -> None:
    content = {customer: [sorted(basket) for basket in baskets] for customer, baskets in told.items()}
    found = shop(content)
    assert _content(found) == content
    assert found.bought.sum() == sum(len(basket) for baskets in content.values() for basket in baskets)


def test_a_file_is_read_and_one_of_another_shape_is_named(tmp_path: Path) -> None:
    file = tmp_path / "baskets.json"
    file.write_text(json.dumps({"a": [[3, 1, 3], [2]], "b": [[1]]}))
    found = read_json(file)
    assert found.customers.tolist() == ["a", "b"]
    assert (found.product.tolist(), found.basket.tolist()) == ([0, 2, 1, 0], [0, 0, 1, 0])
    assert not found.has_days
    with pytest.raises(LakeError, match="no days"):
        cut(found, 0)
    for wrong, says in (
        ({"a": [[1], []]}, "basket 2 of customer 'a'"),
        ({"a": [["x"]]}, "basket 1 of customer 'a' holds 'x'"),
        ({"a": [[True]]}, "holds 'True'"),
        ({"a": 3}, "customer 'a' is '3'"),
        ([], "holds no customers"),
    ):
        file.write_text(json.dumps(wrong))
        with pytest.raises(LakeError, match=says):
            read_json(file)
    file.write_text("{")
    with pytest.raises(LakeError, match="cannot be read as JSON"):
        read_json(file)
    with pytest.raises(LakeError, match="there is no file"):
        read_json(tmp_path / "none.json")
