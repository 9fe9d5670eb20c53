"""What is bought most: by everybody, by the customer, and by the customer first and everybody then.

They are the measure of every other model: Li et al., "A Next Basket Recommendation Reality Check" (TOIS 2023).
"""

from __future__ import annotations

import numpy as np

from lake.recommend.baskets import Baskets


def _share(values: np.ndarray) -> np.ndarray:
    """Values from 0 to less than 1, in the same order: what decides between equal counts, and never between others."""
    return np.asarray(values / (values.max(initial=0) + 1))


class GlobalTopFreq:
    """G-TopFreq: the products that are in most baskets, the same for all."""

    def __init__(self, history: Baskets) -> None:
        self._scores = history.popularity

    def scores(self, customers: np.ndarray) -> np.ndarray:
        """Baskets in which a product was."""
        return np.broadcast_to(self._scores, (len(customers), len(self._scores)))


class PersonalTopFreq:
    """P-TopFreq: the products that are in most of the customer's baskets, of equal ones the one known for longest.

    Published figures come from a sort that leaves equal counts in no order that could be told.
    """

    def __init__(self, history: Baskets) -> None:
        cells, baskets = history.cells, history.counts
        first = cells.least(history.basket)
        counts = cells.sum(np.ones(len(history.basket)))
        self._scores = history.table(counts + 1 - (first + 1) / (baskets[cells.customer] + 1))

    def scores(self, customers: np.ndarray) -> np.ndarray:
        """Baskets of the customer in which a product was, and a part of one for how long it is known."""
        return np.asarray(self._scores[customers].toarray())


class BothTopFreq:
    """GP-TopFreq: the customer's own most frequent products; everybody's decide between equals, and fill up."""

    def __init__(self, history: Baskets) -> None:
        self._counts, self._popularity = history.bought, _share(history.popularity)

    def scores(self, customers: np.ndarray) -> np.ndarray:
        """Baskets of the customer in which a product was, and a part of one for everybody's."""
        return np.asarray(self._counts[customers].toarray() + self._popularity)
