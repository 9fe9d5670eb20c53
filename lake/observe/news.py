"""Whether anything was published since somebody looked last, asked of two small objects: no receipt is read for it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from lake.ledger import receipts
from lake.platform import catalog, storage
from lake.run import last_published

_Value = TypeVar("_Value")


@dataclass(frozen=True)
class State:
    """What main shows. Two that are equal show the same.

    Attributes:
        head: commit of main.
        run_id: of the newest receipt that tells of it; of the run that published it, or one that found it to be the
            source's still.
        has_receipt: whether there is that receipt. A run that was killed after its merge has none until the next one.
    """

    head: str
    run_id: str
    has_receipt: bool


class News:
    """Finds out with as few questions as possible."""

    def __init__(self) -> None:
        self._head, self._published, self._has_receipt = "", "", False

    def state(self) -> State | None:
        """What main shows now; None before the first publish.

        Raises:
            ServiceError: the catalog or the object store is away.
        """
        head = catalog.head()
        if head != self._head:
            # The history is walked only where main has moved.
            self._published, self._has_receipt = last_published(head) or "", False
            self._head = head
        if not self._published:
            return None
        if unchanged := receipts.newest_unchanged_since(self._published):
            return State(head, unchanged, True)
        self._has_receipt = self._has_receipt or storage.exists(receipts.address(self._published))
        return State(head, self._published, self._has_receipt)


class Remembered(Generic[_Value]):
    """A value that is worked out when its key has changed, or has not for a while.

    Args:
        seconds: for which it is kept at most: what it depends on beside the key may have changed.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._clock = seconds, clock
        self._remembered: tuple[object, float, _Value] | None = None

    def get(self, key: object, make: Callable[[], _Value]) -> _Value:
        """The value of a key. What `make` raises leaves nothing behind, so that it is made again."""
        if self._remembered and self._remembered[0] == key and self._clock() - self._remembered[1] < self._seconds:
            return self._remembered[2]
        return self.renew(key, make)

    def renew(self, key: object, make: Callable[[], _Value]) -> _Value:
        """The value of a key, made anew whatever is remembered."""
        self._remembered = None
        value = make()
        self._remembered = (key, self._clock(), value)
        return value
