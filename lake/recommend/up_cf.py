"""UP-CF@r: Faggioli et al., "Recency aware collaborative filtering for next basket recommendation" (2020).

How often the customer and others like them bought a product in their last baskets. Who has bought much of what the
customer buys is like them; the power leaves little of those who are not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from lake.recommend.baskets import Baskets


@dataclass(frozen=True)
class Setting:
    """What the model may be set to.

    Attributes:
        recent: baskets of a customer that count.
        asymmetry: 0.5 is the cosine; 1 lets the number of the customer's own products count alone.
        locality: the power of the likeness.
    """

    recent: int = 10
    asymmetry: float = 0.25
    locality: float = 5


class UpCf:
    """The model, after it has seen a history."""

    def __init__(self, history: Baskets, setting: Setting = Setting()) -> None:
        self._setting = setting
        self._has = (history.bought > 0).astype(np.float32)
        self._sizes = np.asarray(self._has.sum(axis=1)).ravel()
        of = np.minimum(history.counts, setting.recent)[history.customer]
        self._recent = history.matrix((history.age < setting.recent) / of)

    def scores(self, customers: np.ndarray) -> np.ndarray:
        """How often the product was in recent baskets, of the customer and of others as far as they are like them."""
        both = (self._has[customers] @ self._has.T).toarray()
        own, others = self._sizes[customers][:, None], self._sizes[None, :]
        like = both / np.maximum(own**self._setting.asymmetry * others ** (1 - self._setting.asymmetry), 1e-9)
        weight = like**self._setting.locality
        weight[np.arange(len(customers)), customers] = 1
        return np.asarray((sparse.csr_matrix(weight) @ self._recent).toarray())
