"""The cache: Valkey, which every process of the API shares, and in front of it a part of this process's memory.

What is kept never changes: its key holds the lake's commit and the code that worked it out. A publish therefore makes
the whole cache useless at once, and what nobody asks for any more makes room by itself.

While Valkey is away, questions are worked out anew, and a metric says so; it is tried again after a moment.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable
from typing import Protocol, cast

from valkey.asyncio import Valkey
from valkey.exceptions import ValkeyError

from lake import tracing
from lake.api.observed import Observed
from lake.settings import settings

log = logging.getLogger(__name__)

REPLY_SECONDS = 0.25
REST_SECONDS = 1.0
"""For which a cache that did not answer is left alone."""

KEPT_SECONDS = 24 * 3600
MEMORY_BYTES = 32 << 20
LARGEST_BYTES = 1 << 20
"""Of an answer; a larger one is kept nowhere."""

AWAY = ""
"""The token of a cache that does not answer."""

UNLOCK = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end"


class Cache(Protocol):
    """Keeps answers by their keys. None of its methods raises: what is not there is worked out."""

    async def get(self, key: str) -> bytes | None:
        """What is kept; None where nothing is, or the cache is away."""

    async def put(self, key: str, value: bytes) -> None:
        """Keep something."""

    async def lock(self, key: str, seconds: float) -> str | None:
        """A token for whoever is to work a key out; None for all others, for so long at most.

        Where the cache is away, everybody gets one: `AWAY`.
        """

    async def unlock(self, key: str, token: str) -> None:
        """Let the next one have it."""

    async def ping(self) -> bool:
        """Whether the cache answers."""

    async def close(self) -> None:
        """Let the connections go."""


class Memory:
    """The answers that were lately asked for, in this process, up to a number of bytes."""

    def __init__(self, most: int = MEMORY_BYTES) -> None:
        self._most, self._bytes = most, 0
        self._kept: OrderedDict[str, bytes] = OrderedDict()

    def get(self, key: str) -> bytes | None:
        """What is kept."""
        if (value := self._kept.get(key)) is not None:
            self._kept.move_to_end(key)
        return value

    def put(self, key: str, value: bytes) -> None:
        """Keep something; what was not asked for longest goes."""
        if len(value) > LARGEST_BYTES:
            return
        self._bytes += len(value) - len(self._kept.pop(key, b""))
        self._kept[key] = value
        while self._bytes > self._most:
            self._bytes -= len(self._kept.popitem(last=False)[1])


class ValkeyCache:
    """Keeps answers in Valkey."""

    def __init__(self, observed: Observed) -> None:
        config = settings()
        self._valkey = Valkey(
            host=config.cache_host,
            port=config.cache_port,
            password=config.cache_password.get_secret_value(),
            socket_timeout=REPLY_SECONDS,
            socket_connect_timeout=REPLY_SECONDS,
            max_connections=64,
        )
        self._observed = observed
        self._resting_until = 0.0
        self._was_up: bool | None = None

    async def get(self, key: str) -> bytes | None:
        """See `Cache`."""
        with tracing.span("cache get", service="valkey"):
            return cast("bytes | None", await self._told(self._valkey.get(key), None))

    async def put(self, key: str, value: bytes) -> None:
        """See `Cache`."""
        if len(value) <= LARGEST_BYTES:
            with tracing.span("cache set", service="valkey"):
                await self._told(self._valkey.set(key, value, ex=KEPT_SECONDS), None)

    async def lock(self, key: str, seconds: float) -> str | None:
        """See `Cache`."""
        token = secrets.token_hex(8)
        got = await self._told(self._valkey.set(f"{key}:lock", token, nx=True, px=int(seconds * 1000)), AWAY)
        return AWAY if got == AWAY else token if got else None

    async def unlock(self, key: str, token: str) -> None:
        """See `Cache`."""
        if token:
            await self._told(cast("Awaitable[object]", self._valkey.eval(UNLOCK, 1, f"{key}:lock", token)), None)

    async def close(self) -> None:
        """See `Cache`."""
        await self._valkey.aclose()

    async def ping(self) -> bool:
        """See `Cache`."""
        return bool(await self._told(cast(Awaitable[object], self._valkey.ping()), False))

    async def _told(self, question: Awaitable[object], otherwise: object) -> object:
        if time.monotonic() < self._resting_until:
            if asyncio.iscoroutine(question):
                question.close()
            return otherwise
        try:
            answer = await question
        except (ValkeyError, OSError, TimeoutError) as error:
            self._resting_until = time.monotonic() + REST_SECONDS
            if self._was_up is not False:
                log.warning("the cache is away, answers are worked out each time: %r", error)
            self._is(False)
            return otherwise
        self._is(True)
        return answer

    def _is(self, up: bool) -> None:
        if up and self._was_up is False:
            log.info("the cache answers again")
        self._was_up = up
        self._observed.cache_up.set(up)
