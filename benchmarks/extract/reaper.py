"""Runs one command and tells what it and everything below it cost. In a process of its own: `process.py` starts it.

It adopts what its descendants leave behind (Spark's Java machine outlives the Python that started it) and waits for
all of them, so that the CPU seconds are exact and no process stays. Memory is the sum over the living processes,
looked at 50 times a second, or the largest single one's own high-water mark if that is more.

    python reaper.py RESULT_JSON COMMAND...
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path

INTERVAL_SECONDS = 0.02
PR_SET_CHILD_SUBREAPER = 36


def main(result: Path, command: list[str]) -> None:
    """Run the command, then write ``wall_s``, ``client_cpu_s``, ``peak_mb`` and ``exit_code``."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")
    peak, ended = [0], threading.Event()
    watcher = threading.Thread(target=_watch, args=(peak, ended), daemon=True)
    began = time.monotonic()
    process = subprocess.Popen(command)
    watcher.start()
    code = process.wait()
    wall = time.monotonic() - began
    _wait_for_orphans()
    ended.set()
    watcher.join()
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    figures = {
        "wall_s": wall,
        "client_cpu_s": usage.ru_utime + usage.ru_stime,
        "peak_mb": max(peak[0], usage.ru_maxrss * 1024) / 1e6,
        "exit_code": code,
    }
    result.write_text(json.dumps(figures))


def _wait_for_orphans() -> None:
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _watch(peak: list[int], ended: threading.Event) -> None:
    page = os.sysconf("SC_PAGE_SIZE")
    while not ended.wait(INTERVAL_SECONDS):
        total = 0
        for pid in _below(os.getpid()):
            try:
                total += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * page
            except (OSError, IndexError):
                continue
        peak[0] = max(peak[0], total)


def _below(pid: int) -> list[int]:
    found = []
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []
    for task in tasks:
        try:
            children = Path(f"/proc/{pid}/task/{task}/children").read_text().split()
        except OSError:
            continue
        for child in map(int, children):
            found += [child, *_below(child)]
    return found


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
