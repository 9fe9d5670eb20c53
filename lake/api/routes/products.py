"""``/v1/products``: what the shop sells or sold, as the star schema has it."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from lake.api.answers import FromLake
from lake.api.asked import (
    EXAMPLE_COMMIT,
    EXAMPLE_RECEIPT,
    LARGEST_ID,
    At,
    Cursor,
    Given,
    PageSize,
    Parts,
    Strict,
    responses,
)
from lake.api.gate import needs
from lake.api.problems import Problem, wrong
from lake.api.published import Lake

COLUMNS = ("product_id", "product_name", "department", "category_id", "category_name", "brand", "product_type",
           "package_size", "list_price", "is_active")  # fmt: skip
SELECT = f"SELECT {', '.join(COLUMNS)} FROM curated.dim_product"
"""What a product cost the shop is nobody's business."""

router = APIRouter(prefix="/v1/products", tags=["products"], dependencies=needs("products"))

EXAMPLE: dict[str, Any] = {
    "product_id": 1029743, "product_name": "FLUID MILK WHITE ONLY 1 GA", "department": "GROCERY", "category_id": 71,
    "category_name": "FLUID MILK PRODUCTS", "brand": "Private", "product_type": "FLUID MILK WHITE ONLY",
    "package_size": "1 GA", "list_price": "2.79", "is_active": True,
}  # fmt: skip


class Product(BaseModel):
    """A product."""

    product_id: int
    product_name: str
    department: str | None
    category_id: int | None
    category_name: str | None
    brand: str | None
    product_type: str | None
    package_size: str | None
    list_price: Decimal | None = Field(description="in the shop's currency; as text, so that it is not rounded")
    is_active: bool | None = Field(description="whether it is sold now")


class ProductAnswer(FromLake):
    """One product."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"receipt": EXAMPLE_RECEIPT, "lake_commit": EXAMPLE_COMMIT, "product": EXAMPLE}]
        }
    )
    product: Product


class ProductPage(FromLake):
    """A page of the products, by their ids."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"receipt": EXAMPLE_RECEIPT, "lake_commit": EXAMPLE_COMMIT, "products": [EXAMPLE], "next_cursor": None}
            ]
        }
    )
    products: list[Product]
    next_cursor: str | None = Field(description="`cursor` of the next page; null on the last one")


class OfPage(Strict):
    """Parameters of a page."""

    limit: PageSize = 50
    cursor: Cursor = None
    at: At = None


class OfProduct(Strict):
    """Parameters of a product."""

    at: At = None


@router.get(
    "",
    response_model=ProductPage,
    responses=responses("unknown-receipt", "not-in-this-lake", "foreign-cursor"),
    summary="List the products",
)
async def list_products(request: Request, parts: Given, asked: Annotated[OfPage, Query()]) -> Response:
    """All products by their ids, page by page. All pages of a list are of one state of the lake: after a publish a
    cursor is refused, and with `at` one can page on.
    """
    lake = await parts.published.at(asked.at)
    after = parts.cursors.read(asked.cursor, "products", lake.commit) if asked.cursor else None

    def work_out() -> ProductPage:
        found = _rows(parts, lake, f"{SELECT} WHERE product_id > ? ORDER BY product_id LIMIT ?",
                      [after if after is not None else -1, asked.limit + 1])  # fmt: skip
        page = found[: asked.limit]
        more = len(found) > asked.limit
        return ProductPage(
            receipt=lake.receipt,
            lake_commit=lake.commit,
            products=page,
            next_cursor=parts.cursors.write("products", lake.commit, page[-1].product_id) if more else None,
        )

    return await parts.answers.answer(request, lake, ("products", asked.limit, after), work_out)


@router.get(
    "/{product_id}",
    response_model=ProductAnswer,
    responses=responses("unknown-product", "unknown-receipt", "not-in-this-lake"),
    summary="Ask for a product",
)
async def ask_product(
    request: Request,
    parts: Given,
    product_id: Annotated[int, Path(ge=0, le=LARGEST_ID, examples=[1029743])],
    asked: Annotated[OfProduct, Query()],
) -> Response:
    """A product with its category, brand and price."""
    lake = await parts.published.at(asked.at)

    def work_out() -> ProductAnswer:
        found = _rows(parts, lake, f"{SELECT} WHERE product_id = ?", [product_id])
        if not found:
            said = f"the lake of receipt {lake.receipt} holds no product {product_id}"
            raise Problem("unknown-product", said, [wrong("path.product_id", product_id, "there is no such product")])
        return ProductAnswer(receipt=lake.receipt, lake_commit=lake.commit, product=found[0])

    return await parts.answers.answer(request, lake, ("product", product_id), work_out)


def _rows(parts: Parts, lake: Lake, statement: str, values: list[Any]) -> list[Product]:
    names, rows = parts.trino.ask(lake, statement, values)
    return [Product.model_validate(dict(zip(names, row, strict=True))) for row in rows]
