"""Which index of the products is asked: the newest, or that of the receipt that a request names."""

from __future__ import annotations

import asyncio

from lake.api.looks import Looks
from lake.api.problems import Problem, wrong
from lake.search import ask
from lake.search.store import Held, NoIndexError

LOOK_SECONDS = 1.0


class Indexes:
    """Knows which index is asked."""

    def __init__(self) -> None:
        self._looks = Looks(self._look, LOOK_SECONDS)

    async def at(self, receipt: str = "") -> Held:
        """The index of a receipt; the newest, without one.

        Raises:
            Problem: it is not kept, or none was built yet.
            ServiceError: OpenSearch does not answer.
        """
        try:
            return await self._looks.get(receipt)
        except NoIndexError as error:
            if not error.receipts:
                said = "no index of the products was built yet; the first publish after search was started builds it"
                raise Problem("no-index", said) from error
            said = f"there is no index of receipt {receipt}; there is one of {', '.join(error.receipts)}"
            errors = [wrong("query.at", receipt, "its index is not kept", error.receipts)]
            raise Problem("index-gone", said, errors) from error

    def forget(self) -> None:
        """Look anew with the next request."""
        self._looks.forget()

    @staticmethod
    async def _look(receipt: str) -> Held:
        return await asyncio.to_thread(ask.index_of, receipt)
