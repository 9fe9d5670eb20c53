"""Ours: what the customer, those like them and everybody buy again, each weighed as it has proved right.

For each product that a customer has bought, or that many buy now, some numbers are taken from the history. How much
each of them counts a logistic regression learns from the customers' last known baskets, with what came before them.
Nothing that is to be predicted is seen by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse
from scipy.optimize import minimize

from lake.recommend.baskets import Baskets, hold_out
from lake.recommend.ranking import blocks

SEED = 20260101


@dataclass(frozen=True)
class Setting:
    """What the model may be set to; chosen on the basket before the last (docs/recommendations.md).

    Attributes:
        by_basket, by_basket_fast: by what a basket weighs less than the next one, over months and over weeks.
        days, days_fast: in which a basket's weight falls to 1/e.
        popular_days: the same, of what everybody buys.
        popular: products that many buy now, which may be shown to who has never bought them.
        neighbours: customers who are most like one.
        penalty: on the squares of the weights.
        learnt_from: customers, at most.
    """

    by_basket: float = 0.95
    by_basket_fast: float = 0.8
    days: float = 180
    days_fast: float = 45
    popular_days: float = 60
    popular: int = 60
    neighbours: int = 100
    penalty: float = 1.0
    learnt_from: int = 5_000


DAYS_BETWEEN = 7
"""Between two baskets, where their days are not known."""


class Ours:
    """The model, after it has seen a history."""

    def __init__(self, history: Baskets, setting: Setting = Setting()) -> None:
        self._features = Features(history, setting)
        self._weights = _learnt(history, setting)

    def scores(self, customers: np.ndarray) -> np.ndarray:
        """The odds that the product is in the customer's next basket; 0 for what is not considered."""
        row, product, values = self._features.of(customers)
        found = np.zeros((len(customers), self._features.products))
        found[row, product] = np.exp(np.clip(values @ self._weights, -50, 50))
        return found

    def neighbours(self, customers: np.ndarray) -> np.ndarray:
        """Numbers of the customers who are most like each of these, a row for each."""
        return self._features.neighbours(customers)[0]


class Features:
    """The numbers of a history by which products are weighed."""

    def __init__(self, history: Baskets, setting: Setting) -> None:
        self._history, self._setting, cells = history, setting, history.cells
        day = history.day if history.has_days else history.basket * DAYS_BETWEEN
        last = np.zeros(len(history.customers))
        np.maximum.at(last, history.customer, day)
        ago, age = last[history.customer] - day, history.age
        self._counts = history.counts
        baskets, own = self._counts[cells.customer], cells.sum(np.ones(len(day)))
        steady = setting.by_basket
        # The weights of all of a customer's baskets together: what is in each of them gets 1.
        all_of_them = (1 - steady**baskets) / (1 - steady)
        last_ago, first_ago = cells.least(ago), -cells.least(-ago)
        gap = (first_ago - last_ago) / np.maximum(own - 1, 1)
        of_cells = [
            cells.sum(steady**age) / all_of_them,
            own / baskets,
            cells.sum(np.exp(-ago / setting.days)) / baskets,
            cells.sum(np.exp(-ago / setting.days_fast)),
            cells.sum(setting.by_basket_fast**age),
            np.log1p(last_ago),
            np.log1p(cells.least(age)),
            (own > 1).astype(float),
            np.where(own > 1, np.log((last_ago + 1) / (gap + 1)), 0),
        ]
        # The last row is that of a product which the customer has never bought.
        self._own = np.vstack([np.stack(of_cells, axis=1), np.zeros(len(of_cells))])
        self._cell = history.table(np.arange(1, len(cells.customer) + 1))
        self._often = history.table(own / baskets)

        buyers = np.bincount(cells.product, minlength=self.products)
        self._again = np.log((history.popularity - buyers) / (buyers + 5) + 1e-2)
        self._popularity = np.log(history.popularity / max(1, self._counts.sum()) + 1e-5)
        now = np.bincount(
            history.product, weights=np.exp(-(day.max(initial=0) - day) / setting.popular_days), minlength=self.products
        )
        first = np.argsort(-now, kind="stable")[: setting.popular]
        # In a small shop they would reach to what nobody has bought yet, which only the held-out baskets tell of.
        self._popular = first[now[first] > 0]
        self._now = np.log(now / max(now.max(initial=0), 1e-9) + 1e-4)
        self._size = np.log(np.maximum(1, np.bincount(history.customer, minlength=len(history.customers)))) - np.log(
            np.maximum(1, self._counts)
        )
        self._seldom = np.log1p(len(history.customers) / np.maximum(1, buyers))
        self._steady = history.table(np.sqrt(cells.sum(steady**age)))

    @property
    def products(self) -> int:
        """How many there are."""
        return len(self._history.products)

    def of(self, customers: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """For each product that is considered for one of these customers: their row, the product, and its numbers."""
        many = len(customers)
        popular = sparse.csr_matrix(
            (
                np.ones(many * len(self._popular)),
                (np.repeat(np.arange(many), len(self._popular)), np.tile(self._popular, many)),
            ),
            shape=(many, self.products),
        )
        cells = self._cell[customers]
        considered = (cells + popular).tocoo()
        row, product = considered.row.astype(np.int64), considered.col.astype(np.int64)
        at = row * self.products + product
        cell = self._at(cells, at).astype(np.int64) - 1
        own, near = self._own[cell].T, self._at(self._of_neighbours(customers), at)
        eps = (1e-3, 1e-3, 1e-3, 1e-2, 1e-2)
        columns = [
            np.ones(len(at)),
            (cell >= 0).astype(float),
            *(np.log(values + least) for values, least in zip(own[:5], eps, strict=True)),
            *own[5:],
            np.log(near + 1e-4),
            self._popularity[product],
            self._now[product],
            self._again[product],
            # The same for all products of a customer: it moves none of them, and lets the others be learnt well.
            np.log(np.maximum(1, self._counts[customers]))[row],
            self._size[customers][row],
        ]
        return row, product, np.stack(columns, axis=1)

    def neighbours(self, customers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Numbers of the customers who are most like each of these, and how like (cosine), a row for each."""
        like = np.asarray((self._directions[customers] @ self._directions.T).toarray())
        like[np.arange(len(customers)), customers] = -1
        most = min(self._setting.neighbours, like.shape[1] - 1)
        if most < 1:
            return np.empty((len(customers), 0), np.int64), np.empty((len(customers), 0))
        near = np.argpartition(-like, most - 1, axis=1)[:, :most]
        return near, np.take_along_axis(like, near, axis=1).clip(0)

    @cached_property
    def _directions(self) -> sparse.csr_matrix:
        """What customers buy, the more the seldomer it is, as vectors of length 1."""
        vectors = self._steady @ sparse.diags(self._seldom)
        lengths = np.sqrt(np.asarray(vectors.multiply(vectors).sum(axis=1)).ravel())
        return (sparse.diags(1 / np.maximum(lengths, 1e-9)) @ vectors).tocsr()

    def _of_neighbours(self, customers: np.ndarray) -> sparse.csr_matrix:
        """How often the customers who are like these buy each product, the more like the more it counts."""
        near, like = self.neighbours(customers)
        weight = like / np.maximum(like.sum(axis=1, keepdims=True), 1e-9)
        rows = np.repeat(np.arange(len(customers)), near.shape[1])
        shape = (len(customers), len(self._counts))
        return (sparse.csr_matrix((weight.ravel(), (rows, near.ravel())), shape=shape) @ self._often).tocsr()

    def _at(self, matrix: sparse.csr_matrix, at: np.ndarray) -> np.ndarray:
        """Values of a matrix at cells numbered row by row; 0 where it has none."""
        matrix.sort_indices()
        cells = matrix.tocoo()
        number = cells.row.astype(np.int64) * self.products + cells.col
        if not len(number):
            return np.zeros(len(at))
        place = np.searchsorted(number, at) % len(number)
        return np.where(number[place] == at, cells.data[place], 0)


def _learnt(history: Baskets, setting: Setting) -> np.ndarray:
    """The weight of each number, from the last known basket of each customer and what came before it."""
    split = hold_out(history)
    features, customers = Features(split.history, setting), split.tested
    if len(customers) > setting.learnt_from:
        customers = np.random.default_rng(SEED).choice(customers, setting.learnt_from, replace=False)
    seen, came = [], []
    for some in blocks(customers, features.products):
        row, product, values = features.of(some)
        seen.append(values)
        came.append(np.asarray(split.future[some][row, product]).ravel().astype(float))
    return _regression(np.concatenate(seen), np.concatenate(came), setting.penalty)


def _regression(values: np.ndarray, came: np.ndarray, penalty: float) -> np.ndarray:
    """Weights of a logistic regression, of which the first, of the constant, is free of the penalty."""
    mean, spread = values.mean(axis=0), values.std(axis=0)
    # What is the same for all would else weigh as much as its last bit.
    mean[0], spread[spread <= 1e-9 * (1 + np.abs(mean))] = 0, 1
    scaled = (values - mean) / spread

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        odds = scaled @ weights
        off = 1 / (1 + np.exp(-odds.clip(-500, 500))) - came
        bound = np.concatenate([[0], weights[1:]])
        return (
            float(np.logaddexp(0, odds).sum() - came @ odds + penalty / 2 * bound @ bound),
            scaled.T @ off + penalty * bound,
        )

    found = minimize(loss, np.zeros(values.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 200}).x
    weights = found / spread
    weights[0] = found[0] - (found[1:] * mean[1:] / spread[1:]).sum()
    return np.asarray(weights)
