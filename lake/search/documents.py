"""Rows of the published lake as documents of the index: one for each product that the shop sells."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from lake.platform import sql
from lake.platform.catalog import MAIN
from lake.search.words import spelled_out

UNKNOWN = "UNKNOWN"
"""What the marts call a department, a category or a kind that the shop does not name."""

PRODUCTS = """
    with earned as (
        select product_id, sum(revenue) as revenue, sum(cost) as cost
        from curated.fct_order_items
        where not is_cancelled and cost is not null
        group by product_id
    )

    select
        products.product_id,
        products.product_name as name,
        products.department,
        products.category_name as category,
        products.product_type as kind,
        products.brand,
        products.package_size as size,
        products.list_price as price,
        products.orders,
        cast(
            cast(earned.revenue - earned.cost as decimal(38, 6)) / nullif(earned.revenue, 0) as decimal(18, 4)
        ) as margin_rate
    from marts.product_performance as products
    left join earned on products.product_id = earned.product_id
    where products.is_active
    order by products.product_id
"""
"""What is sold today. The margin rate is the metric of that name (dbt/models/metrics/sales.yml), of one product."""


@dataclass(frozen=True)
class Product:
    """A document.

    Attributes:
        kind: what it is, by the shop's finest name for it.
        brand: whose it is: ``National``, or ``Private`` for the shop's own.
        size: of the package, as the shop writes it.
        price: now, in the shop's currency.
        orders: that had it and were not cancelled: how popular it is.
        margin_rate: margin as a share of the revenue whose cost is known; None where none is.
    """

    product_id: int
    name: str
    department: str
    category: str
    kind: str
    brand: str | None
    size: str | None
    price: Decimal
    orders: int
    margin_rate: Decimal | None

    def to_json(self) -> dict[str, Any]:
        """As OpenSearch keeps it. Money is text, so that an answer has it as it was.

        What ranks (``popularity``, ``margin``) has to be above zero there, and is left out where it is not.
        """
        told = {name: value for name, value in asdict(self).items() if value is not None}
        told["price"] = str(self.price)
        if self.margin_rate is not None:
            told["margin_rate"] = str(self.margin_rate)
            if self.margin_rate > 0:
                told["margin"] = float(self.margin_rate)
        if self.orders > 0:
            told["popularity"] = self.orders
        return told


def sha256(document: dict[str, Any]) -> str:
    """By which a changed document is told from one that is as it was."""
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def read(lake_commit: str) -> list[Product]:
    """Every product that is sold, as of a commit of main, by its id.

    Raises:
        LakeError: the lake has no marts at that commit, or it is no longer kept.
        ServiceError: Trino does not answer, or could not carry the question out.
    """
    with sql.catalog_at(f"search_{lake_commit[:16]}", f"{MAIN}@{lake_commit}") as catalog:
        return [Product(**row) for row in sql.rows(PRODUCTS, catalog)]


@dataclass(frozen=True)
class Phrase:
    """Something that one may be about to type.

    Attributes:
        text: in plain words and small letters.
        orders: of all products that it names; the more, the sooner it is suggested.
        products: how many it names; none for a word that only a synonym leads to them.
    """

    text: str
    orders: int
    products: int

    def to_json(self) -> dict[str, Any]:
        """As OpenSearch keeps it: it is found by its beginning, and by that of each later word of it."""
        words = self.text.split()
        starts = list(dict.fromkeys(" ".join(words[place:]) for place in range(len(words))))
        told: dict[str, Any] = {"text": self.text, "orders": self.orders, "products": self.products}
        if self.products:
            told["typed"] = {"input": starts, "weight": min(self.orders, 2**31 - 1)}
        return told


def phrases(products: Iterable[Product], synonyms: Sequence[str] = ()) -> list[Phrase]:
    """What is suggested while one types: the kinds and categories of the products in plain words.

    Beside them, not suggested, what a mistyped word may have been: each word of a name, and those of the synonyms.
    """
    orders: dict[str, int] = {}
    named: dict[str, int] = {}
    words: set[str] = set(synonyms)
    for product in products:
        for text in {spelled_out(each) for each in (product.kind, product.category) if each != UNKNOWN} - {""}:
            orders[text] = orders.get(text, 0) + product.orders
            named[text] = named.get(text, 0) + 1
        words.update(word for word in spelled_out(product.name).split() if word.isalpha())
    beside = [Phrase(text, 0, 0) for text in sorted(words - set(named))]
    return [Phrase(text, orders[text], named[text]) for text in sorted(named)] + beside
