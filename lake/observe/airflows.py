"""A session with Airflow that lasts over many collections: to log in costs Airflow more than a question does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lake.platform.airflow import Airflow

RENEWED_SECONDS = 1800.0
"""Its token is valid for a day by Airflow's default."""


class Sessions:
    """One session at a time, for one thread."""

    def __init__(self, open: Callable[[], Airflow] = Airflow, clock: Callable[[], float] = time.monotonic) -> None:
        self._open, self._clock = open, clock
        self._held: tuple[float, Airflow] | None = None

    @contextmanager
    def session(self) -> Iterator[Airflow]:
        """The session. After a failure in the block the next one is another."""
        held, self._held = self._held, None
        if held is None or self._clock() - held[0] > RENEWED_SECONDS:
            held = self._clock(), self._open()
        yield held[1]
        self._held = held
