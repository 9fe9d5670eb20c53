"""``/v1/search`` and ``/v1/suggest``: products by words, and what somebody may be about to type."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from lake.api.answers import FromLake, MadeOf
from lake.api.asked import EXAMPLE_COMMIT, EXAMPLE_RECEIPT, At, Given, Parts, Strict, responses
from lake.api.gate import needs
from lake.api.problems import Problem, Wrong, wrong
from lake.search import ask
from lake.search.query import DEEPEST, MOST_AT_ONCE, MOST_LETTERS, Asked, Sort, Way
from lake.search.store import Held, NoIndexError
from lake.tracing import span

MOST_OF_A_FILTER = 20
LONGEST_NAME = 200
MONEY = r"^[0-9]{1,12}(\.[0-9]{1,2})?$"

router = APIRouter(prefix="/v1", tags=["search"], dependencies=needs("search"))

Names = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]], Field(max_length=MOST_OF_A_FILTER)
]
Money = Annotated[str, Field(pattern=MONEY)] | None
Text = Annotated[str, Field(max_length=MOST_LETTERS)]


class Hit(BaseModel):
    """A product that was found."""

    product_id: int
    name: str
    department: str
    category: str
    kind: str = Field(description="what it is, as the shop has it")
    brand: str | None
    size: str | None
    price: Decimal = Field(description="in the shop's currency; as text, so that it is not rounded")
    orders: int = Field(description="that it was in")
    score: float = Field(description="how well it answers; comparable within one answer only")


class Facet(BaseModel):
    """How many products there are of something."""

    value: str = Field(description="a name; of prices a range such as `2-5`, without its upper bound")
    products: int


class SearchAnswer(FromLake):
    """What was found."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "receipt": EXAMPLE_RECEIPT,
                    "lake_commit": EXAMPLE_COMMIT,
                    "source_instant": "2026-11-27T12:00:04.119204+00:00",
                    "way": "corrected",
                    "is_found": True,
                    "did_you_mean": "frozen pizza",
                    "total": 1,
                    "products": [
                        {
                            "product_id": 845208, "name": "FRZN PIZZA PIZZA/TRADITIONAL 12 OZ", "department": "GROCERY",
                            "category": "FROZEN PIZZA", "kind": "PIZZA/TRADITIONAL", "brand": "National",
                            "size": "12 OZ", "price": "3.49", "orders": 127, "score": 41.3,
                        }
                    ],
                    "facets": {"department": [{"value": "GROCERY", "products": 1}]},
                }
            ]
        }
    )  # fmt: skip
    source_instant: str = Field(description="instant (UTC) as of which the shop was read")
    way: Way = Field(description="how it was found; docs/search.md tells in which order the ways are tried")
    is_found: bool = Field(description="whether these are answers to the question, and not only what sells best")
    did_you_mean: str | None = Field(description="the question with its unknown words put right")
    total: int = Field(description="how many products there are in all")
    products: list[Hit]
    facets: dict[str, list[Facet]] = Field(
        description="by department, category, brand and price; empty where they were not asked for"
    )


class Suggestion(BaseModel):
    """A phrase."""

    text: str
    products: int = Field(description="that it names")


class SuggestAnswer(FromLake):
    """Phrases, the likeliest first."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "receipt": EXAMPLE_RECEIPT,
                    "lake_commit": EXAMPLE_COMMIT,
                    "suggestions": [{"text": "frozen pizza", "products": 214}],
                }
            ]
        }
    )
    suggestions: list[Suggestion]


class OfSearch(Strict):
    """Parameters of a search."""

    q: Text = Field("", description="words; without any, what the filters leave, the best sellers first")
    department: Names = Field([], description="only of this one; may be repeated")
    category: Names = Field([], description="only of this one; may be repeated")
    brand: Names = Field([], description="only of this one; may be repeated")
    price_from: Money = Field(None, description="lowest price, which counts", examples=["2.50"])
    price_to: Money = Field(None, description="highest price, which counts too", examples=["5"])
    sort: Sort = Field(Sort.relevance, description="the order")
    limit: int = Field(10, ge=1, le=MOST_AT_ONCE, description="how many products")
    offset: int = Field(
        0, ge=0, le=DEEPEST - 1, description=f"how many before them are left out; with `limit`, {DEEPEST} at most"
    )
    boosts: bool = Field(True, description="whether what sells and earns well comes sooner")
    facets: bool = Field(True, description="whether it is counted by department, category, brand and price")
    at: At = None


class OfSuggest(Strict):
    """Parameters of suggestions."""

    q: Text = Field(description="what was typed so far", examples=["frzn p"])
    limit: int = Field(8, ge=1, le=ask.MOST_SUGGESTED, description="how many")


@router.get(
    "/search",
    response_model=SearchAnswer,
    responses=responses("unknown-receipt", "index-gone", "no-index"),
    summary="Search the products",
)
async def search(request: Request, parts: Given, asked: Annotated[OfSearch, Query()]) -> Response:
    """Products that are sold now, by words, filters or both. `receipt` and `lake_commit` are those that the index was
    built from, which is a moment after a publish. With `at`, the index of the newest receipt or of the one before is
    asked; older ones are gone (410).
    """
    question = _question(asked)

    def work_out(index: Held) -> SearchAnswer:
        with span("search products", service="opensearch"):
            found = ask.search(question, index=index)
        return SearchAnswer(
            receipt=found.receipt,
            lake_commit=found.lake_commit,
            source_instant=found.source_instant,
            way=found.way,
            is_found=found.is_found,
            did_you_mean=found.did_you_mean,
            total=found.total,
            # What a product earns is nobody's business.
            products=[Hit.model_validate(hit, from_attributes=True) for hit in found.hits],
            facets={
                name: [Facet(value=each.value, products=each.products) for each in counts]
                for name, counts in found.facets.items()
            },
        )

    about = ("search", *asked.model_dump(mode="json", exclude={"at"}).values())
    return await _answer(request, parts, asked.at, about, work_out)


@router.get(
    "/suggest", response_model=SuggestAnswer, responses=responses("no-index"), summary="Suggest what may be meant"
)
async def suggest(request: Request, parts: Given, asked: Annotated[OfSuggest, Query()]) -> Response:
    """Phrases to what somebody has typed so far, the likeliest first; each names products that there are."""

    def work_out(index: Held) -> SuggestAnswer:
        with span("suggest phrases", service="opensearch"):
            found = ask.suggest(asked.q, asked.limit, index=index)
        told = [Suggestion(text=each.text, products=each.products) for each in found.suggestions]
        return SuggestAnswer(receipt=found.receipt, lake_commit=found.lake_commit, suggestions=told)

    return await _answer(request, parts, None, ("suggest", asked.q, asked.limit), work_out)


def _question(asked: OfSearch) -> Asked:
    """What is asked, if it can be.

    Raises:
        Problem: two of the parameters do not go together.
    """
    low, high = (Decimal(price) if price else None for price in (asked.price_from, asked.price_to))
    errors: list[Wrong] = []
    if asked.offset + asked.limit > DEEPEST:
        said = f"with limit {asked.limit} it may be {DEEPEST - asked.limit} at most: narrow the search by a filter"
        errors.append(wrong("query.offset", asked.offset, said))
    if low is not None and high is not None and low > high:
        errors.append(wrong("query.price_from", asked.price_from, f"it is above `price_to`, {asked.price_to}"))
    if errors:
        raise Problem("invalid-request", f"{errors[0].field}: {errors[0].message}", errors)
    return Asked(
        asked.q, tuple(asked.department), tuple(asked.category), tuple(asked.brand), low, high, asked.sort,
        asked.limit, asked.offset, asked.boosts, asked.facets,
    )  # fmt: skip


async def _answer(
    request: Request, parts: Parts, at: str | None, question: tuple[Any, ...], work_out: Callable[[Held], FromLake]
) -> Response:
    """An answer of one index, which is in the key of what is kept: an index that was built again answers anew."""
    receipt = ""
    if at:
        # A run that found nothing new has no index of its own.
        found = await parts.published.receipt(at, "query.at")
        receipt = found.unchanged_since or found.run_id
    for _ in range(2):
        index = await parts.indexes.at(receipt)
        source = MadeOf(index.about.receipt, index.about.lake_commit, is_past=bool(at))
        try:
            return await parts.searches.answer(
                request,
                source,
                (*question, index.name),
                partial(work_out, index),
            )
        except NoIndexError:
            # Replaced and removed since we looked.
            parts.indexes.forget()
    raise Problem("no-index", "the index was removed while it was asked; ask again in a moment")
