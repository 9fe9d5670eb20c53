"""Time passes in the shop: new orders, parcels on their way, changed prices, a customer who wants to be forgotten.

Each act is a committed transaction of its own, as in a shop, and carries the database's own clock. Time passes in one
go (`tick`) or at a steady rate (`live`).
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from threading import Event
from typing import Any

from pymysql.connections import Connection

from lake.errors import LakeError, SourceError
from lake.shop.acts import Act
from lake.shop.build import TABLES
from lake.shop.database import LOADED, exclusive, marker, speaking, tables
from lake.shop.plan import Doing, acts_of, choose
from lake.shop.rng import stream

MOST_ORDERS = 100_000
HIGHEST_RATE = 1_000
LONGEST_MINUTES = 24 * 60
BEAT_SECONDS = 10
"""Choosing what happens reads whole tables, so `live` chooses for ten seconds at a time."""


@dataclass
class TickSummary:
    """What one tick changed: counts of rows, and the revenue of the new orders in the shop's currency.

    ``orders_cancelled`` counts earlier orders; their revenue is ``revenue_cancelled``. ``payments`` counts the failed
    ones too.
    """

    seed: int
    orders_placed: int = 0
    order_items: int = 0
    revenue_placed: Decimal = field(default_factory=lambda: Decimal("0.00"))
    payments: int = 0
    payments_failed: int = 0
    shipments: int = 0
    orders_paid: int = 0
    orders_shipped: int = 0
    orders_delivered: int = 0
    orders_cancelled: int = 0
    revenue_cancelled: Decimal = field(default_factory=lambda: Decimal("0.00"))
    refunds: int = 0
    revenue_refunded: Decimal = field(default_factory=lambda: Decimal("0.00"))
    prices_changed: int = 0
    customers_added: int = 0
    customers_changed: int = 0
    customers_erased: int = 0
    inventory_changed: int = 0
    reviews: int = 0
    clickstream_events: int = 0

    def add(self, act: Act) -> None:
        """Count what one act did."""
        for name, count in act.items():
            setattr(self, name, getattr(self, name) + count)


@dataclass(frozen=True)
class Lived:
    """How `live` went.

    Attributes:
        changes: what changed.
        seconds: how long it took, which is less than was asked when it was stopped.
        asked_rate: orders a second that were asked for.
    """

    changes: TickSummary
    seconds: float
    asked_rate: float

    @property
    def rate(self) -> float:
        """Orders a second that were placed."""
        return self.changes.orders_placed / self.seconds if self.seconds else 0.0

    @property
    def kept_up(self) -> bool:
        """Whether the rate was kept: all but a twentieth of the orders, or all but the one that was about to come."""
        due = self.asked_rate * self.seconds
        return self.changes.orders_placed >= min(0.95 * due, due - 1)


def tick(connection: Connection[Any], orders: int = 100, seed: int | None = None) -> TickSummary:
    """Let the shop live through ``orders`` new orders and what else happens meanwhile, as fast as it goes.

    Orders that were open before are advanced by one state at most; new ones are left as they are placed.

    Args:
        connection: to a database that `load` has filled; its current transaction is committed.
        orders: new orders, from 1 to 100,000.
        seed: of every choice; drawn when not given. The same seed on the same shop makes the same changes, but for
            the instants.

    Raises:
        LakeError: when an argument is out of range.
        SourceError: when the database refuses us or was not loaded.
        ServiceError: when a load or another tick is at work.
    """
    if not 1 <= orders <= MOST_ORDERS:
        raise LakeError(f"{orders} orders is not a number of new orders", f"give a number from 1 to {MOST_ORDERS:,}")
    summary = TickSummary(_seed(seed))
    with _at_work(connection):
        random = stream(summary.seed, "tick")
        with _transaction(connection) as cursor:
            plan = choose(cursor, orders, random)
        for kind in acts_of(plan, orders, summary.seed, random):
            for act in kind:
                _do(connection, act, summary)
    return summary


def live(
    connection: Connection[Any], rate: float, minutes: float, seed: int | None = None, stop: Event | None = None
) -> Lived:
    """Let the shop live at a steady rate of new orders, with what else happens spread evenly between them.

    Where the machine is too slow the acts follow each other without a pause, and those that are not done at the end
    are left out: it ends on time, with fewer orders than were asked for.

    Args:
        connection: as for `tick`.
        rate: new orders a second, up to 1,000.
        minutes: how long, up to a day.
        seed: as for `tick`, as far as it comes.
        stop: set, from another thread or a signal's handler, to end after the act that is under way.

    Raises:
        LakeError: when an argument is out of range.
        SourceError: when the database refuses us or was not loaded.
        ServiceError: when a load or another tick is at work.
    """
    if not 0 < rate <= HIGHEST_RATE:
        raise LakeError(f"{rate:g} orders a second is no rate", f"give more than 0 and at most {HIGHEST_RATE:,}")
    if not 0 < minutes <= LONGEST_MINUTES:
        raise LakeError(
            f"{minutes:g} minutes is no time to live", f"give more than 0 and at most {LONGEST_MINUTES:,} (a day)"
        )
    summary, stop = TickSummary(_seed(seed)), stop or Event()
    with _at_work(connection):
        began = time.monotonic()
        random, end, beat = stream(summary.seed, "tick"), minutes * 60, max(BEAT_SECONDS, 1 / rate)
        at, chosen = 0.0, 0
        while at < end and time.monotonic() - began < end and not stop.is_set():
            until = min(at + beat, end)
            orders = round(rate * until) - chosen
            with _transaction(connection) as cursor:
                plan = choose(cursor, orders, random)
            for due, act in spread(acts_of(plan, orders, summary.seed, random), at, until):
                if stop.wait(max(0.0, began + due - time.monotonic())) or time.monotonic() - began >= end:
                    break
                _do(connection, act, summary)
            at, chosen = until, chosen + orders
        stop.wait(max(0.0, began + end - time.monotonic()))
        return Lived(summary, time.monotonic() - began, rate)


def spread(kinds: list[list[Doing]], begin: float, end: float) -> list[tuple[float, Doing]]:
    """When each act is due between two instants: those of one kind at even distances, the kinds side by side."""
    timed = [
        (begin + (end - begin) * (number + 0.5) / len(kind), act) for kind in kinds for number, act in enumerate(kind)
    ]
    return sorted(timed, key=lambda entry: entry[0])


def _seed(given: int | None) -> int:
    if given is None:
        return secrets.randbelow(2**31)
    if given < 0:
        raise LakeError(f"seed {given} is negative", "give a whole number from 0 on")
    return given


@contextmanager
def _at_work(connection: Connection[Any]) -> Iterator[None]:
    """Nobody else changes the shop meanwhile but its own people, and it is there."""
    with speaking(connection), exclusive(connection):
        if not (marker(connection) or "").startswith(LOADED):
            raise SourceError(
                f"the shop on {connection.host}:{connection.port} has not been loaded", "run `lake shop load` first"
            )
        there = tables(connection)
        if missing := [table for table in TABLES if table not in there]:
            raise SourceError(
                f"the shop on {connection.host}:{connection.port} was loaded by an earlier release, and has no table "
                f"{missing[0]}",
                "load it anew: `lake shop load --replace`",
            )
        connection.commit()
        yield


@contextmanager
def _transaction(connection: Connection[Any]) -> Iterator[Any]:
    with connection.cursor() as cursor:
        yield cursor
    connection.commit()


def _do(connection: Connection[Any], act: Doing, summary: TickSummary) -> None:
    """One act, counted once it is committed."""
    with _transaction(connection) as cursor:
        done = act(cursor)
    summary.add(done)
