"""Spans of many things of one kind, such as the tables of a run: those that took longest, and the others counted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from lake.tracing import names, spans
from lake.tracing.spans import LONGEST_MESSAGE, Attributes, granted, known, leave_out, span

MOST_OF_A_KIND = 50
"""Tables, models or groups of which each has a span of its own below one other."""

SHORTEST_SECONDS = 0.001
QUIET_SECONDS = 1.0
"""From which on a thing is told of for which there was nothing to do."""


@dataclass
class _One:
    name: str
    started: int
    ended: int
    seconds: float
    attributes: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    is_quiet: bool = False

    @property
    def is_told(self) -> bool:
        """Whether it is worth a span: it did something, took its time or failed."""
        least = QUIET_SECONDS if self.is_quiet else SHORTEST_SECONDS
        return bool(self.error or self.seconds >= least)


class Several:
    """Measures things of one kind, in any thread; what is told twice of the same name is one thing.

    Args:
        service: who does the work, if it is not this process.
    """

    def __init__(self, service: str = "") -> None:
        self._service = service
        self._found: dict[str, _One] = {}
        self._lock = Lock()

    @contextmanager
    def one(self, name: str, attributes: Attributes | None = None) -> Iterator[dict[str, Any]]:
        """Measure what is done in the block; more attributes can be put into what it gives."""
        said, started, error = known(attributes), time.time_ns(), ""
        try:
            yield said
        except BaseException as raised:
            error = f"{type(raised).__name__}: {raised}"[:LONGEST_MESSAGE]
            raise
        finally:
            self.add(name, started, time.time_ns(), said, error)

    def add(self, name: str, started: int, ended: int, attributes: Attributes | None = None, error: str = "") -> None:
        """Tell of something that was done.

        Args:
            started, ended: in nanoseconds since 1970.
            error: what it ended with.
        """
        with self._lock:
            one = self._found.setdefault(name, _One(name, started, ended, 0.0))
            one.started, one.ended = min(one.started, started), max(one.ended, ended)
            one.seconds += (ended - started) / 1e9
            one.attributes |= known(attributes)
            one.error = one.error or error

    def note(self, name: str, attributes: Attributes, is_quiet: bool = False) -> None:
        """Say more of something that was measured.

        Args:
            is_quiet: there was nothing to do for it: it is counted, unless it took `QUIET_SECONDS`.
        """
        with self._lock:
            if one := self._found.get(name):
                one.attributes |= known(attributes)
                one.is_quiet = is_quiet

    def emit(self, parent: Span) -> None:
        """Let the longest ones, and those that failed, become spans below one; the others are counted in it."""
        if not parent.is_recording():
            return
        ranked = sorted(self._found.values(), key=lambda one: (bool(one.error), one.is_told, one.seconds), reverse=True)
        most = granted(parent, min(MOST_OF_A_KIND, sum(one.is_told for one in ranked)))
        where = trace.set_span_in_context(parent)
        kind = SpanKind.CLIENT if self._service else SpanKind.INTERNAL
        more = {names.SERVICE: self._service} if self._service else {}
        for one in ranked[:most]:
            busy = {} if _is_all(one) else {names.BUSY_SECONDS: round(one.seconds, 3)}
            begun = spans.tracer.start_span(
                one.name, where, kind=kind, attributes={**one.attributes, **busy, **more}, start_time=one.started
            )
            if one.error:
                begun.set_attribute(names.ERROR, one.error.partition(":")[0])
                begun.set_status(Status(StatusCode.ERROR, one.error))
            begun.end(one.ended)
        if rest := ranked[most:]:
            leave_out(parent, len(rest), sum(one.seconds for one in rest))


def _is_all(one: _One) -> bool:
    """Whether it was worked on from its beginning to its end, by one at a time."""
    whole = (one.ended - one.started) / 1e9
    return abs(whole - one.seconds) < 0.001


@contextmanager
def several(name: str, attributes: Attributes | None = None, service: str = "") -> Iterator[Several]:
    """A span, below which those of several things stand when the block ends, however it does.

    Args:
        service: who does the work on each of them.
    """
    found = Several(service)
    with span(name, attributes) as around:
        try:
            yield found
        finally:
            found.emit(around)
