"""For who has bought nothing yet: what the others of their segment buy."""

from __future__ import annotations

import numpy as np

from lake.recommend.baskets import Baskets
from lake.recommend.ranking import best

EVERYBODY = ""
"""The segment of whom nothing is known, and of segments with too few people."""

FEWEST_CUSTOMERS = 30
"""Of a segment: the tastes of fewer are no guide for the next one."""


def by_segment(history: Baskets, segments: np.ndarray, most: int) -> dict[str, np.ndarray]:
    """The products that most customers of a segment buy, the best first; of all of them for `EVERYBODY`.

    Customers count once for a product: else those who come daily would speak for all.

    Args:
        segments: of each customer, `EVERYBODY` where it is not known.
    """
    has = (history.bought > 0).astype(float)
    found = {EVERYBODY: _most_bought(has, most)}
    for segment in np.unique(segments):
        of_it = np.flatnonzero(segments == segment)
        if segment != EVERYBODY and len(of_it) >= FEWEST_CUSTOMERS:
            found[str(segment)] = _most_bought(has[of_it], most)
    return found


def _most_bought(has: np.ndarray, most: int) -> np.ndarray:
    (products,) = best(np.asarray(has.sum(axis=0)).reshape(1, -1), most)
    return products[products >= 0]
