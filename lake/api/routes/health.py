"""``/healthz``, ``/readyz`` and ``/metrics``: for whoever keeps the API running. They ask for no key."""

from __future__ import annotations

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from lake.api import problems
from lake.api.asked import Given
from lake.api.guard import plain

router = APIRouter(tags=["operation"])

TEXT = {"content": {"text/plain": {"schema": {"type": "string"}}}}
UNREADY = {
    "description": "The lake cannot be asked now, or nothing was published yet",
    "content": {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


@router.get("/healthz", response_class=Response, responses={200: TEXT}, summary="Whether the process is alive")
async def healthz() -> Response:
    """Answers as long as the process does. It asks nobody."""
    return plain("well")


@router.get(
    "/readyz",
    response_class=Response,
    responses={200: TEXT, 503: UNREADY},
    summary="Whether questions about the lake can be answered",
)
async def readyz(parts: Given) -> Response:
    """Whether it is known which lake is published, and whether the cache helps. The API answers without the cache."""
    lake = await parts.published.at(None)
    is_up = await parts.cache.ping()
    return plain(f"ready: receipt {lake.receipt}; the cache {'answers' if is_up else 'is away'}")


@router.get("/metrics", response_class=Response, responses={200: TEXT}, summary="What the API counts, for Prometheus")
def metrics(parts: Given) -> Response:
    """In Prometheus' text format; docs/api.md lists the metrics."""
    return Response(generate_latest(parts.observed.registry), media_type=CONTENT_TYPE_LATEST)
