"""Works off what depends on each other: several at a time, each after all that must come before it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from graphlib import TopologicalSorter
from typing import TypeVar

from lake import logs

Result = TypeVar("Result")


def in_order(
    before: Mapping[str, Iterable[str]],
    work: Callable[[str], Result],
    at_once: int,
    give_up: Callable[[], None] = lambda: None,
) -> dict[str, Result]:
    """Call ``work`` for each name, each call in a thread.

    Args:
        before: the names, each with those of them that must be done first.
        at_once: how many calls there are at a time, at most.
        give_up: called when a call has failed, or a person interrupts, before the calls that go on are waited for.

    Returns:
        What ``work`` returned, by name.

    Raises:
        Exception: what ``work`` raised first; nothing new is begun then, and what was begun is waited for.
    """
    sorter = TopologicalSorter(before)
    sorter.prepare()
    results: dict[str, Result] = {}
    running: dict[Future[Result], str] = {}
    with ThreadPoolExecutor(at_once, initializer=logs.same_context()) as pool:
        try:
            while sorter.is_active():
                running |= {pool.submit(work, name): name for name in sorter.get_ready()}
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    name = running.pop(future)
                    results[name] = future.result()
                    sorter.done(name)
        except BaseException:
            give_up()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return results
