"""``/v1/recommendations``: what a customer will likely buy next, and what is bought together."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from lake.api.answers import FromLake
from lake.api.asked import EXAMPLE_COMMIT, EXAMPLE_RECEIPT, LARGEST_ID, Given, Strict, responses
from lake.api.gate import needs
from lake.api.problems import Problem, wrong
from lake.api.recommended import Counting, told
from lake.recommend import serve
from lake.recommend.serve import NEW, START, USUAL, Companion
from lake.tracing import span

MOST_OF_A_CART = 100
MOST_COMPANIONS = 50
IS_A_PRODUCT = "SELECT product_id FROM curated.dim_product WHERE product_id = ?"

router = APIRouter(prefix="/v1/recommendations", tags=["recommendations"], dependencies=needs("recommendations"))

Id = Annotated[int, Field(ge=0, le=LARGEST_ID)]
Most = Annotated[int, Field(ge=1, le=MOST_COMPANIONS, description="how many products at most")]

COMPANION: dict[str, Any] = {
    "product_id": 981760, "with_product_id": 1029743, "baskets": 612, "support": 0.0039, "confidence": 0.081,
    "lift": 2.4, "why": "in 612 baskets with product 1029743, 2.4 times as often as by chance",
}  # fmt: skip


class Likely(BaseModel):
    """A product that is shown to a customer."""

    product_id: int
    slot: str = Field(
        description=f"`{USUAL}`: what they buy again; `{NEW}`: what they have never bought; `{START}`: what most buy, "
        "for who has bought nothing"
    )
    rank: int = Field(description="within the slot, from 1")
    score: float = Field(description="comparable within one slot of one customer only")
    baskets: int = Field(description="of the customer's that it was in")
    of_baskets: int = Field(description="that the customer has")
    last_bought: date | None
    like_you: int = Field(description="how many of the customers who are most like this one have bought it")
    why: str = Field(description="why it is shown, for people")


class Together(BaseModel):
    """A product that is bought together with others."""

    product_id: int
    with_product_id: int = Field(description="the one that it goes with best")
    baskets: int = Field(description="that have both")
    support: float = Field(description="the part of all baskets that have both")
    confidence: float = Field(description="the part of the baskets with `with_product_id` that have this one too")
    lift: float = Field(description="how many times more often they are together than by chance")
    why: str = Field(description="why it is shown, for people")


class NextBasketAnswer(FromLake):
    """What a customer will likely buy next: usual products first, then new ones."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "receipt": EXAMPLE_RECEIPT,
                    "lake_commit": EXAMPLE_COMMIT,
                    "customer_id": 1205,
                    "products": [
                        {
                            "product_id": 1029743, "slot": "usual", "rank": 1, "score": 0.82, "baskets": 41,
                            "of_baskets": 63, "last_bought": "2026-11-21", "like_you": 77,
                            "why": "in 41 of your 63 baskets, the last time on 2026-11-21",
                        }
                    ],
                }
            ]
        }
    )  # fmt: skip
    customer_id: int
    products: list[Likely]


class TogetherAnswer(FromLake):
    """What is bought together with one product or several, the best first."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"receipt": EXAMPLE_RECEIPT, "lake_commit": EXAMPLE_COMMIT, "products": [COMPANION]}]
        }
    )
    products: list[Together]


class OfCustomer(Strict):
    """Parameters of a customer's next basket."""

    segment: Annotated[str, Field(min_length=1, max_length=50)] | None = Field(
        None,
        description="age band of a customer of whom nothing is known yet, who then gets what its people buy",
        examples=["25-34"],
    )


class OfCompanions(Strict):
    """Parameters of what is bought together with a product."""

    limit: Most = 10


class OfBasket(Strict):
    """Parameters of what goes with a cart."""

    product: list[Id] = Field(
        min_length=1, max_length=MOST_OF_A_CART, description="id of a product of the cart; repeated for each",
        examples=[[1029743, 981760]],
    )  # fmt: skip
    limit: Most = 10


@router.get(
    "/customers/{customer_id}",
    response_model=NextBasketAnswer,
    responses=responses("unknown-customer", "no-recommendations"),
    summary="Ask for a customer's next basket",
)
async def ask_customer(
    request: Request,
    parts: Given,
    customer_id: Annotated[int, Path(ge=0, le=LARGEST_ID, examples=[1205])],
    asked: Annotated[OfCustomer, Query()],
) -> Response:
    """What a customer will likely buy next, and why: usual products first, then new ones. `receipt` and `lake_commit`
    are those that the version was made from, which may be older than the newest receipt.
    """
    now = await parts.recommended.now()

    def work_out() -> NextBasketAnswer:
        with told(), span("read next_basket", service="iceberg"):
            found = serve.next_basket(customer_id, asked.segment, now.version)
        if found is None:
            said = f"the recommendations of receipt {now.version.run_id} know nothing of customer {customer_id}; "
            raise Problem(
                "unknown-customer",
                f"{said}with `segment` there is what people of an age band buy",
                [wrong("path.customer_id", customer_id, "nothing is known of the customer")],
            )
        products = [Likely.model_validate(one, from_attributes=True) for one in found.products]
        return NextBasketAnswer(**_named(now), customer_id=customer_id, products=products)

    question = ("next basket", now.head, customer_id, asked.segment)
    return await parts.answers.answer(request, now.source, question, work_out)


@router.get(
    "/products/{product_id}",
    response_model=TogetherAnswer,
    responses=responses("unknown-product", "no-recommendations"),
    summary="Ask what is bought together with a product",
)
async def ask_product(
    request: Request,
    parts: Given,
    product_id: Annotated[int, Path(ge=0, le=LARGEST_ID, examples=[1029743])],
    asked: Annotated[OfCompanions, Query()],
) -> Response:
    """What is bought together with a product, the best first, with support, confidence and lift. Nothing goes with a
    product that is seldom bought; one that the newest lake does not hold is unknown.
    """
    now, lake = await parts.recommended.now(), await parts.published.at(None)

    def work_out() -> TogetherAnswer:
        with told(), span("read bought_together", service="iceberg"):
            found = serve.for_cart([product_id], asked.limit, now.version)
        if not found and not parts.trino.ask(lake, IS_A_PRODUCT, [product_id])[1]:
            said = f"the lake of receipt {lake.receipt} holds no product {product_id}"
            raise Problem("unknown-product", said, [wrong("path.product_id", product_id, "there is no such product")])
        return TogetherAnswer(**_named(now), products=_together(found))

    question = ("together", now.head, [product_id], asked.limit)
    return await parts.answers.answer(request, now.source, question, work_out)


@router.get(
    "/baskets",
    response_model=TogetherAnswer,
    responses=responses("no-recommendations"),
    summary="Ask what goes with a cart",
)
async def ask_basket(request: Request, parts: Given, asked: Annotated[OfBasket, Query()]) -> Response:
    """What goes with the products of a cart and is not in it; what goes with several of them comes first. Nothing goes
    with a product that is unknown or seldom bought.
    """
    now = await parts.recommended.now()
    cart = sorted(set(asked.product))

    def work_out() -> TogetherAnswer:
        with told(), span("read bought_together", service="iceberg"):
            found = serve.for_cart(cart, asked.limit, now.version)
        return TogetherAnswer(**_named(now), products=_together(found))

    return await parts.answers.answer(request, now.source, ("cart", now.head, cart, asked.limit), work_out)


def _named(now: Counting) -> dict[str, Any]:
    return {"receipt": now.version.run_id, "lake_commit": now.version.lake_commit}


def _together(found: Iterable[Companion]) -> list[Together]:
    return [Together.model_validate(one, from_attributes=True) for one in found]
