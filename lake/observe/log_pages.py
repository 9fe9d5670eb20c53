"""The page on which people look through the logs: `/logs` of `lake.observe.pages`, over what OpenSearch keeps."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lake.errors import LakeError, ServiceError
from lake.observe.frame import TEMPLATES
from lake.observe.search import MOST, Asked, Lines, search, span, values
from lake.observe.searches import FIELDS, search_named, searches

LINES = 200
"""How many are shown, if nobody asks for more."""

KNOWN = ("text", "since", "lines", "saved", *FIELDS)
"""What may be asked."""

OFFERED = ("service", "level")
"""Fields of which the page offers the values that there are."""


def routes() -> list[Route]:
    """What the server answers."""
    return [
        Route("/logs", lambda request: TEMPLATES.TemplateResponse(request, "logs.html")),
        Route("/logs/saved", lambda request: JSONResponse([each.model_dump() for each in searches().values()])),
        Route("/logs/values", _values),
        Route("/logs/found", _found),
    ]


async def _found(request: Request) -> Response:
    """The newest lines, the oldest of them first."""
    try:
        found = await run_in_threadpool(_search, dict(request.query_params))
    except LakeError as error:
        return _refused(error)
    return JSONResponse({"lines": found.found, "total": found.total})


def _search(asked: dict[str, str]) -> Lines:
    """Look for what a request's parameters ask."""
    unknown = asked.keys() - {*KNOWN}
    if unknown:
        raise LakeError(f"a search has no {', '.join(sorted(unknown))}", f"it has {', '.join(KNOWN)}")
    wanted = asked.get("lines") or str(LINES)
    if not (wanted.isascii() and wanted.isdigit() and 1 <= int(wanted[:9]) <= MOST):
        raise LakeError(f"lines={wanted} is no number of lines", f"ask for 1 to {MOST}")
    since = asked.get("since")
    only = {name: asked.get(name, "") for name in FIELDS}
    narrow = Asked(asked.get("text", ""), only, span(since) if since else None, int(wanted))
    saved = asked.get("saved")
    return search(search_named(saved).narrowed(narrow) if saved else narrow)


async def _values(request: Request) -> Response:
    try:
        return JSONResponse({name: await run_in_threadpool(values, name) for name in OFFERED})
    except LakeError as error:
        return _refused(error)


def _refused(error: LakeError) -> Response:
    told = {"error": error.what, "fix": error.fix}
    return JSONResponse(told, 503 if isinstance(error, ServiceError) else 400)
