"""Measures, computed by hand, and that nothing of what is to come is seen."""

from __future__ import annotations

from collections.abc import Callable
from math import log2

import numpy as np
import pytest

from lake.recommend.baskets import Baskets, hold_out
from lake.recommend.evaluate import DIFFERENCE, MODELS, evaluate
from lake.recommend.measures import interval, measure
from lake.recommend.ranking import NOTHING, Scorer, rank
from tests.unit.recommend.shops import shop

SPLIT = hold_out(shop({1: [[10, 20], [10, 30, 40]], 2: [[20], [20]], 3: [[50]]}))
"""Customer 1 is to buy 10 again, and 30 and 40 for the first time; customer 2 buys 20 again."""


def test_measures_of_two_lists() -> None:
    number = {int(product): at for at, product in enumerate(SPLIT.history.products)}
    lists = np.array([[number[40], number[20], number[10]], [number[10], NOTHING, NOTHING]])
    found = measure(lists, SPLIT)
    assert found.recall.tolist() == [2 / 3, 0]
    ideal = 1 + 1 / log2(3) + 1 / log2(4)
    assert found.ndcg == pytest.approx([(1 + 1 / log2(4)) / ideal, 0])
    assert found.hit.tolist() == [1, 0]
    assert found.recall_repeat.tolist() == [1, 0]
    # Nothing that customer 2 buys is new to them.
    assert found.recall_explore[0] == 0.5
    assert np.isnan(found.recall_explore[1])
    # Known are 10, 20 and 50; shown were 10, 20 and 40. Of four places 20 and 10 of customer 1 are repeats.
    assert found.coverage == 1
    assert found.repeat_share == 0.5
    # Of three baskets that are known, 20 is in two, 10 in one, and 40 in none, which counts as one.
    assert found.novelty == pytest.approx((3 * log2(3) + log2(3 / 2)) / 4)


def test_the_ideal_is_no_longer_than_the_list() -> None:
    number = {int(product): at for at, product in enumerate(SPLIT.history.products)}
    found = measure(np.array([[number[10]], [number[20]]]), SPLIT)
    assert found.ndcg.tolist() == [1, 1]
    assert found.recall.tolist() == [1 / 3, 1]


def test_an_interval_holds_the_mean_and_is_the_same_each_time() -> None:
    difference = np.random.default_rng(2).normal(0.1, 1, 400)
    low, high = interval(difference, seed=1)
    assert low < difference.mean() < high
    # A twentieth is the standard error of 400 values.
    assert high - low == pytest.approx(2 * 1.96 * 0.05, rel=0.15)
    assert interval(difference, seed=1) == (low, high)


def _shop(last: int) -> Baskets:
    generator = np.random.default_rng(3)
    habits = {customer: generator.choice(30, 6, replace=False) for customer in range(40)}
    told = {
        customer: [generator.choice(liked, 3, replace=False).tolist() for _ in range(2 + customer % 5)]
        for customer, liked in habits.items()
    }
    # All products are known from the beginning, so that their numbers stay.
    told[99] = [list(range(30))]
    for customer in range(40):
        told[customer][-1] = [last, (last + customer) % 30]
    return shop(told)


@pytest.mark.parametrize("name", MODELS)
def test_what_is_held_out_changes_no_prediction(name: str) -> None:
    model: Callable[[Baskets], Scorer] = MODELS[name]
    lists = []
    for last in (1, 17):
        split = hold_out(_shop(last))
        lists.append(rank(model(split.history), split.tested, 30, 5))
    assert (lists[0] == lists[1]).all()
    # And what is known does change them: the same row, moved into the past.
    told = hold_out(_shop(1), last=1)
    assert (rank(model(_shop(1)), told.tested, 30, 5) != lists[0]).any()


def test_an_evaluation_tells_of_every_model_and_of_the_difference() -> None:
    split = hold_out(_shop(1))
    told = evaluate(split).to_json()
    assert {"ours", "gp_topfreq", "p_topfreq", "g_topfreq", "tifu_knn"} <= set(told)
    for name in MODELS:
        assert {"recall@10", "ndcg@10", "hit_rate@10", "coverage", "novelty_bits"} <= set(told[name])
    mean = told["ours"]["recall@10"] - told["gp_topfreq"]["recall@10"]
    assert told[DIFFERENCE]["recall@10"]["mean"] == pytest.approx(mean)
    assert told["measured_on"]["customers"] == 40
    assert told["new_popular"]["coverage"] <= 1 and set(told["new_als"]) == set(told["new_popular"])


def test_what_is_new_to_a_customer_is_measured_on_those_who_bought_something_new() -> None:
    # Product 1 is most popular, then 2. Customer 1 buys 2 for the first time, customer 2 nothing new.
    told = {1: [[1], [2]], 2: [[1, 2], [2]], **{other: [[1]] for other in range(3, 9)}, 9: [[2]], 10: [[1, 2]]}
    found = evaluate(hold_out(shop(told)), {}).new
    assert found["new_popular"]["recall_explore@5"] == found["new_popular"]["hit_rate@5"] == 1
