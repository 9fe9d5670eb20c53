"""The application: its parts put together, its routers, and what it says of itself (OpenAPI)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, FastAPI

from lake.api import defined, keys, problems
from lake.api.answers import Answers
from lake.api.asked import Parts
from lake.api.cache import Cache, ValkeyCache
from lake.api.cursors import Cursors
from lake.api.defined import Defined
from lake.api.gate import Gate
from lake.api.guard import Guard
from lake.api.indexes import Indexes
from lake.api.keys import Keys
from lake.api.observed import Observed
from lake.api.published import BranchHead, Head, Published
from lake.api.recommended import Recommended
from lake.api.routes import health, metrics, products, receipts, recommendations, search
from lake.api.trino import Asks, Trino
from lake.platform import catalog
from lake.recommend import tables
from lake.settings import settings

ROUTERS: tuple[APIRouter, ...] = (
    metrics.router, products.router, search.router, recommendations.router, receipts.router, health.router,
)  # fmt: skip
"""What the API answers. A room of its own adds its router here."""

SEARCHES = 8
"""Questions that OpenSearch works on at once; it has more threads than that, and each takes milliseconds."""

ABOUT = """What the shop asks of its data lake. Every answer names the receipt and the commit of the lake that it is of.

A key of `lake keys add` is sent as `Authorization: Bearer KEY`. What goes wrong is said by a document of RFC 9457. The
guide is docs/api.md."""

TAGS = [
    {"name": "metrics", "description": "Business metrics, each as it is defined once for everybody."},
    {"name": "products", "description": "What the shop sells or sold."},
    {"name": "search", "description": "Products by words, and what somebody may be about to type."},
    {"name": "recommendations", "description": "What will likely be bought next, and what is bought together."},
    {"name": "receipts", "description": "What was published, and on what evidence."},
    {"name": "operation", "description": "For whoever keeps the API running; without a key."},
]


def application(
    metrics_: Defined | None = None,
    head: Head | None = None,
    trino: Asks | None = None,
    make_cache: Callable[[Observed], Cache] = ValkeyCache,
    routers: Iterable[APIRouter] = ROUTERS,
    recommended: Head | None = None,
) -> FastAPI:
    """The API.

    Args:
        metrics_: those of this checkout, if not given.
        head, trino, make_cache: how the services are reached, for tests.
        recommended: gives the head of the branch of recommendations, for tests.
        routers: its routes.

    Raises:
        LakeError: a metric's definition is wrong.
    """
    config = settings()
    known = metrics_ or defined.load()
    observed = Observed()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            main, of_recommended = head or BranchHead(catalog.MAIN), recommended or BranchHead(tables.BRANCH)
            for each in (main, of_recommended):
                if isinstance(each, BranchHead):
                    stack.push_async_callback(each.close)
            cache = make_cache(observed)
            stack.push_async_callback(cache.close)
            code, seconds = defined.code(), config.api_timeout_seconds
            answers = Answers(cache, observed, code, config.api_questions, seconds)
            searches = Answers(cache, observed, code, SEARCHES, seconds)
            stack.callback(answers.close)
            stack.callback(searches.close)
            app.state.gate = Gate(Keys(keys.file()))
            app.state.parts = Parts(
                defined=known,
                published=Published(main, observed),
                trino=trino or Trino(),
                cache=cache,
                answers=answers,
                searches=searches,
                indexes=Indexes(),
                recommended=Recommended(of_recommended),
                cursors=Cursors(config.api_cursor_secret.get_secret_value()),
                gate=app.state.gate,
                observed=observed,
            )
            await cache.ping()
            yield

    app = described(routers)
    app.router.lifespan_context = lifespan
    app.add_middleware(Guard, observed=observed, seconds=config.api_timeout_seconds)
    return app


def described(routers: Iterable[APIRouter] = ROUTERS) -> FastAPI:
    """The API without what it answers with, which can say of itself what it is."""
    app = FastAPI(
        title="Shoplake",
        version=version("shoplake"),
        description=ABOUT,
        openapi_tags=TAGS,
        # Their pages load code from elsewhere.
        docs_url=None,
        redoc_url=None,
        # A slash too many is another address, not a way to one.
        redirect_slashes=False,
    )
    for router in routers:
        app.include_router(router)
    problems.install(app)
    app.openapi = lambda: document(app)  # type: ignore[method-assign]
    return app


def document(app: FastAPI) -> dict[str, Any]:
    """What the API says of itself, as OpenAPI 3.1 has it."""
    if app.openapi_schema is None:
        from fastapi.openapi.utils import get_openapi

        found = get_openapi(
            title=app.title,
            version=app.version,
            openapi_version=app.openapi_version,
            description=app.description,
            routes=app.routes,
            tags=TAGS,
        )
        schemas = found.setdefault("components", {}).setdefault("schemas", {})
        schemas.update(_of_problems())
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        for route in app.routes:
            model = getattr(route, "response_model", None)
            if model and (more := model.model_config.get("json_schema_extra")):
                # FastAPI leaves out what is null in an example.
                schemas[model.__name__]["examples"] = more["examples"]
        app.openapi_schema = found
    return app.openapi_schema


def _of_problems() -> dict[str, Any]:
    schema = problems.Document.model_json_schema(mode="serialization", ref_template="#/components/schemas/{model}")
    parts = schema.pop("$defs")
    return {"Problem": schema, **parts}
