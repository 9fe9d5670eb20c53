"""Baskets as arrays: who bought what in which order of time.

Customers and products are numbered from 0; a line is a product in a basket, however many units of it were bought.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from lake.errors import LakeError

FEWEST_TO_HOLD_OUT = 2
"""Baskets of a customer of which one may be held out: something has to be left to learn from."""


class NothingToLearnError(LakeError):
    """Nobody has bought anything yet, or nobody has come back."""


@dataclass(frozen=True)
class Cells:
    """Pairs of a customer and a product that they have bought, each once, by customer and then by product.

    Attributes:
        customer, product: of each cell, numbers.
        of_line: of each line, the number of its cell.
    """

    customer: np.ndarray
    product: np.ndarray
    of_line: np.ndarray

    def sum(self, values: np.ndarray) -> np.ndarray:
        """Of each cell the sum of a value of its lines."""
        return np.bincount(self.of_line, weights=values, minlength=len(self.customer))

    def least(self, values: np.ndarray) -> np.ndarray:
        """Of each cell the least of a value of its lines."""
        found = np.full(len(self.customer), np.inf)
        np.minimum.at(found, self.of_line, values)
        return found


@dataclass(frozen=True)
class Baskets:
    """Lines, sorted by customer, basket and product, each once.

    Attributes:
        customers, products: what the numbers stand for, as the shop has it.
        customer, product: of each line, numbers.
        basket: of each line: the how manieth of its customer's baskets it is in, 0 for the first.
        day: of each line, whole days since 1970 (UTC); empty where the days are not known.
    """

    customers: np.ndarray
    products: np.ndarray
    customer: np.ndarray
    basket: np.ndarray
    product: np.ndarray
    day: np.ndarray

    @property
    def has_days(self) -> bool:
        """Whether it is known on which days the baskets were bought."""
        return len(self.day) == len(self.customer)

    @cached_property
    def counts(self) -> np.ndarray:
        """Baskets of each customer."""
        found = np.zeros(len(self.customers), np.int64)
        np.maximum.at(found, self.customer, self.basket + 1)
        return found

    @cached_property
    def age(self) -> np.ndarray:
        """Of each line, how many baskets of its customer came after it."""
        return self.counts[self.customer] - 1 - self.basket

    @cached_property
    def cells(self) -> Cells:
        """Each customer and product that they have bought."""
        key, of_line = np.unique(self.customer * len(self.products) + self.product, return_inverse=True)
        customer, product = np.divmod(key, max(1, len(self.products)))
        return Cells(customer, product, of_line)

    @cached_property
    def bought(self) -> sparse.csr_matrix:
        """In how many baskets (customer by product) each was."""
        return self.table(self.cells.sum(np.ones(len(self.customer))))

    @cached_property
    def popularity(self) -> np.ndarray:
        """In how many baskets each product was, of all customers together."""
        return np.bincount(self.product, minlength=len(self.products)).astype(float)

    def table(self, of_cells: np.ndarray) -> sparse.csr_matrix:
        """Customer by product: a value for each of `cells`."""
        shape = (len(self.customers), len(self.products))
        starts = np.searchsorted(self.cells.customer, np.arange(len(self.customers) + 1))
        return sparse.csr_matrix((of_cells, self.cells.product, starts), shape=shape)

    def matrix(self, values: np.ndarray) -> sparse.csr_matrix:
        """Customer by product: the sums of a value of each line."""
        return self.table(self.cells.sum(values))

    def lines(self, kept: np.ndarray) -> Baskets:
        """These lines alone; customers and products keep their numbers.

        Args:
            kept: a mask that leaves out whole baskets, the last ones of their customers.
        """
        day = self.day[kept] if self.has_days else self.day
        return Baskets(self.customers, self.products, self.customer[kept], self.basket[kept], self.product[kept], day)


@dataclass(frozen=True)
class Split:
    """What was known, and what came then.

    Attributes:
        history: of all customers; of those who have a basket held out, all that came before it.
        future: customer by product, true where the held-out basket has it.
        tested: numbers of the customers who have one.
    """

    history: Baskets
    future: sparse.csr_matrix
    tested: np.ndarray


def hold_out(baskets: Baskets, last: int = 1) -> Split:
    """Hold out a basket of each customer, and leave away those that came after it.

    Args:
        last: 1 for the last one, 2 for the one before it.

    Raises:
        NothingToLearnError: no customer has baskets enough.
    """
    # A customer with too few for a basket before the held-out one is left as they are: known, and not tested.
    enough = baskets.counts >= last - 1 + FEWEST_TO_HOLD_OUT
    if not enough.any():
        raise NothingToLearnError(
            f"none of {len(baskets.customers):,} customers has {last - 1 + FEWEST_TO_HOLD_OUT} baskets",
            "there is nothing to measure with until customers come back",
        )
    line_tested = enough[baskets.customer]
    held = line_tested & (baskets.age == last - 1)
    return _split(baskets, known=np.where(line_tested, baskets.age >= last, baskets.age >= last - 1), held=held)


def cut(baskets: Baskets, day: int) -> Split:
    """Hold out the first basket that each customer bought on or after a day; nothing of that time is known.

    Args:
        day: whole days since 1970.

    Raises:
        LakeError: the days of the baskets are not known, or nobody who had bought before came then.
    """
    if not baskets.has_days:
        raise LakeError(
            "these baskets have no days", "leave away --since: the last basket of each customer is held out"
        )
    known = baskets.day < day
    before = np.zeros(len(baskets.customers), np.int64)
    np.maximum.at(before, baskets.customer[known], baskets.basket[known] + 1)
    held = ~known & (baskets.basket == before[baskets.customer]) & (before > 0)[baskets.customer]
    if not held.any():
        raise LakeError(
            f"nobody who had bought before {np.datetime64(day, 'D')} bought on or after it",
            f"take a day between {np.datetime64(int(baskets.day.min()), 'D')} and "
            f"{np.datetime64(int(baskets.day.max()), 'D')}",
        )
    return _split(baskets, known, held)


def _split(baskets: Baskets, known: np.ndarray, held: np.ndarray) -> Split:
    shape = (len(baskets.customers), len(baskets.products))
    at = (baskets.customer[held], baskets.product[held])
    future = sparse.csr_matrix((np.ones(held.sum(), bool), at), shape=shape)
    return Split(baskets.lines(known), future, np.unique(baskets.customer[held]))


def from_lines(
    customer_ids: np.ndarray, order_ids: np.ndarray, product_ids: np.ndarray, instants: np.ndarray
) -> Baskets:
    """Baskets of order lines, in any order.

    Args:
        customer_ids, order_ids, product_ids: of each line.
        instants: when its order was made, as ``datetime64``; orders of one instant come in the order of their ids.
    """
    customers, customer = np.unique(customer_ids, return_inverse=True)
    products, product = np.unique(product_ids, return_inverse=True)
    _, order = np.unique(order_ids, return_inverse=True)
    sorting = np.lexsort((product, order, instants, customer))
    customer, order, product, instants = customer[sorting], order[sorting], product[sorting], instants[sorting]
    new_customer = np.diff(customer, prepend=-1) != 0
    new_order = new_customer | (np.diff(order, prepend=-1) != 0)
    new_line = new_order | (np.diff(product, prepend=-1) != 0)
    number = np.cumsum(new_order) - 1
    basket = number - np.maximum.accumulate(np.where(new_customer, number, 0))
    day = instants.astype("datetime64[D]").astype(np.int64)
    return Baskets(customers, products, customer[new_line], basket[new_line], product[new_line], day[new_line])


def read_json(path: Path) -> Baskets:
    """Baskets of a file ``{customer: [[product, ...], ...], ...}``, the oldest basket of each first.

    Raises:
        LakeError: there is no such file, or it has another shape; the error names customer and basket.
    """
    try:
        told = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise LakeError(f"there is no file {path}", "name a file of baskets with --baskets FILE") from error
    except (ValueError, OSError) as error:
        raise LakeError(f"{path} cannot be read as JSON: {error}", _SHAPE) from error
    if not isinstance(told, dict) or not told:
        raise LakeError(f"{path} holds no customers", _SHAPE)
    customer, basket, product = (np.array(column, np.int64) for column in _lines(told, path))
    products, number = np.unique(product, return_inverse=True)
    sorting = np.lexsort((number, basket, customer))
    return Baskets(
        np.array(list(told)), products, customer[sorting], basket[sorting], number[sorting], np.empty(0, np.int64)
    )


_SHAPE = "write {CUSTOMER: [[PRODUCT, ...], ...], ...}: baskets from the oldest to the newest, products as integers"


def _lines(told: Mapping[str, Any], path: Path) -> tuple[list[int], list[int], list[int]]:
    customer: list[int] = []
    basket: list[int] = []
    product: list[int] = []
    for number, (name, baskets) in enumerate(told.items()):
        for ordinal, content in enumerate(_checked(baskets, f"customer {name!r}", path)):
            different = sorted(set(_checked(content, f"basket {ordinal + 1} of customer {name!r}", path, int)))
            product += different
            basket += [ordinal] * len(different)
            customer += [number] * len(different)
    return customer, basket, product


def _checked(value: Any, what: str, path: Path, of: type = list) -> Sequence[Any]:
    if not isinstance(value, list) or not value:
        raise LakeError(f"{path}: {what} is {str(value)[:60]!r}, not a list with something in it", _SHAPE)
    for one in value:
        if not isinstance(one, of) or isinstance(one, bool):
            raise LakeError(f"{path}: {what} holds {str(one)[:60]!r}", _SHAPE)
    return value
