"""Looks at what may change, such as which index is asked: one look at a time, believed for a moment."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")

MOST_SEEN = 64


class Looks(Generic[T]):
    """Remembers what a look has found. Requests that come while somebody looks wait for the same look.

    Args:
        look: finds the value of a key.
        seconds: for which it is believed, from when the look began.
    """

    def __init__(self, look: Callable[[str], Awaitable[T]], seconds: float) -> None:
        self._look, self._seconds = look, seconds
        self._seen: OrderedDict[str, tuple[float, T]] = OrderedDict()
        self._looking: dict[str, asyncio.Task[T]] = {}

    async def get(self, key: str = "") -> T:
        """The value of a key. Raises as the look does, which is then not remembered."""
        seen = self._seen.get(key)
        if seen and time.monotonic() - seen[0] < self._seconds:
            return seen[1]
        task = self._looking.get(key)
        if task is None:
            task = self._looking[key] = asyncio.create_task(self._found(key))
        # One that gives up leaves the others waiting for the same look.
        return await asyncio.shield(task)

    def forget(self) -> None:
        """Look anew at whatever is asked for next."""
        self._seen.clear()

    async def _found(self, key: str) -> T:
        began = time.monotonic()
        try:
            found = await self._look(key)
        finally:
            del self._looking[key]
        self._seen[key] = began, found
        self._seen.move_to_end(key)
        if len(self._seen) > MOST_SEEN:
            self._seen.popitem(last=False)
        return found
