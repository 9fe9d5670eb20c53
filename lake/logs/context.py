"""What a line is about, beside what it says: bound where it is known, and written with all that is logged there."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

from structlog.contextvars import bind_contextvars, bound_contextvars, get_contextvars

FIELDS = ("run", "source", "table", "task", "try", "trace_id")


def about(**fields: str | int | None) -> AbstractContextManager[None]:
    """Let every line that is logged in the block say what it is about; what is None or empty is left out.

    Args:
        fields: of `FIELDS`.
    """
    return bound_contextvars(**{name: value for name, value in fields.items() if value not in (None, "")})


def same_context() -> Callable[[], object]:
    """What a pool of threads calls in each of them, so that they log about what the thread is about that makes it.

    Of the standard library's own, a new thread knows nothing of its maker's context.
    """
    return partial(bind_contextvars, **get_contextvars())
