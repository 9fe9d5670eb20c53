"""Whether the sources answer, and how far they are behind their primaries.

What a replica says of its lag is what it knows: nothing while it receives nothing, and nothing at all once it stands.
Where the primary is known as well, which it is of the shop's, both are asked for their GTIDs. Then the lag is known in
transactions, and it is seen since when the primary has had what the replica has not: at least as long is the lag.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from pymysql.connections import Connection

from lake.errors import SourceError
from lake.observe.metrics import LAG, LAG_TRANSACTIONS, RUNNING, SOURCE_UP, Sample
from lake.settings import settings
from lake.source import client, sources
from lake.source.detection import detect
from lake.source.dialect import Dialect, Replication
from lake.source.sources import Source

log = logging.getLogger(__name__)

REPLY_SECONDS = 5
ASKED_AT_ONCE = 8
REMEMBERED = 10_000
"""Places of a primary, one a collection: more than a day."""


class Progress:
    """How many transactions a primary had committed, and when; so that it is known since when one is missing."""

    def __init__(self) -> None:
        self._places: deque[tuple[float, int]] = deque(maxlen=REMEMBERED)

    def note(self, at: float, committed: int) -> None:
        """Note how many transactions the primary has committed at an instant."""
        if self._places and committed < self._places[-1][1]:
            self._places.clear()  # it is another one, or was made anew
        if not self._places or committed > self._places[-1][1]:
            self._places.append((at, committed))

    def missing_since(self, not_applied: int) -> float | None:
        """Since when at the latest the primary has had something that its replica has not applied.

        Args:
            not_applied: how many transactions that are; the newest ones, since a replica applies them in order.
        """
        if not not_applied or not self._places:
            return None
        applied = self._places[-1][1] - not_applied
        return next(at for at, committed in self._places if committed > applied)


@dataclass(frozen=True)
class Behind:
    """How far a replica is behind.

    Attributes:
        seconds: None where nobody can say.
        transactions: None likewise.
    """

    seconds: float | None
    transactions: int | None


class Replications:
    """Asks all sources at once. One that is away is said to be, and keeps nothing of the others back."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._progress: dict[str, Progress] = {}

    def collect(self) -> list[Sample]:
        """How the sources are.

        Raises:
            SourceError: the list of sources cannot be read.
        """
        known = list(sources.known().values())
        with ThreadPoolExecutor(ASKED_AT_ONCE, thread_name_prefix="sources") as pool:
            return [sample for found in pool.map(self.of_source, known) for sample in found]

    def of_source(self, source: Source, primary: Source | None = None) -> list[Sample]:
        """How one source is.

        Args:
            primary: that it follows; by default what the settings say of it.
        """
        try:
            with client.connected(source, REPLY_SECONDS) as connection:
                dialect = detect(connection)
                states = dialect.replication(connection)
                found = [SOURCE_UP(1, source.name)]
                if states:
                    found += _threads(source.name, states)
                    committed = self._committed(primary or primary_of(source))
                    found += _lag(source.name, self._behind(source.name, connection, dialect, states, committed))
                return found
        except SourceError as error:
            log.debug("%s", error)
            return [SOURCE_UP(0, source.name)]

    def _behind(
        self,
        name: str,
        connection: Connection[Any],
        dialect: Dialect,
        states: list[Replication],
        committed: tuple[float, str] | None,
    ) -> Behind:
        said = [state.lag_seconds for state in states]
        seconds = None if None in said else max(lag for lag in said if lag is not None)
        if committed is None:
            received = [state.received for state in states if state.received]
            left = sum(dialect.not_applied(connection, gtids) for gtids in received) if received else None
            return Behind(seconds, left)
        at, gtids = committed
        progress = self._progress.setdefault(name, Progress())
        progress.note(at, dialect.transactions(gtids))
        not_applied = dialect.not_applied(connection, gtids)
        since = progress.missing_since(not_applied)
        if since is not None:
            return Behind(max(seconds or 0.0, self._clock() - since), not_applied)
        # It has applied all that the primary had a moment ago, whatever it says, and whether or not it stands.
        return Behind(0.0, 0)

    def _committed(self, primary: Source | None) -> tuple[float, str] | None:
        """What a primary has committed, and when it had; None where there is none to ask, or it does not answer."""
        if primary is None:
            return None
        at = self._clock()
        try:
            with client.connected(primary, REPLY_SECONDS) as connection:
                gtids = detect(connection).committed(connection)
        except SourceError as error:
            log.debug("%s", error)
            return None
        return (at, gtids) if gtids else None


def primary_of(source: Source) -> Source | None:
    """The primary that a source follows, as far as the settings know it: of the shop. Others are not asked unbidden."""
    config = settings()
    is_shop = source.name == config.source_name
    is_apart = (config.shop_host, config.shop_port) != (source.host, source.port)
    return replace(source, host=config.shop_host, port=config.shop_port) if is_shop and is_apart else None


def _threads(name: str, states: list[Replication]) -> Iterator[Sample]:
    """A replica of several primaries is at work where all of its threads are."""
    yield RUNNING(all(state.is_receiving for state in states), name, "io")
    yield RUNNING(all(state.is_applying for state in states), name, "sql")


def _lag(name: str, behind: Behind) -> Iterator[Sample]:
    if behind.seconds is not None:
        yield LAG(behind.seconds, name)
    if behind.transactions is not None:
        yield LAG_TRANSACTIONS(behind.transactions, name)
