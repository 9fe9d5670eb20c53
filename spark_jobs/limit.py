"""How long the Spark work of a task may take. A query that never ends would hold up every run after it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, Self

from opentelemetry import trace

from lake.errors import SparkTimeoutError
from lake.tracing import Several

log = logging.getLogger(__name__)

GRACE_SECONDS = 20.0
"""How long Spark has to end what it was told to end."""


class Limit:
    """Ends the work of a session that takes too long, and says which tables it was at.

    A job is ended by Spark when it is asked to. What Spark does before there is a job (the optimizer may never come to
    an end either) does not listen; then the session's connection is closed, so that at least nobody waits for it.

    Each thing that it is at has a span, below that which is open at the end of the block.

    Args:
        spark: the session; of no use any more when the limit was exceeded.
        seconds: for everything inside the ``with`` block.

    Raises:
        SparkTimeoutError: at the end of the block, in place of what the interrupted work raised.
    """

    def __init__(self, spark: Any, seconds: float, grace_seconds: float = GRACE_SECONDS) -> None:
        self._spark = spark
        self._seconds = seconds
        self._grace_seconds = grace_seconds
        self._under_way: dict[str, float] = {}
        self._exceeded_by: dict[str, float] | None = None
        self._ended = threading.Event()
        self._traced = Several(service="spark")
        self._watch = threading.Thread(target=self._end_at_limit, name="spark-limit", daemon=True)

    def __enter__(self) -> Self:
        self._watch.start()
        return self

    @contextmanager
    def at(self, name: str) -> Iterator[dict[str, Any]]:
        """Name what is being worked on. What is put into the dictionary that this gives, its span says."""
        self._under_way[name] = time.monotonic()
        try:
            with self._traced.one(name) as said:
                yield said
        finally:
            # What was under way at the limit is what is to be named, not what is left when all was interrupted.
            self._under_way.pop(name, None)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._ended.set()
        self._traced.emit(trace.get_current_span())
        if error is not None and self._exceeded_by is not None:
            raise self._described() from error

    def _end_at_limit(self) -> None:
        if self._ended.wait(self._seconds):
            return
        now = time.monotonic()
        self._exceeded_by = {name: now - begun for name, begun in list(self._under_way.items())}
        log.error("%s", self._described().what)
        # In a thread of its own: a server that is away does not answer this either.
        threading.Thread(target=self._interrupt, name="spark-interrupt", daemon=True).start()
        if not self._ended.wait(self._grace_seconds):
            self._spark.client.close()

    def _interrupt(self) -> None:
        with suppress(Exception):  # whatever it says, the connection is closed after the grace
            self._spark.interruptAll()

    def _described(self) -> SparkTimeoutError:
        tables = ", ".join(f"{name} (for {_told(seconds)})" for name, seconds in (self._exceeded_by or {}).items())
        return SparkTimeoutError(
            f"Spark was not done after {_told(self._seconds)} and was interrupted; it was at {tables or 'no table'}",
            "look at Spark's page and at `lake logs spark`. Where the work is simply large, set "
            "LAKE_SPARK_TIMEOUT_SECONDS; where Spark keeps a core busy although nothing runs, end it by `lake down` "
            "and `lake up`",
        )


def _told(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
