"""Several tables at a time in one Spark session: most of a small table's time is planning and round trips."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from graphlib import TopologicalSorter
from typing import TypeVar

Result = TypeVar("Result")

AT_ONCE = 4


def in_order(
    before: Mapping[str, Iterable[str]], work: Callable[[str], Result], at_once: int = AT_ONCE
) -> dict[str, Result]:
    """Call ``work`` for each name, several at a time, each after all that must come before it.

    Args:
        before: the names, each with those of them that must be done first.

    Raises:
        Exception: what ``work`` raised first; nothing new is begun then, and what was begun is waited for.
    """
    sorter = TopologicalSorter(before)
    sorter.prepare()
    results: dict[str, Result] = {}
    running: dict[Future[Result], str] = {}
    with ThreadPoolExecutor(max_workers=at_once) as pool:
        while sorter.is_active():
            running |= {pool.submit(work, name): name for name in sorter.get_ready()}
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                name = running.pop(future)
                try:
                    results[name] = future.result()
                except BaseException:
                    pool.shutdown(wait=True, cancel_futures=True)
                    raise
                sorter.done(name)
    return results
