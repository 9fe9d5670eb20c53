"""Spans that are open while something is done."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Lock
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import INVALID_SPAN, Span, SpanKind, Status, StatusCode

from lake.tracing import names

SCOPE = "lake"
"""What our tracer is called, by which our spans are told from Airflow's."""

MOST_SPANS = 300
"""That a process begins in one trace; a task is a process. What is more is counted in the span around it."""

LONGEST_MESSAGE = 500
"""Characters of an error."""

Attributes = Mapping[str, str | int | float | bool | None]

tracer = trace.get_tracer(SCOPE)


@contextmanager
def span(name: str, attributes: Attributes | None = None, service: str = "") -> Iterator[Span]:
    """A span for the length of the block; an error that leaves the block is said in it.

    Args:
        attributes: by `names`; those that are None are left out.
        service: who does the work, if it is not this process.
    """
    parent = trace.get_current_span()
    if not granted(parent, 1):
        leave_out(parent)
        yield INVALID_SPAN
        return
    given = known(attributes) | ({names.SERVICE: service} if service else {})
    kind = SpanKind.CLIENT if service else SpanKind.INTERNAL
    with tracer.start_as_current_span(
        name, kind=kind, attributes=given, record_exception=False, set_status_on_exception=False
    ) as begun:
        try:
            yield begun
        except BaseException as error:
            failed(begun, error)
            raise


def is_on() -> bool:
    """Whether anybody would see a span that is begun now: for who would have to work for what it says."""
    return trace.get_current_span().is_recording()


def note(attributes: Attributes) -> None:
    """Say more in the span that is open; what is None is left out."""
    trace.get_current_span().set_attributes(known(attributes))


def granted(parent: Span, wanted: int) -> int:
    """How many of some spans may be begun below one; none where nothing is traced."""
    return _budget.take(parent.get_span_context().trace_id, wanted) if parent.is_recording() else 0


def known(attributes: Attributes | None) -> dict[str, Any]:
    """Attributes without those that are None."""
    return {name: value for name, value in (attributes or {}).items() if value is not None}


def failed(span: Span, error: BaseException) -> None:
    """Let a span say what it ended with."""
    span.set_attribute(names.ERROR, type(error).__name__)
    span.set_status(Status(StatusCode.ERROR, f"{type(error).__name__}: {error}"[:LONGEST_MESSAGE]))


def leave_out(parent: Span, count: int = 1, seconds: float = 0.0) -> None:
    """Count in a span what does not stand below it."""
    if not parent.is_recording():
        return
    with _counting:
        said: Mapping[str, Any] = getattr(parent, "attributes", None) or {}
        parent.set_attribute(names.LEFT_OUT, int(said.get(names.LEFT_OUT, 0)) + count)
        if seconds:
            total = float(said.get(names.LEFT_OUT_SECONDS, 0.0)) + seconds
            parent.set_attribute(names.LEFT_OUT_SECONDS, round(total, 3))


_counting = Lock()


class _Budget:
    """Counts the spans that this process has begun, by trace; of the last few traces, for one process may work in
    several."""

    TRACES = 64

    def __init__(self) -> None:
        self._begun: OrderedDict[int, int] = OrderedDict()
        self._lock = Lock()

    def take(self, trace_id: int, wanted: int) -> int:
        """How many of some spans may still be begun in a trace; they count as begun."""
        with self._lock:
            begun = self._begun.pop(trace_id, 0)
            given = max(min(wanted, MOST_SPANS - begun), 0)
            self._begun[trace_id] = begun + given
            if len(self._begun) > self.TRACES:
                self._begun.popitem(last=False)
        return given


_budget = _Budget()
