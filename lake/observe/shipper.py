"""What puts logs and spans into OpenSearch: ``python -m lake.observe.shipper``.

It takes OTLP over HTTP from the collector, and answers when OpenSearch has what it was handed: 200, or 503 while
OpenSearch is away or full. The collector keeps what was not answered with 200, and tries again; here nothing waits.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import uvicorn
from prometheus_client import CollectorRegistry, Counter, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from lake import logs
from lake.observe.shipping.document import Kind
from lake.observe.shipping.handed_on import read
from lake.observe.shipping.store import CHECK_SECONDS, Away, Shipped, Store
from lake.settings import settings

log = logging.getLogger("lake.observe.shipper")

LARGEST = 64 << 20
"""Bytes of a request; the collector makes them of 8 MB, in a shorter notation, and of one line at least."""

REPLY_SECONDS = 20
"""How long OpenSearch may take for one; the collector waits for 30."""

RETRY_SECONDS = "5"
RESULTS = ("taken", "known", "refused")


def application(opensearch: str, transport: httpx.AsyncBaseTransport | None = None) -> Starlette:
    """The server, for an OpenSearch at an address.

    Args:
        transport: how it is reached, for tests.
    """
    registry = CollectorRegistry()
    said = "that were handed on, by what became of them."
    counters: dict[Kind, Counter] = {
        "logs": Counter("shoplake_logs", f"Lines of logs {said}", ["result"], registry=registry),
        "spans": Counter("shoplake_spans", f"Spans {said}", ["result"], registry=registry),
    }
    for counter in counters.values():
        for result in RESULTS:
            counter.labels(result)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        limit = httpx.Timeout(REPLY_SECONDS)
        async with httpx.AsyncClient(
            base_url=opensearch, timeout=limit, transport=transport, trust_env=False
        ) as client:
            app.state.store = Store(client)
            tending = asyncio.create_task(_tend(app.state.store))
            yield
            tending.cancel()

    async def take(request: Request) -> Response:
        """Put lines and spans into OpenSearch."""
        body = await request.body()
        if len(body) > LARGEST:
            return JSONResponse({"message": f"{len(body)} bytes; at most {LARGEST} are taken"}, 413)
        try:
            found = read(json.loads(body))
        except ValueError as error:  # json's own errors, and those of Unicode, among them
            log.warning("a request that cannot be read: %s", error)
            return JSONResponse({"message": str(error)}, 400)
        refused = 0
        try:
            for kind, documents in found.documents.items():
                shipped = await app.state.store.write(kind, documents) if documents else Shipped()
                for result in RESULTS:
                    counters[kind].labels(result).inc(getattr(shipped, result))
                refused += shipped.refused
        except Away as error:
            log.warning("%s", error.what)
            return JSONResponse({"message": error.what}, 503, headers={"Retry-After": RETRY_SECONDS})
        for kind, count in found.refused.items():
            counters[kind].labels("refused").inc(count)
            refused += count
        partial = {"rejectedLogRecords": str(refused), "errorMessage": "refused for what they are"}
        return JSONResponse({"partialSuccess": partial} if refused else {})

    async def ready(request: Request) -> Response:
        try:
            await app.state.store.prepare()
        except Away as error:
            return PlainTextResponse(f"{error.what}\n", status_code=503)
        return PlainTextResponse("ready\n")

    app = Starlette(
        routes=[
            Route("/v1/logs", take, methods=["POST"]),
            Route("/metrics", lambda request: Response(generate_latest(registry), media_type="text/plain")),
            Route("/healthz", lambda request: PlainTextResponse("ok\n")),
            Route("/readyz", ready),
        ],
        lifespan=lifespan,
    )
    return app


async def _tend(store: Store) -> None:
    while True:
        try:
            await store.tend()
        except Away as error:
            log.warning("the indexes are not looked after now: %s", error.what)
        await asyncio.sleep(CHECK_SECONDS)


def serve() -> None:
    """Serve until told to stop."""
    config = settings()
    options: dict[str, Any] = {"log_config": None, "log_level": "warning", "timeout_graceful_shutdown": REPLY_SECONDS}
    uvicorn.run(application(config.opensearch_url), host=config.shipper_host, port=config.shipper_port, **options)


if __name__ == "__main__":
    with logs.of_service():
        serve()
