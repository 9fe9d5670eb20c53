"""What a line is about, beside what it says: bound where it is known, and written with all that is logged there."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

from opentelemetry import context, trace
from structlog.contextvars import bind_contextvars, bound_contextvars, get_contextvars

FIELDS = ("run", "source", "table", "task", "try", "trace_id")


def about(**fields: str | int | None) -> AbstractContextManager[None]:
    """Let every line that is logged in the block say what it is about; what is None or empty is left out.

    Args:
        fields: of `FIELDS`.
    """
    return bound_contextvars(**{name: value for name, value in fields.items() if value not in (None, "")})


def same_context() -> Callable[[], object]:
    """What a pool of threads calls in each of them, so that they log about what the thread is about that makes it, and
    their spans stand below its span.

    Of the standard library's own, a new thread knows nothing of its maker's context.
    """
    return partial(_take_over, get_contextvars(), context.get_current())


def _take_over(fields: dict[str, Any], spans: context.Context) -> None:
    bind_contextvars(**fields)
    context.attach(spans)


def trace_id() -> str:
    """Id of the trace that this process works in, 32 hexadecimal digits; empty where there is none, or none is kept."""
    here = trace.get_current_span().get_span_context()
    return trace.format_trace_id(here.trace_id) if here.is_valid and here.trace_flags.sampled else ""
