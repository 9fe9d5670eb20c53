"""How good lists of products are, measured against the basket that came then."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from lake.recommend.baskets import Split
from lake.recommend.ranking import NOTHING


@dataclass(frozen=True)
class Measured:
    """Arrays are of each tested customer; NaN where a part of the basket is empty, of which nothing can be said.

    Attributes:
        recall: the part of the basket that was in the list.
        ndcg: the same by rank, of what a list of this length could have reached.
        hit: 1 where anything of the basket was in the list.
        recall_repeat, recall_explore: recall of what the customer had bought before, and of what was new to them.
        coverage: the part of all products bought so far that was shown to somebody.
        novelty: how seldom what was shown is in a basket, in bits: 1 for every second basket, 10 for one of a thousand.
        repeat_share: the part of what was shown that its customer had bought before.
    """

    recall: np.ndarray
    ndcg: np.ndarray
    hit: np.ndarray
    recall_repeat: np.ndarray
    recall_explore: np.ndarray
    coverage: float
    novelty: float
    repeat_share: float


def measure(lists: np.ndarray, split: Split) -> Measured:
    """Measure the lists of the tested customers.

    Args:
        lists: a row for each of ``split.tested``; its length is the k of recall@k.
    """
    history, tested = split.history, split.tested
    shown = lists != NOTHING
    future = split.future[tested]
    known = (history.bought[tested] > 0).astype(bool)
    hits = _at(future, lists) & shown
    was_known = _at(known, lists) & shown

    size = np.asarray(future.sum(axis=1)).ravel()
    size_repeat = np.asarray(future.multiply(known).sum(axis=1)).ravel()
    gain = 1 / np.log2(np.arange(2, lists.shape[1] + 2))
    ideal = np.cumsum(gain)[np.minimum(size, lists.shape[1]) - 1]
    # How much a person who knows what sells is told by a product: bits of how seldom it is in a basket.
    seldom = -np.log2(np.maximum(history.popularity, 1) / max(1, history.counts.sum()))
    return Measured(
        recall=hits.sum(axis=1) / size,
        ndcg=(hits * gain).sum(axis=1) / ideal,
        hit=hits.any(axis=1).astype(float),
        recall_repeat=_part((hits & was_known).sum(axis=1), size_repeat),
        recall_explore=_part((hits & ~was_known).sum(axis=1), size - size_repeat),
        coverage=len(np.unique(lists[shown])) / max(1, int((history.popularity > 0).sum())),
        novelty=float(seldom[lists[shown]].mean()) if shown.any() else 0.0,
        repeat_share=float(was_known.sum() / max(1, shown.sum())),
    )


def _at(matrix: sparse.csr_matrix, lists: np.ndarray) -> np.ndarray:
    """For each row of lists, whether the matrix is true at these columns."""
    columns = np.where(lists == NOTHING, 0, lists)
    rows = np.repeat(np.arange(len(lists)), lists.shape[1])
    return np.asarray(matrix[rows, columns.ravel()]).reshape(lists.shape).astype(bool)


def _part(some: np.ndarray, of: np.ndarray) -> np.ndarray:
    return np.where(of > 0, some / np.maximum(of, 1), np.nan)


def interval(difference: np.ndarray, seed: int, draws: int = 2_000) -> tuple[float, float]:
    """Bootstrap interval (95 %) of the mean of a difference between two models, customer by customer.

    Args:
        difference: of each customer.
    """
    generator = np.random.default_rng(seed)
    size = len(difference)
    means = [difference[generator.integers(0, size, size)].mean() for _ in range(draws)]
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)
