"""What is bought together: for each product the others that are in its baskets more often than by chance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from lake.recommend.baskets import Baskets

FEWEST = 5
"""Baskets that have both, at least: fewer are chance."""

PAIRS_AT_ONCE = 20_000_000


@dataclass(frozen=True)
class Pair:
    """A product and one that goes with it, as numbers.

    Attributes:
        rank: 1 for the first of this product.
        baskets: that have both.
        support: the part of all baskets that have both.
        confidence: the part of the product's baskets that have the other too.
        lift: how many times more often they are together than if neither cared for the other.
    """

    product: int
    other: int
    rank: int
    baskets: int
    support: float
    confidence: float
    lift: float


def pairs(history: Baskets, most: int, fewest: int = FEWEST) -> Iterator[Pair]:
    """The best companions of each product, by how much their being together tells: baskets times the log of the lift.

    By lift alone the seldom would come first, and by support what is in every basket.

    Args:
        most: companions of a product.
        fewest: baskets with both.
    """
    content, popularity = _by_basket(history), history.popularity
    total = content.shape[0]
    able = np.flatnonzero(popularity >= fewest)
    content = content[:, able]
    across = content.T.tocsr()
    # Cells that a row of the product can have at most tell how many fit into memory.
    size = max(1, PAIRS_AT_ONCE // max(1, len(able)))
    for start in range(0, len(able), size):
        both = (across[start : start + size] @ content).tocsr()
        for row in range(both.shape[0]):
            product = start + row
            within = slice(both.indptr[row], both.indptr[row + 1])
            others, baskets = both.indices[within], both.data[within]
            enough = (others != product) & (baskets >= fewest)
            others, baskets = others[enough], baskets[enough]
            own, theirs = popularity[able[product]], popularity[able[others]]
            lift = baskets * total / (own * theirs)
            tells = baskets * np.log(lift)
            order = np.lexsort((able[others], -tells))[:most]
            for rank, at in enumerate(order[tells[order] > 0], start=1):
                yield Pair(
                    int(able[product]), int(able[others[at]]), rank, int(baskets[at]),
                    float(baskets[at] / total), float(baskets[at] / own), float(lift[at]),
                )  # fmt: skip


def _by_basket(history: Baskets) -> sparse.csr_matrix:
    """Basket by product, 1 where it is in it."""
    new = (np.diff(history.customer, prepend=-1) != 0) | (np.diff(history.basket, prepend=-1) != 0)
    number = np.cumsum(new) - 1
    shape = (int(new.sum()), len(history.products))
    return sparse.csr_matrix((np.ones(len(number), np.int32), (number, history.product)), shape=shape)
