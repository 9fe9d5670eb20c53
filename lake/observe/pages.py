"""A page that draws the dashboards of ``infra/grafana`` where there is no Grafana: ``python -m lake.observe.pages``.

Beside them it has one on which to look through the logs (`lake.observe.log_pages`), and the guides and runbooks
(`lake.observe.guide_pages`).

The page is static (``page/``); it reads the very files that Grafana is given, and asks Prometheus what their panels
ask. This server hands both on, so that a browser needs one address and no other permission. It changes nothing, answers
on loopback only unless it is told otherwise, and lets through the three questions of `Prometheus' API
<https://prometheus.io/docs/prometheus/latest/querying/api/>`_ that the page has.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from lake import logs
from lake.errors import LakeError
from lake.observe import guide_pages, log_pages
from lake.observe.dashboards import FIRST, Dashboard, dashboards
from lake.observe.frame import PAGE, TEMPLATES
from lake.runtime.artifacts import artifacts
from lake.settings import settings

ASK_SECONDS = 30
"""How long a question to Prometheus may take; Prometheus is told the same."""

LARGEST_QUESTION = 65_536
"""Bytes; the longest expression of a dashboard has two thousand."""

PROTECTED = {
    # Nothing from elsewhere is loaded, and nobody else's page may hold this one.
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    # A page that was kept would draw new dashboards with old code.
    "Cache-Control": "no-cache",
}


def application(prometheus: str, transport: httpx.AsyncBaseTransport | None = None) -> Starlette:
    """The page, for a Prometheus at an address.

    Args:
        transport: how it is reached, for tests.

    Raises:
        LakeError: there are no dashboards, or the library that draws curves is not installed.
    """
    shown = dashboards()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with httpx.AsyncClient(base_url=prometheus, timeout=ASK_SECONDS + 5, transport=transport) as client:
            app.state.prometheus = client
            yield

    app = Starlette(
        routes=[
            Route("/", lambda request: RedirectResponse(f"/d/{FIRST}")),
            Route("/d/{uid}", _page),
            Route("/dashboards", _list),
            Route("/dashboards/{uid}", _model),
            Route("/links", _links),
            *log_pages.routes(),
            *guide_pages.routes(),
            Route("/api/v1/query", _ask, methods=["POST"]),
            Route("/api/v1/query_range", _ask, methods=["POST"]),
            Route("/api/v1/label/{label}/values", _ask, methods=["POST"]),
            Route("/healthz", lambda request: PlainTextResponse("ok\n")),
            Route("/readyz", _ready),
            Mount("/page", StaticFiles(directory=PAGE)),
            Mount("/vendor", StaticFiles(directory=_vendor())),
        ],
        middleware=[
            # Another site's name that leads here must not read what this machine measures.
            Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost", settings().dashboards_host]),
            Middleware(BaseHTTPMiddleware, dispatch=_protect),
        ],
        lifespan=lifespan,
    )
    app.state.dashboards = shown
    return app


async def _protect(request: Request, answer: RequestResponseEndpoint) -> Response:
    response = await answer(request)
    response.headers.update(PROTECTED)
    return response


# -- the dashboards
def _dashboards(request: Request) -> dict[str, Dashboard]:
    found: dict[str, Dashboard] = request.app.state.dashboards
    return found


def _page(request: Request) -> Response:
    if request.path_params["uid"] not in _dashboards(request):
        return _unknown(request)
    return TEMPLATES.TemplateResponse(request, "index.html")


def _list(request: Request) -> Response:
    return JSONResponse(
        [{"uid": each.uid, "title": each.title, "description": each.about} for each in _dashboards(request).values()]
    )


def _model(request: Request) -> Response:
    found = _dashboards(request).get(request.path_params["uid"])
    return JSONResponse(found.model) if found else _unknown(request)


def _unknown(request: Request) -> Response:
    known = ", ".join(_dashboards(request))
    text = f"there is no dashboard {request.path_params['uid']!r}; there are {known}\n"
    return PlainTextResponse(text, status_code=404)


def _links(request: Request) -> Response:
    config = settings()
    return JSONResponse(
        {
            "Prometheus": config.prometheus_url,
            "Alertmanager": config.alertmanager_url,
            "Airflow": config.airflow_url,
            "Trino": f"{config.trino_url}/ui/",
        }
    )


# -- Prometheus
async def _ask(request: Request) -> Response:
    """Hand a question on, and the answer back as it is."""
    question = await request.body()
    if len(question) > LARGEST_QUESTION:
        return _refused(413, f"a question of {len(question)} bytes; at most {LARGEST_QUESTION} are let through")
    client: httpx.AsyncClient = request.app.state.prometheus
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    try:
        if "label" in request.path_params:  # which takes no POST
            answer = await client.get(f"{request.url.path}?{question.decode()}")
        else:
            answer = await client.post(
                request.url.path, content=question, headers=headers, params={"timeout": ASK_SECONDS}
            )
    except httpx.TimeoutException:
        return _refused(504, f"Prometheus at {client.base_url} did not answer within {ASK_SECONDS} s")
    except (httpx.HTTPError, UnicodeDecodeError, httpx.InvalidURL) as error:
        return _refused(502, f"Prometheus at {client.base_url} cannot be asked: {error}")
    return Response(answer.content, answer.status_code, media_type=answer.headers.get("content-type"))


def _refused(status: int, why: str) -> Response:
    """An error in the form of Prometheus' own."""
    return JSONResponse({"status": "error", "errorType": "proxy", "error": why}, status)


async def _ready(request: Request) -> Response:
    client: httpx.AsyncClient = request.app.state.prometheus
    try:
        (await client.get("/-/ready", timeout=5)).raise_for_status()
    except httpx.HTTPError as error:
        return PlainTextResponse(f"Prometheus at {client.base_url} is not ready: {error}\n", status_code=503)
    return PlainTextResponse("ready\n")


def _vendor() -> Path:
    library = artifacts()["uplot"]
    if not library.is_installed:
        raise LakeError("uPlot, which draws the curves of the dashboards, is not installed", "run `lake up observe`")
    return library.folder / "dist"


def serve() -> None:
    """Serve the page until told to stop."""
    config = settings()
    # Its loggers are ours: it would set up others, which write text.
    options: dict[str, Any] = {"log_config": None, "log_level": "warning", "timeout_graceful_shutdown": 3}
    uvicorn.run(application(config.prometheus_url), host=config.dashboards_host, port=config.dashboards_port, **options)


if __name__ == "__main__":
    with logs.of_service():
        serve()
