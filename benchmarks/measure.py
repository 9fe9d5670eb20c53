"""CPU and memory of process trees, and how much of a run was work.

CPU is exact where it can be: a process's own seconds plus those of the children that it has reaped, before and after.
Memory is sampled, so a peak shorter than the interval is missed. Both are read from /proc, without rights of root.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import psutil

TREE_INTERVAL_SECONDS = 3.0
"""Adding up the pages of a JVM costs the kernel milliseconds, so the whole platform is looked at seldom."""

TASK_INTERVAL_SECONDS = 0.5
SOURCES = ("mariadb", "mysql")
"""What the names of the shop's servers begin with."""

AIRFLOW_TASK = re.compile(r"airflow worker -- ([0-9a-f]{8}-[0-9a-f-]{27})$")
"""How Airflow titles the process that runs a task: with the task instance's id."""


@dataclass(frozen=True)
class TaskTime:
    """One task instance: its wall seconds, and the peak memory of its process in bytes (0: ended between samples)."""

    name: str
    seconds: float
    peak_bytes: int


@dataclass(frozen=True)
class Phase:
    """What one run cost.

    Attributes:
        wall_seconds: from the request to the end.
        cpu_seconds: of everything that took part, the shop's servers included.
        cpu_by_service: the same, split; what the peer's own processes used is called ``peer``.
        peak_bytes: highest sum of all processes at one instant; a page that several share counts once.
        peak_by_service: highest of each; not of one instant, so they add up to more.
        steps: wall seconds of the parts that the run tells of itself.
        tasks: Airflow's task instances in the order of their start.
        orchestration_share: share of the wall time in which no task was running.
        observer_cpu_seconds: what looking at the memory cost; not part of ``cpu_seconds``, but on the same machine.
    """

    name: str
    wall_seconds: float
    cpu_seconds: float
    cpu_by_service: dict[str, float]
    peak_bytes: int
    peak_by_service: dict[str, int]
    steps: dict[str, float] = field(default_factory=dict)
    tasks: list[TaskTime] = field(default_factory=list)
    orchestration_share: float | None = None
    observer_cpu_seconds: float = 0.0

    @property
    def source_cpu_seconds(self) -> float:
        """What the shop's servers cost."""
        return sum(seconds for name, seconds in self.cpu_by_service.items() if name.startswith(SOURCES))

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {**asdict(self), "source_cpu_seconds": self.source_cpu_seconds}


# -- arithmetic
def covered_seconds(intervals: Iterable[tuple[datetime, datetime]]) -> float:
    """Length of the union of intervals: time in which at least one was running."""
    total, end = 0.0, None
    for begun, ended in sorted(intervals):
        if end is None or begun > end:
            total += (ended - begun).total_seconds()
            end = ended
        elif ended > end:
            total += (ended - end).total_seconds()
            end = ended
    return total


def orchestration_share(wall_seconds: float, intervals: Iterable[tuple[datetime, datetime]]) -> float:
    """Share of the wall time, 0 to 1, in which nothing was running."""
    if wall_seconds <= 0:
        return 0.0
    return min(1.0, max(0.0, 1 - covered_seconds(intervals) / wall_seconds))


def spent(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """CPU seconds per service between two readings; one that was restarted in between counts from its start."""
    return {
        name: seconds - before.get(name, 0.0) if seconds >= before.get(name, 0.0) else seconds
        for name, seconds in after.items()
    }


def ratio(ours: float, theirs: float) -> float | None:
    """How many times theirs ours is; None where theirs is nothing."""
    return ours / theirs if theirs else None


def task_id(command: str) -> str | None:
    """Id of the task instance that a process with this command line runs; None for every other process."""
    found = AIRFLOW_TASK.search(command.strip())
    return found.group(1) if found else None


# -- /proc
def tree(pid: int) -> list[psutil.Process]:
    """A process and all below it; nothing when it is gone."""
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def cpu_seconds(pid: int) -> float:
    """CPU that a process tree has used so far, with that of its members that have ended and were waited for."""
    total = 0.0
    for process in tree(pid):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def shared_once_bytes(process: psutil.Process) -> int:
    """Memory of a process with its part of shared pages (PSS); all of them (RSS) where the kernel does not tell us."""
    try:
        return int(process.memory_full_info().pss)
    except psutil.AccessDenied:
        return int(process.memory_info().rss)


def tree_bytes(pid: int) -> int:
    """Memory of a process tree."""
    total = 0
    for process in tree(pid):
        try:
            total += shared_once_bytes(process)
        except psutil.NoSuchProcess:
            continue
    return total


def task_bytes(scheduler_pid: int) -> dict[str, int]:
    """Memory (RSS) of each task that the scheduler's workers run now, with its children, by the task instance's id."""
    found: dict[str, int] = {}
    for process in tree(scheduler_pid):
        try:
            if identity := task_id(" ".join(process.cmdline())):
                members = [process, *process.children(recursive=True)]
                found[identity] = sum(member.memory_info().rss for member in members)
        except psutil.NoSuchProcess:
            continue
    return found


class Sampler:
    """Watches process trees in a thread for the length of a ``with`` block.

    Args:
        pids: answers the root process of each service; asked at every sample, so a restart is followed.
        tasks_below: name of the service whose process tree runs Airflow's tasks.
        interval_seconds: between two looks at the trees' memory.
    """

    def __init__(
        self,
        pids: Callable[[], Mapping[str, int]],
        tasks_below: str | None = None,
        interval_seconds: float = TREE_INTERVAL_SECONDS,
    ) -> None:
        self._pids, self._tasks_below, self._interval = pids, tasks_below, interval_seconds
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="sampler", daemon=True)
        self.cpu_by_service: dict[str, float] = {}
        self.peak_by_service: dict[str, int] = {}
        self.peak_by_task: dict[str, int] = {}
        self.peak_bytes = 0
        self.observer_cpu_seconds = 0.0

    def __enter__(self) -> Self:
        self._before = self._cpu()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cpu_by_service = spent(self._before, self._cpu())
        self._end.set()
        self._thread.join()

    def _cpu(self) -> dict[str, float]:
        return {name: cpu_seconds(pid) for name, pid in self._pids().items()}

    def _watch(self) -> None:
        next_look = time.monotonic()
        pids = dict(self._pids())
        while True:
            if time.monotonic() >= next_look:
                pids = dict(self._pids())
                sizes = {name: tree_bytes(pid) for name, pid in pids.items()}
                self.peak_bytes = max(self.peak_bytes, sum(sizes.values()))
                _raise_peaks(self.peak_by_service, sizes)
                next_look = time.monotonic() + self._interval
            if self._tasks_below in pids:
                _raise_peaks(self.peak_by_task, task_bytes(pids[self._tasks_below]))
            if self._end.wait(min(TASK_INTERVAL_SECONDS, self._interval)):
                self.observer_cpu_seconds = time.thread_time()
                return


def _raise_peaks(peaks: dict[str, int], sizes: Mapping[str, int]) -> None:
    for name, size in sizes.items():
        peaks[name] = max(peaks.get(name, 0), size)
