"""What a ranking is worth: pure arithmetic on grades."""

from __future__ import annotations

from collections.abc import Sequence
from math import log2

PLACES = 10
"""How far down a person looks."""


def dcg(grades: Sequence[int]) -> float:
    """Discounted cumulative gain of the first places: 2^grade - 1, divided by the logarithm of the place.

    >>> round(dcg([2, 0, 1]), 4), dcg([])
    (3.5, 0.0)
    """
    return sum((2.0**grade - 1) / log2(place + 1) for place, grade in enumerate(grades[:PLACES], 1))


def ndcg(shown: Sequence[int], there: Sequence[int]) -> float:
    """The same as a share of what the best order of all products would gain.

    Args:
        shown: grades of what was found, the first first.
        there: grades of all products, in any order; one at least is above zero.

    >>> ndcg([2, 2, 1], [0, 1, 2, 2]), round(ndcg([0, 1], [0, 1, 2]), 4), ndcg([], [1])
    (1.0, 0.1738, 0.0)
    """
    return dcg(shown) / dcg(sorted(there, reverse=True))


def reciprocal_rank(shown: Sequence[int], least: int) -> float:
    """One by the place of the first product of at least a grade; 0 where there is none in the first places.

    >>> reciprocal_rank([0, 1, 2], 2), reciprocal_rank([2], 2), reciprocal_rank([1], 2)
    (0.3333333333333333, 1.0, 0.0)
    """
    return next((1 / place for place, grade in enumerate(shown[:PLACES], 1) if grade >= least), 0.0)
