"""Who may ask: the key that a request shows, what it may do, and how often."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Request, Security, params
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from lake.api.keys import SCOPES, Key, Keys
from lake.api.problems import Problem, shown, wrong

HEADER = "header.Authorization"
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="shoplake"'}

REPEATABLE = frozenset({"by", "department", "category", "brand", "product"})
"""Parameters that a request may name more than once."""

BEARER = HTTPBearer(auto_error=False, scheme_name="key", description="A key of `lake keys add`.")

Credentials = Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)]


class Gate:
    """Lets requests in.

    The rate is kept in this process: with several of them, each allows a key as much.

    Args:
        keys: those that were made.
    """

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._pace = SlidingWindowCounterRateLimiter(MemoryStorage())

    async def admit(self, credentials: HTTPAuthorizationCredentials | None, scope: str) -> Key:
        """The key of a request that may go on.

        Raises:
            Problem: there is no valid key, it lacks the scope, or has asked too often.
        """
        key = self._valid(credentials)
        await self._paced(key)
        if scope not in key.scopes:
            has = ", ".join(key.scopes)
            raise Problem("missing-scope", f"this needs the scope {scope}; key {key.id} has {has}")
        return key

    def _valid(self, credentials: HTTPAuthorizationCredentials | None) -> Key:
        if credentials is None:
            said = "send a key as `Authorization: Bearer KEY`; `lake keys add` makes one"
            raise Problem("no-key", said, headers=CHALLENGE)
        key = self._keys.find(credentials.credentials)
        state = key.state(datetime.now(UTC)) if key else "unknown"
        if key is None or state != "valid":
            # The value is a secret, or nearly one, and is not repeated.
            said = f"key {key.id} is {state}" if key else "there is no such key"
            error = 'Bearer realm="shoplake", error="invalid_token"'
            raise Problem("invalid-key", said, [wrong(HEADER, None, said)], {"WWW-Authenticate": error})
        return key

    async def _paced(self, key: Key) -> None:
        limit = RateLimitItemPerMinute(key.per_minute)
        if await self._pace.hit(limit, key.id):
            return
        window = await self._pace.get_window_stats(limit, key.id)
        seconds = max(1, math.ceil(window.reset_time - time.time()))
        said = f"key {key.id} may make {key.per_minute} requests a minute; ask again in {seconds} s"
        raise Problem("too-many-requests", said, headers={"Retry-After": str(seconds)})


def allowed(scope: str) -> Callable[[Request, HTTPAuthorizationCredentials | None], Awaitable[Key]]:
    """What a route depends on: that the request shows a key with a scope of `keys.SCOPES`."""
    assert scope in SCOPES, scope

    async def admitted(request: Request, credentials: Credentials) -> Key:
        gate: Gate = request.app.state.gate
        key = await gate.admit(credentials, scope)
        request.state.key = key.id
        return key

    return admitted


async def once(request: Request) -> None:
    """Refuse a parameter that is named twice, of which else the last one would count and nobody be told.

    Raises:
        Problem: it names the first one.
    """
    counts = Counter(name for name, _ in request.query_params.multi_items())
    twice = next((name for name, times in counts.items() if times > 1 and name not in REPEATABLE), None)
    if twice is not None:
        field = f"query.{shown(twice)}"
        raise Problem("invalid-request", f"{field}: it is given twice", [wrong(field, None, "it is given twice")])


def needs(scope: str) -> list[params.Depends]:
    """Dependencies of a route that is for keys with a scope."""
    return [Depends(allowed(scope)), Depends(once)]
