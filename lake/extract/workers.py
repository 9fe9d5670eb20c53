"""Works a list of jobs off over several connections, the largest first."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

from pymysql.connections import Connection

from lake import logs
from lake.extract.pace import LOOK_SECONDS, Pace
from lake.source.failures import errors
from lake.source.sources import Source


@dataclass(frozen=True)
class Job:
    """Something to read: how large it may be, and what does it on a connection and returns the bytes that it read."""

    size: int
    run: Callable[[Connection[Any]], int]


def work_off(origin: Source, jobs: Sequence[Job], connections: Sequence[Connection[Any]], pace: Pace) -> None:
    """Do every job, each connection in a thread of its own, as fast as the source's health allows.

    Raises:
        LakeError: of the job that failed first; what was begun is waited for, nothing new is begun.
    """
    waiting = deque(sorted(jobs, key=lambda job: -job.size))
    stop = threading.Event()

    def work(number: int) -> None:
        connection = connections[number]
        try:
            with errors(origin):
                while waiting and not stop.is_set():
                    if not pace.may_go_on(connection, number):
                        stop.wait(LOOK_SECONDS)
                        continue
                    try:
                        job = waiting.popleft()
                    except IndexError:
                        return
                    pace.took(job.run(connection))
        except BaseException:
            stop.set()
            raise

    with ThreadPoolExecutor(len(connections), "extract", initializer=logs.same_context()) as pool:
        futures = [pool.submit(work, number) for number in range(len(connections))]
        wait(futures, return_when=FIRST_EXCEPTION)
    for future in futures:
        future.result()
