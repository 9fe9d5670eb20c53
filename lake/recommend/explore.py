"""What is new to a customer: implicit ALS (Hu, Koren, Volinsky 2008), as the library ``implicit`` has it.

Its products are shown in a slot of their own. Next baskets are nearly all repeats, and a list that mixes both loses
more than it finds.
"""

from __future__ import annotations

import numpy as np
from threadpoolctl import threadpool_limits

from lake.recommend.baskets import Baskets

FACTORS = 32
ROUNDS = 12
CONFIDENCE = 1.0
"""How much a purchase counts beside the many products that were not bought; chosen with `FACTORS` on the basket before
the last (docs/recommendations.md)."""

SEED = 20260101
FEWEST_BUYERS = 5
"""Of a product that fewer have bought nobody can say who else would."""


def new_products(history: Baskets, customers: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Products that each of these customers has never bought and is likely to, the best first, and their scores.

    The same history gives the same products: one thread, and a seed.

    Returns:
        Two arrays with a row for each customer; `ranking.NOTHING` where there are no more.
    """
    # Loaded when it is used: it takes longer than most commands.
    from implicit.als import AlternatingLeastSquares

    from lake.recommend.ranking import NOTHING

    known = history.bought
    buyers = np.bincount(known.indices, minlength=len(history.products))
    able = np.flatnonzero(buyers >= FEWEST_BUYERS)
    products, scores = np.full((len(customers), most), NOTHING), np.zeros((len(customers), most))
    shown = min(most, len(able))
    if not shown or not len(customers):
        return products, scores
    weights = known[:, able].astype(np.float32)
    weights.data = 1 + np.log(weights.data)
    with threadpool_limits(1, "blas"):
        model = AlternatingLeastSquares(
            factors=min(FACTORS, len(able)), regularization=0.1, alpha=CONFIDENCE, iterations=ROUNDS,
            random_state=SEED, num_threads=1,
        )  # fmt: skip
        model.fit(weights, show_progress=False)
        found, of = model.recommend(customers, weights[customers], N=shown, filter_already_liked_items=True)
    # Where a customer has bought nearly all there is, the library fills up with what they know, at the least of floats.
    new = of > np.finfo(np.float32).min / 2
    products[:, :shown] = np.where(new, able[found], NOTHING)
    scores[:, :shown] = np.where(new, of, 0)
    return products, scores
