"""What every reader of the benchmark is told, and how its cost is printed."""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Job:
    """One reading.

    Attributes:
        host, port, user, password: of the server.
        database, table: whose changes are wanted; the key is ``id``.
        start, end: places, as file and offset.
        gtid: the transactions before the start, on MySQL.
        rows: that are to be found.
    """

    host: str
    port: int
    user: str
    password: str
    database: str
    table: str
    start: tuple[str, int]
    end: tuple[str, int]
    gtid: str
    rows: int

    @classmethod
    def given(cls) -> Job:
        """As the benchmark passes it on."""
        value: dict[str, Any] = json.loads(os.environ["BINLOG_JOB"])
        return cls(**{**value, "start": tuple(value["start"]), "end": tuple(value["end"])})

    @property
    def login(self) -> dict[str, Any]:
        """Arguments of ``pymysql.connect``."""
        return {"host": self.host, "port": self.port, "user": self.user, "password": self.password}


@contextmanager
def timed(rows: int) -> Iterator[None]:
    """Print what the block costs: seconds of the process and its children, without its imports, and its memory."""
    wall, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    yield
    cost = {"rows": rows, "wall_s": time.perf_counter() - wall, "cpu_s": 0.0}
    for then, who in ((before, resource.RUSAGE_SELF), (children, resource.RUSAGE_CHILDREN)):
        now = resource.getrusage(who)
        cost["cpu_s"] += now.ru_utime + now.ru_stime - then.ru_utime - then.ru_stime
    json.dump({**cost, "peak_mb": _peak_mb()}, sys.stdout)


def _peak_mb() -> float:
    """Of this process alone. What `getrusage` calls its peak is that of whoever started it."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    return 0.0
