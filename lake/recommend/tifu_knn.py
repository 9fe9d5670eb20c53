"""TIFU-KNN: Hu et al., "Modeling Personalized Item Frequency Information for Next-basket Recommendation" (2020).

A customer is a vector of how often each product was bought, in which later baskets weigh more; it is blended with the
mean of those of the customers who are nearest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from lake.recommend.baskets import Baskets


@dataclass(frozen=True)
class Setting:
    """As published for Ta-Feng.

    Attributes:
        group_size: baskets of a group.
        within, between: by what a basket weighs less than the next of its group, and a group than the next one.
        neighbours: the customer themselves is one of them.
        own: how much the customer's own vector counts; the rest is the neighbours'.
    """

    group_size: int = 7
    within: float = 0.9
    between: float = 0.7
    neighbours: int = 300
    own: float = 0.7


class TifuKnn:
    """The model, after it has seen a history."""

    def __init__(self, history: Baskets, setting: Setting = Setting()) -> None:
        self._setting = setting
        self._vectors = vectors(history, setting)
        self._lengths = np.asarray(self._vectors.multiply(self._vectors).sum(axis=1)).ravel()

    def scores(self, customers: np.ndarray) -> np.ndarray:
        """The blend of the customer's vector with that of their neighbours."""
        own = self._vectors[customers]
        near = self.neighbours(customers)
        weight = 1 / near.shape[1]
        at = (np.repeat(np.arange(len(customers)), near.shape[1]), near.ravel())
        mean = sparse.csr_matrix((np.full(near.size, weight), at), shape=(len(customers), self._vectors.shape[0]))
        blended = self._setting.own * own + (1 - self._setting.own) * (mean @ self._vectors)
        return np.asarray(blended.toarray())

    def neighbours(self, customers: np.ndarray) -> np.ndarray:
        """Numbers of the customers whose vectors are nearest (Euclid), a row for each; all where there are few."""
        most = min(self._setting.neighbours, self._vectors.shape[0])
        apart = self._lengths - 2 * (self._vectors[customers] @ self._vectors.T).toarray()
        return np.argpartition(apart, most - 1, axis=1)[:, :most]


def vectors(history: Baskets, setting: Setting) -> sparse.csr_matrix:
    """Customer by product: how often it was bought, the last time weighing most.

    The mean of the groups of the means of their baskets. Groups are cut from the newest basket backwards, so the oldest
    one may be smaller.
    """
    baskets, age = history.counts[history.customer], history.age
    group, place = np.divmod(age, setting.group_size)
    of_group = np.minimum(setting.group_size, baskets - group * setting.group_size)
    groups = -(-baskets // setting.group_size)
    return history.matrix(setting.within**place * setting.between**group / of_group / groups)
