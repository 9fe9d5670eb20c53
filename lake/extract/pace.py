"""How hard the source may be read: the shop comes first.

All connections read while the source is well. When its replica falls behind, or many of its threads are busy, all but
one wait. A rate limit holds for all of them together.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any

from pymysql.connections import Connection

from lake.errors import SourceError
from lake.extract.chunks import BYTES_PER_CHUNK
from lake.settings import settings
from lake.source.client import fetch
from lake.source.dialect import Dialect

LOOK_SECONDS = 5.0
"""How old an observation of the source's health may be."""


@dataclass(frozen=True)
class Health:
    """How the source does.

    Attributes:
        lag_seconds: how far a replica is behind; nothing where there is no replication.
        threads_running: statements that are being executed, ours among them.
    """

    lag_seconds: float | None
    threads_running: int

    def __str__(self) -> str:
        lag = "" if self.lag_seconds is None else f"{self.lag_seconds:.0f} s behind, "
        return f"{lag}{self.threads_running} threads running"

    @property
    def is_strained(self) -> bool:
        """Whether it is worse than the settings allow."""
        config = settings()
        return self.threads_running > config.source_max_threads_running or (
            self.lag_seconds is not None and self.lag_seconds > config.source_max_lag_seconds
        )


def look(dialect: Dialect, connection: Connection[Any]) -> Health:
    """The source's health now; what the user may not see counts as well."""
    status = fetch(connection, "SHOW GLOBAL STATUS LIKE 'Threads_running'")
    lags = [state.lag_seconds for state in dialect.replication(connection) or ()]
    known = [lag for lag in lags if lag is not None]
    return Health(max(known, default=None), int(status[0]["value"]) if status else 0)


class Pace:
    """Shared by the threads of one extraction, or of another work that reads the source.

    Args:
        per_second: what may be read, in whatever the jobs count: an extraction counts bytes.
        patience_seconds: of a work that can wait: all of it rests while the source is strained, and is given up when
            that has lasted so long. None for work that has to go on, over one connection at least.
    """

    def __init__(self, dialect: Dialect, per_second: int | None = None, patience_seconds: float | None = None) -> None:
        self._dialect = dialect
        self._limit = per_second
        self._patience = patience_seconds
        self._strained_since: float | None = None
        self._lock = threading.Lock()
        self._free_at = time.monotonic()
        self._health: tuple[float, Health] | None = None

    @property
    def chunk_bytes(self) -> int:
        """How large a chunk may be: small enough that a limited rate is kept within about two seconds."""
        return min(BYTES_PER_CHUNK, max(2 * self._limit, 1 << 20)) if self._limit else BYTES_PER_CHUNK

    def may_go_on(self, connection: Connection[Any], worker: int) -> bool:
        """Whether a worker may take its next chunk; the first one always may, or nothing would ever end.

        Raises:
            SourceError: the source was strained for longer than this work may wait.
        """
        if worker == 0 and self._patience is None:
            return True
        with self._lock:
            if self._health is None or time.monotonic() - self._health[0] > LOOK_SECONDS:
                self._health = (time.monotonic(), look(self._dialect, connection))
            looked_at, health = self._health
            if not health.is_strained:
                self._strained_since = None
                return True
            self._strained_since = self._strained_since or looked_at
            if self._patience is not None and time.monotonic() - self._strained_since > self._patience:
                raise SourceError(
                    f"the source was strained for {self._patience:.0f} s: {health}",
                    "try again when it has less to do; LAKE_SOURCE_MAX_LAG_SECONDS and "
                    "LAKE_SOURCE_MAX_THREADS_RUNNING say what it may have",
                )
            return False

    def took(self, size: int) -> None:
        """Wait until the rate limit allows what was just read, counted over all threads."""
        if not self._limit:
            return
        with self._lock:
            self._free_at = max(self._free_at, time.monotonic()) + size / self._limit
            wait = self._free_at - time.monotonic()
        if wait > 0:
            time.sleep(wait)
