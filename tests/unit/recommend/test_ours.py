"""Our model: its numbers by hand, what it learns, and where what it knows shows."""

from __future__ import annotations

from dataclasses import replace
from math import exp, log

import numpy as np
import pytest

from lake.recommend.baskets import hold_out
from lake.recommend.measures import measure
from lake.recommend.ours import Features, Ours, Setting, _regression
from lake.recommend.ranking import rank
from lake.recommend.topfreq import BothTopFreq
from tests.unit.recommend.shops import shop

SETTING = Setting(by_basket=0.5, by_basket_fast=0.1, days=7, days_fast=3.5, popular_days=7, popular=1, neighbours=1)


def test_the_numbers_of_a_product_that_was_bought_and_of_one_that_was_not() -> None:
    # A week lies between baskets. Product 20 is in most of the last ones.
    history = shop({1: [[10, 30], [10], [20]], 2: [[10], [20], [20]], 3: [[40], [30], [20, 30]]})
    row, product, values = Features(history, SETTING).of(np.array([0, 2]))
    of = {
        (int(history.customers[[0, 2][at]]), int(history.products[one])): told.tolist()
        for at, one, told in zip(row, product, values, strict=True)
    }
    assert set(of) == {(1, 10), (1, 20), (1, 30), (3, 20), (3, 30), (3, 40)}
    constant, has, steady, often, slow, fast, baskets_fast, last_days, last_baskets, twice, due, near, *rest = of[1, 10]
    assert (constant, has, twice) == (1, 1, 1)
    # Bought two and one basket ago, 14 and 7 days.
    assert exp(steady) == pytest.approx((0.25 + 0.5) / 1.75 + 1e-3)
    assert exp(often) == pytest.approx(2 / 3 + 1e-3)
    assert exp(slow) == pytest.approx((exp(-2) + exp(-1)) / 3 + 1e-3)
    assert exp(fast) == pytest.approx(exp(-4) + exp(-2) + 1e-2)
    assert exp(baskets_fast) == pytest.approx(0.01 + 0.1 + 1e-2)
    assert (last_days, last_baskets) == (log(8), log(2))
    # The last time is 7 days ago, and 7 days lie between two times: it is due.
    assert due == pytest.approx(log(8 / 8))
    # Customer 2 is most like 1, and has 10 in one of three baskets.
    assert exp(near) == pytest.approx(1 / 3 + 1e-4)
    popularity, now, again, baskets, size = rest
    assert exp(popularity) == pytest.approx(3 / 9 + 1e-5)
    assert exp(now) == pytest.approx((2 * exp(-2) + exp(-1)) / (3 + exp(-1)) + 1e-4)
    # Two people have bought it thrice: once more than once each.
    assert exp(again) == pytest.approx(1 / 7 + 1e-2)
    assert (exp(baskets), exp(size)) == pytest.approx((3, 4 / 3))


def test_a_product_that_was_never_bought_has_nothing_but_what_others_do() -> None:
    history = shop({1: [[10], [10]], 2: [[20], [20]], 3: [[10, 20], [20]]})
    _, product, values = Features(history, SETTING).of(np.array([0]))
    (number,) = (at for at, one in enumerate(product) if history.products[one] == 20)
    told = values[number].tolist()
    assert told[1:5] == [0, log(1e-3), log(1e-3), log(1e-3)]
    # Customer 3 is most like 1 and buys it always.
    assert exp(told[11]) == pytest.approx(1 + 1e-4)


def test_a_regression_finds_the_odds() -> None:
    group = np.repeat([0.0, 1.0], 1_000)
    came = np.concatenate([np.arange(1_000) < 200, np.arange(1_000) < 600]).astype(float)
    weights = _regression(np.stack([np.ones(2_000), group * 5 + 3], axis=1), came, penalty=1e-6)
    for value, odds in ((3, 0.2 / 0.8), (8, 0.6 / 0.4)):
        assert exp(weights[0] + weights[1] * value) == pytest.approx(odds, rel=1e-3)


def test_who_has_changed_is_understood() -> None:
    # Ten baskets of the old habit, then three of a new one: the most frequent is not what comes.
    generator = np.random.default_rng(4)
    told = {}
    for customer in range(60):
        old, new = generator.choice(40, (2, 3), replace=False).tolist()
        told[customer] = [old] * 10 + [new] * 4
    split = hold_out(shop(told))
    recall = {
        model: measure(rank(model(split.history), split.tested, 40, 3), split).recall.mean()
        for model in (Ours, BothTopFreq)
    }
    # All have as many baskets, of one size: numbers that are the same for everybody upset nothing.
    assert recall == {Ours: 1, BothTopFreq: 0}


def test_without_days_baskets_stand_for_weeks() -> None:
    history = shop({1: [[10], [20], [10]], 2: [[20], [20, 30]], 3: [[10], [30]]})
    undated = replace(history, day=np.empty(0, np.int64))
    everybody = np.arange(3)
    # The customers' first baskets are of one day here, so a week a basket is what the days say too.
    assert Ours(undated).scores(everybody) == pytest.approx(Ours(history).scores(everybody))
