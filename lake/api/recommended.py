"""Which version of the recommendations counts, and the rows of it.

The branch of recommendations moves with every version, with a roll-back, and when a customer is removed from the
versions that are kept. So its head is looked at, at most once a second, and stands in the key of what is kept: an
answer about somebody who was removed is found no more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pyiceberg.exceptions import RESTError

from lake.api.answers import MadeOf
from lake.api.looks import Looks
from lake.api.problems import Problem
from lake.api.published import NO_BRANCH, Head
from lake.errors import ServiceError
from lake.recommend import versions
from lake.recommend.versions import Version

LOOK_SECONDS = 1.0


@dataclass(frozen=True)
class Counting:
    """The version that counts.

    Attributes:
        head: of the branch, when it was looked at.
    """

    version: Version
    head: str

    @property
    def source(self) -> MadeOf:
        """The lake that it was made from."""
        return MadeOf(self.version.run_id, self.version.lake_commit)


class Recommended:
    """Knows which version counts.

    Args:
        head: gives the head of the branch of recommendations.
    """

    def __init__(self, head: Head) -> None:
        self._head = head
        self._known: tuple[str, Version | None] = NO_BRANCH, None
        self._looks = Looks(self._look, LOOK_SECONDS)

    async def now(self) -> Counting:
        """The version that counts.

        Raises:
            Problem: none was made yet.
            ServiceError: the catalog or the object store does not answer.
        """
        head, version = await self._looks.get()
        if version is None:
            said = "no recommendations were made yet; the first run of the DAG `recommend` makes them"
            raise Problem("no-recommendations", said)
        return Counting(version, head)

    async def _look(self, _: str) -> tuple[str, Version | None]:
        head = await self._head()
        if head != self._known[0]:
            self._known = head, await asyncio.to_thread(_counting) if head != NO_BRANCH else None
        return self._known


@contextmanager
def told() -> Iterator[None]:
    """Errors of the catalog and the object store, as PyIceberg has them, in our words.

    Raises:
        ServiceError: one of them does not answer.
    """
    try:
        yield
    except (OSError, RESTError) as error:
        raise ServiceError(f"the recommendations cannot be read: {error!r}", "look at `lake status`") from error


def _counting() -> Version | None:
    with told():
        return versions.counting(versions.history())
