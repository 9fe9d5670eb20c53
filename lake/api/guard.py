"""What stands around every request: its id, limits of body and time, what is counted, and the end of whatever escapes.

Plain ASGI, because each layer of a framework's middleware would cost an answer from memory as much again.
"""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lake import logs
from lake.api.answers import route
from lake.api.observed import Observed
from lake.api.problems import Problem

log = logging.getLogger(__name__)

MOST_BODY_BYTES = 1 << 20
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
ID_HEADER = "X-Request-Id"
SLOW_SECONDS = 1.0
"""From which on a request is logged, though all is well."""

SAFE = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}


class Guard:
    """Wraps an application.

    Args:
        seconds: how long a request may take.
    """

    def __init__(self, app: ASGIApp, observed: Observed, seconds: float) -> None:
        self._app, self._observed, self._seconds = app, observed, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, as ASGI has it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = Headers(scope=scope).get(ID_HEADER, "")
        id_ = asked if REQUEST_ID.fullmatch(asked) else secrets.token_hex(16)
        scope.setdefault("state", {})["request_id"] = id_
        answering = _Answering(send, id_)
        began = time.perf_counter()
        self._observed.in_flight.inc()
        with logs.about(request=id_):
            try:
                await self._bounded(scope, receive, answering)
            finally:
                self._observed.in_flight.dec()
                self._tell(scope, answering.status, time.perf_counter() - began)

    async def _bounded(self, scope: Scope, receive: Receive, answering: _Answering) -> None:
        """Let the application answer, or say why it does not."""
        problem: Problem | None = None
        try:
            _check_length(scope)
            async with asyncio.timeout(self._seconds):
                await self._app(scope, _Body(receive), answering)
        except Problem as refused:
            problem = refused
        except TimeoutError:
            problem = Problem("timeout", f"it was not answered within {self._seconds:g} s; ask for less, or again")
        except Exception:
            log.exception("a request failed")
            problem = Problem("internal", "the API could not work this out; its log says why, by the id of the request")
        if problem and not answering.status:
            await problem.answer(answering.request_id)(scope, receive, answering)

    def _tell(self, scope: Scope, status: int, seconds: float) -> None:
        request = Request(scope)
        path = route(request)
        # A method is whatever a client writes; only those that there are get a series of their own.
        method = request.method if request.method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE") else "other"
        self._observed.requests.labels(path, method, str(status)).inc()
        self._observed.seconds.labels(path).observe(seconds)
        level = logging.ERROR if status >= 500 and status != 503 else logging.WARNING if status >= 500 else logging.INFO
        if status >= 400 or status == 0 or seconds >= SLOW_SECONDS:
            key = scope["state"].get("key", "")
            about = {"route": path, "status": status, "seconds": round(seconds, 4), "key": key}
            log.log(level, "%s %s", method, path, extra=about)


class _Answering:
    """Sends an answer with the headers that all of them have, and remembers its status."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send, self.request_id = send, request_id
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers[ID_HEADER] = self.request_id
            for name, value in SAFE.items():
                headers[name] = value
        await self._send(message)


class _Body:
    """Counts what is received of a body, whose length a client need not say."""

    def __init__(self, receive: Receive) -> None:
        self._receive, self._bytes = receive, 0

    async def __call__(self) -> Message:
        message = await self._receive()
        self._bytes += len(message.get("body", b""))
        if self._bytes > MOST_BODY_BYTES:
            raise _too_large()
        return message


def _check_length(scope: Scope) -> None:
    said = Headers(scope=scope).get("Content-Length", "")
    if said.isdecimal() and int(said[:20]) > MOST_BODY_BYTES:
        raise _too_large()


def _too_large() -> Problem:
    # What is left of the body is not read.
    return Problem("body-too-large", f"a body may have {MOST_BODY_BYTES:,} bytes", headers={"Connection": "close"})


def plain(text: str, status: int = 200) -> Response:
    """A short answer for machines that only look at its status."""
    return Response(f"{text}\n", status, media_type="text/plain", headers={"Cache-Control": "no-store"})
