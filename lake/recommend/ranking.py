"""From scores to the products that are shown: the best first, and nothing that scores nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np

NOTHING = -1
"""In place of a product, where a list is shorter than asked."""

CELLS_AT_ONCE = 8_000_000
"""Scores that are held at a time: 64 MB."""


class Scorer(Protocol):
    """A model that has seen a history."""

    def scores(self, customers: np.ndarray) -> np.ndarray:
        """A row for each of these customers, a score for each product; one that is not above 0 is never shown."""
        ...


def best(scores: np.ndarray, most: int) -> np.ndarray:
    """For each row the numbers of the products that score most, the best first; of equal ones the lower number."""
    found = np.full((len(scores), most), NOTHING, np.int64)
    for row, of_row in zip(found, scores, strict=True):
        # Most products score nothing, and among equals a partition is slow.
        able = np.flatnonzero(of_row > 0)
        values = of_row[able]
        if len(able) > most:
            near = values >= np.partition(values, -most)[-most]
            able, values = able[near], values[near]
        chosen = able[np.argsort(-values, kind="stable")][:most]
        row[: len(chosen)] = chosen
    return found


def rank(scorer: Scorer, customers: np.ndarray, products: int, most: int) -> np.ndarray:
    """The products to show to each customer, a row for each; `NOTHING` where there are no more.

    Args:
        products: how many there are.
    """
    return np.concatenate(
        [best(scorer.scores(some), most) for some in blocks(customers, products)] or [np.empty((0, most), np.int64)]
    )


def blocks(customers: np.ndarray, products: int) -> Iterator[np.ndarray]:
    """Customers in parts whose scores fit into memory."""
    size = max(1, CELLS_AT_ONCE // max(1, products))
    for start in range(0, len(customers), size):
        yield customers[start : start + size]
