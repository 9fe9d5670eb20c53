"""Baskets that a person can follow by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from lake.recommend.baskets import Baskets, from_lines

FIRST = np.datetime64("2026-01-01", "us")


def shop(baskets: Mapping[int, Sequence[Sequence[int]]], days_between: int = 7) -> Baskets:
    """Baskets by customer, the oldest first, each a week after the one before it."""
    rows = [
        (customer, customer * 1_000 + number, product, FIRST + np.timedelta64(number * days_between, "D"))
        for customer, of_customer in baskets.items()
        for number, content in enumerate(of_customer)
        for product in content
    ]
    customers, orders, products, instants = zip(*rows, strict=True)
    return from_lines(np.array(customers), np.array(orders), np.array(products), np.array(instants))
