"""A collector finds the values of some metrics, again and again, in a thread of its own.

A scrape only shows what was found last. So it costs the same whatever there is to ask, and a service that does not
answer keeps nobody waiting. One that fails or hangs takes no other collector with it, and its values do not outlive
their time: what is old must not look fresh.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from lake.observe.metrics import COLLECT_SECONDS, COLLECTED, COLLECTOR_UP, Sample

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Collector:
    """How the values of some metrics are found.

    Attributes:
        name: unique, for the metrics that tell how it fares.
        collect: finds them; raises where it cannot. What it asks must have time limits of its own.
        every_seconds: pause between two collections.
        limit_seconds: after which a collection that is under way counts as hanging.
    """

    name: str
    collect: Callable[[], Iterable[Sample]]
    every_seconds: float
    limit_seconds: float = 60.0

    @property
    def keeps_seconds(self) -> float:
        """How long values are shown that no later collection has confirmed: two may fail in between."""
        return 3 * self.every_seconds + self.limit_seconds


@dataclass(frozen=True)
class _Found:
    samples: tuple[Sample, ...]
    at: float


class Observer:
    """A collector at work, and what it has found.

    Args:
        clock: Unix time in seconds; another one in tests.
    """

    def __init__(self, collector: Collector, clock: Callable[[], float] = time.time) -> None:
        self.collector = collector
        self._clock = clock
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"collect-{collector.name}", daemon=True)
        self._began: float | None = None
        self._last_seconds: float | None = None
        self._is_up = False
        self._found: _Found | None = None

    def start(self) -> None:
        """Begin to collect."""
        self._thread.start()

    def stop(self) -> None:
        """Begin no further collection. One that is under way ends with the process."""
        self._stopped.set()

    @property
    def is_alive(self) -> bool:
        """Whether its thread lives."""
        return self._thread.is_alive()

    @property
    def has_answered(self) -> bool:
        """Whether a collection came to an end, well or not, or the first one hangs: there is no more to wait for."""
        return self._last_seconds is not None or self._hangs(self._clock())

    def samples(self) -> list[Sample]:
        """What is known now, and how the collector fares."""
        now, name = self._clock(), self.collector.name
        found, began, last = self._found, self._began, self._last_seconds
        seconds = max(last or 0.0, now - began if began is not None else 0.0)
        told = [
            COLLECTOR_UP(self._is_up and not self._hangs(now), name),
            COLLECT_SECONDS(seconds, name),
        ]
        if found is None or now - found.at > self.collector.keeps_seconds:
            return told
        return [*told, COLLECTED(found.at, name), *found.samples]

    def collect(self) -> None:
        """Collect once. Nothing is raised: whatever fails, the other collectors go on."""
        self._began = began = self._clock()
        try:
            self._found = _Found(tuple(self.collector.collect()), began)
        except Exception as error:  # clients fail as their libraries please, and every failure means the same here
            if self._is_up or self._last_seconds is None:
                log.warning("%s: nothing can be found: %s: %s", self.collector.name, type(error).__name__, error)
            self._is_up = False
        else:
            if not self._is_up and self._last_seconds is not None:
                log.info("%s: values are found again", self.collector.name)
            self._is_up = True
        self._last_seconds = self._clock() - began
        self._began = None

    def _hangs(self, now: float) -> bool:
        return self._began is not None and now - self._began > self.collector.limit_seconds

    def _run(self) -> None:
        while not self._stopped.is_set():
            self.collect()
            self._stopped.wait(self.collector.every_seconds)
