"""Measures ours against the published models on the same baskets, in the same run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lake.recommend.baskets import Baskets, Split
from lake.recommend.explore import new_products
from lake.recommend.measures import Measured, interval, measure
from lake.recommend.ours import Ours
from lake.recommend.ranking import Scorer, best, blocks, rank
from lake.recommend.tifu_knn import TifuKnn
from lake.recommend.topfreq import BothTopFreq, GlobalTopFreq, PersonalTopFreq
from lake.recommend.up_cf import UpCf

K = 10
"""Products of a list that is measured."""

SEED = 20260101

OURS, MEASURE_OF_ALL = "ours", "gp_topfreq"

MODELS: Mapping[str, Callable[[Baskets], Scorer]] = {
    OURS: Ours,
    MEASURE_OF_ALL: BothTopFreq,
    "p_topfreq": PersonalTopFreq,
    "g_topfreq": GlobalTopFreq,
    "tifu_knn": TifuKnn,
    "up_cf": UpCf,
}

DIFFERENCE = f"{OURS}_minus_{MEASURE_OF_ALL}"

NEW, NEW_POPULAR = "new_als", "new_popular"
"""The slot of new products, and what everybody buys in its place."""

K_NEW = 5
"""Products of that slot."""


@dataclass(frozen=True)
class Evaluation:
    """What the models came to, on one split.

    Attributes:
        measured: by model.
        new: of the slot of new products: the figures of ours, and of the most popular ones that are new to a customer.
        tested: how many customers.
        known_baskets: how many baskets the models had seen.
    """

    measured: dict[str, Measured]
    new: dict[str, dict[str, float]]
    tested: int
    known_baskets: int

    def to_json(self) -> dict[str, Any]:
        """Plain values: a key for each model, the difference with its interval, and what was measured on."""
        told: dict[str, Any] = {name: figures(one) for name, one in self.measured.items()}
        if {OURS, MEASURE_OF_ALL} <= set(self.measured):
            told[DIFFERENCE] = self.difference()
        told |= self.new
        told["measured_on"] = {"customers": self.tested, "known_baskets": self.known_baskets}
        return told

    def difference(self) -> dict[str, dict[str, float]]:
        """Ours less GP-TopFreq, with its bootstrap interval (95 %)."""
        ours, other = self.measured[OURS], self.measured[MEASURE_OF_ALL]
        found = {}
        for name, values in (
            (f"recall@{K}", ours.recall - other.recall),
            (f"ndcg@{K}", ours.ndcg - other.ndcg),
        ):
            low, high = interval(values, SEED)
            found[name] = {"mean": float(values.mean()), "low": low, "high": high}
        return found


def evaluate(split: Split, models: Mapping[str, Callable[[Baskets], Scorer]] = MODELS) -> Evaluation:
    """Let each model see the history and measure its lists on what came then."""
    measured = {}
    for name, model in models.items():
        scorer = model(split.history)
        lists = rank(scorer, split.tested, len(split.history.products), K)
        measured[name] = measure(lists, split)
    return Evaluation(measured, _new_products(split), len(split.tested), int(split.history.counts.sum()))


def _new_products(split: Split) -> dict[str, dict[str, float]]:
    """How many of the products that are new to a customer their slot finds, of those who bought any."""
    found, _ = new_products(split.history, split.tested, K_NEW)
    popular = np.concatenate(
        [
            best(np.where(split.history.bought[some].toarray() > 0, 0, split.history.popularity), K_NEW)
            for some in blocks(split.tested, len(split.history.products))
        ]
    )
    told = {}
    for name, lists in ((NEW, found), (NEW_POPULAR, popular)):
        one = measure(lists, split)
        bought_new = ~np.isnan(one.recall_explore)
        told[name] = {
            f"recall_explore@{K_NEW}": _mean(one.recall_explore),
            f"hit_rate@{K_NEW}": _mean(one.hit[bought_new]),
            "coverage": one.coverage,
            "novelty_bits": one.novelty,
        }
    return told


def figures(one: Measured) -> dict[str, float]:
    """The figures of a model, by name."""
    return {
        f"recall@{K}": float(one.recall.mean()),
        f"ndcg@{K}": float(one.ndcg.mean()),
        f"recall@{K} standard error": _error(one.recall),
        f"ndcg@{K} standard error": _error(one.ndcg),
        f"hit_rate@{K}": float(one.hit.mean()),
        f"recall_repeat@{K}": _mean(one.recall_repeat),
        f"recall_explore@{K}": _mean(one.recall_explore),
        "coverage": one.coverage,
        "novelty_bits": one.novelty,
        "repeat_share": one.repeat_share,
    }


def _mean(values: np.ndarray) -> float:
    """The mean of those that are known; 0 where none is."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else 0.0


def _error(values: np.ndarray) -> float:
    """The standard error of the mean; 0 of a single value, of which it is not known."""
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0
