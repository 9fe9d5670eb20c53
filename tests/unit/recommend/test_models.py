"""The models on shops of a few baskets, computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from lake.recommend import explore, popular, tifu_knn, together, up_cf
from lake.recommend.ranking import NOTHING, Scorer, best, rank
from lake.recommend.topfreq import BothTopFreq, GlobalTopFreq, PersonalTopFreq
from tests.unit.recommend.shops import shop

SHOP = shop({1: [[10], [20], [20, 30]], 2: [[30, 40], [40]], 3: [[40, 10]]})
"""Baskets with the product: 10 in 2, 20 in 2, 30 in 2, 40 in 3."""


def _ids(scorer: Scorer, most: int = 4) -> list[list[int]]:
    lists = rank(scorer, np.arange(3), 4, most)
    return [[int(SHOP.products[product]) for product in row if product != NOTHING] for row in lists]


def test_the_best_come_first_equals_by_number_and_nothing_that_scores_nothing() -> None:
    scores = np.array([[0.5, 2, 2, 0, -1], [0, 0, 0, 0, 0]])
    assert best(scores, 3).tolist() == [[1, 2, 0], [NOTHING] * 3]
    assert best(scores, 2).tolist() == [[1, 2], [NOTHING] * 2]
    assert best(scores, 7)[0].tolist() == [1, 2, 0, *[NOTHING] * 4]


def test_what_everybody_buys_is_the_same_for_all() -> None:
    assert _ids(GlobalTopFreq(SHOP)) == [[40, 10, 20, 30]] * 3


def test_equals_of_a_customer_come_in_the_order_in_which_they_were_first_bought() -> None:
    assert _ids(PersonalTopFreq(SHOP)) == [[20, 10, 30], [40, 30], [10, 40]]


def test_everybody_decides_between_equals_of_a_customer_and_fills_up() -> None:
    assert _ids(BothTopFreq(SHOP)) == [[20, 10, 30, 40], [40, 30, 10, 20], [40, 10, 20, 30]]


def test_groups_of_baskets_are_cut_from_the_newest_backwards() -> None:
    setting = tifu_knn.Setting(group_size=2, within=0.5, between=0.1)
    found = tifu_knn.vectors(SHOP, setting).toarray()
    # Customer 1: the newer group is of baskets 2 and 3, the older one of basket 1 alone; the mean of the two.
    assert found[0] == pytest.approx([0.1 / 2, (0.5 + 1) / 2 / 2, 1 / 2 / 2, 0])
    assert found[1] == pytest.approx([0, 0, 0.5 / 2, (0.5 + 1) / 2])
    assert found[2] == pytest.approx([1, 0, 0, 1])


def test_neighbours_are_the_nearest_and_blended_by_their_share() -> None:
    setting = tifu_knn.Setting(group_size=1, within=1, between=1, neighbours=2, own=0.5)
    model = tifu_knn.TifuKnn(SHOP, setting)
    # As parts of their baskets: 1 is (1/3, 2/3, 1/3, 0), 2 is (0, 0, 1/2, 1), 3 is (1, 0, 0, 1).
    assert sorted(model.neighbours(np.array([2]))[0].tolist()) == [1, 2]
    assert model.scores(np.array([2]))[0] == pytest.approx([0.5 + 0.25, 0, 0.125, 0.5 + 0.5])


def test_who_has_bought_much_of_the_same_speaks_for_the_customer() -> None:
    model = up_cf.UpCf(SHOP, up_cf.Setting(recent=1, asymmetry=0.5, locality=2))
    # Of customer 3 (10, 40): 1 has 10 of three products, 2 has 40 of two; the last baskets are (20, 30) and (40).
    assert model.scores(np.array([2]))[0] == pytest.approx([1, 1 / 6, 1 / 6, 1 + 1 / 4])


def test_companions_come_by_what_their_being_together_tells() -> None:
    history = shop({1: [[1, 2], [1, 2], [1, 2, 3], [3], [3], [3, 1]]})
    found = [pair for pair in together.pairs(history, most=5, fewest=2) if history.products[pair.product] == 1]
    # 1 is in four of six baskets, 2 in three, both in three. 3 is with it in two, which is less than chance.
    assert [(int(history.products[pair.other]), pair.rank, pair.baskets) for pair in found] == [(2, 1, 3)]
    assert (found[0].support, found[0].confidence, found[0].lift) == pytest.approx((0.5, 0.75, 1.5))
    assert not list(together.pairs(history, most=5, fewest=4))


def test_pairs_are_the_same_however_many_fit_into_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(1)
    history = shop({1: [generator.choice(12, 4, replace=False).tolist() for _ in range(60)]})
    whole = list(together.pairs(history, most=3))
    monkeypatch.setattr(together, "PAIRS_AT_ONCE", 30)
    assert whole and list(together.pairs(history, most=3)) == whole


def test_new_products_are_those_of_people_alike_and_never_known_ones() -> None:
    # Two tastes that have nothing in common; the last customer of each lacks one of its products.
    history = shop(
        {customer: [[1, 2, 3], [4]] if customer < 9 else [[1, 2, 3]] for customer in range(10)}
        | {customer: [[5, 6, 7], [8]] if customer < 19 else [[5, 6, 7]] for customer in range(10, 20)}
    )
    products, scores = explore.new_products(history, np.array([9, 19]), most=5)
    assert [int(history.products[row[0]]) for row in products] == [4, 8]
    for customer, row in zip((9, 19), products, strict=True):
        known = set(history.bought[[customer]].indices.tolist())
        assert known.isdisjoint(row.tolist())
        # Eight products, of which three are known, leave five.
        assert NOTHING not in row.tolist()
    again, _ = explore.new_products(history, np.array([9, 19]), most=5)
    assert again.tolist() == products.tolist()
    assert scores[0][0] > scores[0][1]
    six, _ = explore.new_products(history, np.array([9]), most=6)
    assert six[0].tolist()[5] == NOTHING


def test_nobody_is_told_of_products_that_few_have_bought() -> None:
    history = shop({1: [[1], [2]], 2: [[1], [3]]})
    products, _ = explore.new_products(history, np.array([0, 1]), most=2)
    assert (products == NOTHING).all()


def test_a_segment_with_people_enough_has_its_own_taste(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(popular, "FEWEST_CUSTOMERS", 2)
    history = shop({1: [[10], [10], [10]], 2: [[20]], 3: [[20]], 4: [[30]]})
    found = popular.by_segment(history, np.array(["old", "young", "young", ""], object), most=2)
    # Customer 1 has bought 10 thrice and counts once; "old" is one person.
    assert {name: history.products[products].tolist() for name, products in found.items()} == {
        "": [20, 10],
        "young": [20],
    }
