"""Answers about the lake: worked out once, kept by the lake's commit, and sent as HTTP has it.

Of requests that ask the same at once, one works it out and the others wait for it: those of this process by its task,
those of other processes by a lock in the cache, for a bounded time. How many questions Trino has at once is bounded
too, and so is how many wait for it; what is more is told to come again.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any, Protocol

from fastapi import Request
from fastapi.responses import Response
from opentelemetry.trace import SpanKind
from pydantic import BaseModel, Field

from lake.api.cache import AWAY, Cache, Memory
from lake.api.observed import Observed
from lake.api.problems import Problem
from lake.tracing import failed, names, spans

log = logging.getLogger(__name__)

WAITING = 8
"""Questions that may wait, for each that Trino works on."""

POLL_SECONDS = 0.05
NOW = "private, no-cache"
"""Of answers about the newest lake: whoever keeps one asks with its ETag whether it still holds."""

PAST = "private, max-age=300"
"""Of answers about a receipt. They do not change, but a newer version of the API may have more to say."""


class FromLake(BaseModel):
    """What every answer from the lake carries."""

    receipt: str = Field(description="id of the receipt of the lake that this was worked out from")
    lake_commit: str = Field(description="its commit")


class Source(Protocol):
    """What an answer was worked out from: a published lake, or what was made of one."""

    @property
    def receipt(self) -> str:
        """Id of the receipt of that lake."""

    @property
    def commit(self) -> str:
        """Of main."""

    @property
    def is_past(self) -> bool:
        """Whether a request asked for it by its receipt, so that it never changes."""


@dataclass(frozen=True)
class MadeOf:
    """A lake of which something else was made that answers, such as an index; see `Source`."""

    receipt: str
    commit: str
    is_past: bool = False


class Answers:
    """Works answers out, and keeps them.

    Args:
        code: what names the code that works them out.
        questions: how many are worked out at once.
        seconds: how long one may take.
    """

    def __init__(self, cache: Cache, observed: Observed, code: str, questions: int, seconds: float) -> None:
        self._cache, self._observed = cache, observed
        self._code, self._seconds = code, seconds
        self._memory = Memory()
        self._running: dict[str, asyncio.Task[bytes]] = {}
        self._pool = ThreadPoolExecutor(questions, thread_name_prefix="question")
        self._free = asyncio.Semaphore(questions)
        self._waiting, self._most_waiting = 0, questions * WAITING

    async def answer(
        self, request: Request, lake: Source, question: tuple[Any, ...], work_out: Callable[[], FromLake]
    ) -> Response:
        """Answer a request.

        Args:
            question: all that the answer depends on, beside the lake; plain JSON.
            work_out: asks the lake, in a thread.

        Raises:
            Problem: as `work_out` raises it, or too much is asked at once.
            LakeError: as `work_out` raises it.
        """
        asked = hashlib.sha256(json.dumps(question).encode()).hexdigest()
        key = f"lake:{self._code}:{lake.commit}:{lake.receipt}:{asked}"
        body = await self._body(key, request, work_out)
        return respond(request, lake, body)

    def close(self) -> None:
        """Begin nothing any more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _body(self, key: str, request: Request, work_out: Callable[[], FromLake]) -> bytes:
        if (kept := self._memory.get(key)) is not None:
            self._observed.cache.labels("memory").inc()
            return kept
        task = self._running.get(key)
        if task is None:
            task = asyncio.create_task(self._found(key, request, work_out))
            self._running[key] = task
            task.add_done_callback(lambda done: self._ended(key, done))
        else:
            self._observed.cache.labels("shared").inc()
        # Who gives up leaves the work to those that wait for it, and to the cache.
        return await asyncio.shield(task)

    def _ended(self, key: str, task: asyncio.Task[bytes]) -> None:
        self._running.pop(key, None)
        if not task.cancelled() and task.exception() is None:
            self._memory.put(key, task.result())

    async def _found(self, key: str, request: Request, work_out: Callable[[], FromLake]) -> bytes:
        with spans.tracer.start_as_current_span(
            f"{request.method} {route(request)}",
            kind=SpanKind.SERVER,
            attributes={
                names.SERVICE: "api",
                "http.request.method": request.method,
                "http.route": route(request),
                "shoplake.request": str(request.state.request_id),
            },
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                return await self._kept_or_made(key, work_out)
            except BaseException as error:
                failed(span, error)
                raise

    async def _kept_or_made(self, key: str, work_out: Callable[[], FromLake]) -> bytes:
        if (kept := await self._cache.get(key)) is not None:
            self._observed.cache.labels("hit").inc()
            return kept
        token = await self._cache.lock(key, self._seconds)
        if token is None and (kept := await self._of_others(key)) is not None:
            self._observed.cache.labels("shared").inc()
            return kept
        self._observed.cache.labels("away" if token == AWAY else "miss").inc()
        try:
            made = await self._made(work_out)
            await self._cache.put(key, made)
            return made
        finally:
            if token:
                await self._cache.unlock(key, token)

    async def _of_others(self, key: str) -> bytes | None:
        """What another process works out, if it is done in half of the time that there is."""
        deadline = time.monotonic() + self._seconds / 2
        while time.monotonic() < deadline:
            await asyncio.sleep(POLL_SECONDS)
            if (kept := await self._cache.get(key)) is not None:
                return kept
        return None

    async def _made(self, work_out: Callable[[], FromLake]) -> bytes:
        if self._waiting >= self._most_waiting:
            raise Problem("busy", f"{self._waiting} questions wait already; ask again in a moment")
        self._waiting += 1
        try:
            await self._free.acquire()
        finally:
            self._waiting -= 1
        try:
            with self._observed.asked.time():
                inside = copy_context()
                told = await asyncio.get_running_loop().run_in_executor(self._pool, inside.run, work_out)
            return told.model_dump_json(by_alias=True).encode()
        finally:
            self._free.release()


def respond(request: Request, lake: Source, body: bytes, cache_control: str = "") -> Response:
    """An answer with what HTTP's caches want to know; without a body, where the client has the same already."""
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {
        "ETag": etag,
        "Cache-Control": cache_control or (PAST if lake.is_past else NOW),
        "Vary": "Authorization",
        "Shoplake-Receipt": lake.receipt,
        "Shoplake-Commit": lake.commit,
    }
    if _has(request.headers.get("If-None-Match", ""), etag):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")


def _has(known: str, etag: str) -> bool:
    """Whether a client has it, by the header If-None-Match; RFC 9110 lets a weak one stand for a strong one here."""
    tags = [tag.strip().removeprefix("W/") for tag in known.split(",")]
    return etag in tags or "*" in tags


def route(request: Request) -> str:
    """The pattern of the route that a request met, such as ``/v1/metrics/{name}``."""
    found = request.scope.get("route")
    return str(getattr(found, "path", "unmatched"))
