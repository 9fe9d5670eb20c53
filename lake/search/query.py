"""Questions, and the bodies in which OpenSearch takes them. Nothing here asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Any

from lake.errors import LakeError
from lake.search.index import FACETS
from lake.search.words import spelled_out

MOST_LETTERS = 200
MOST_AT_ONCE = 100
DEEPEST = 1000
"""Up to which place answers can be paged through; who looks further needs a filter."""

MOST_OF_A_FACET = 30
PRICES = (Decimal(1), Decimal(2), Decimal(5), Decimal(10), Decimal(20))
"""Where one range of the facet of prices ends and the next begins, in the shop's currency."""

SHOWN = ("product_id", "name", "department", "category", "kind", "brand", "size", "price", "orders", "margin_rate")

KIND, NAME, CATEGORY, IN_A_ROW = 3.0, 1.0, 1.0, 2.0
"""What it counts that words stand in a field, beside that they stand in the product at all."""

POPULARITY, MARGIN = 3.0, 0.5
"""What the best seller, and the product that earns most, gain; the score of words is some ten times the first."""

OFTEN, WELL = 50, 0.3
"""Orders, and the margin rate, with which a product gains half of that."""


class Sort(StrEnum):
    """In which order products are shown."""

    relevance = "relevance"
    price = "price"
    price_descending = "-price"
    popularity = "popularity"
    name = "name"


class Way(StrEnum):
    """How an answer was found. They are tried in this order, until one finds something."""

    as_asked = "as_asked"
    """Every word, or what means the same."""
    begun = "begun"
    """Every word, the last of them as far as it was typed."""
    corrected = "corrected"
    """The same for what is likely meant: `Answer.did_you_mean`."""
    some_words = "some_words"
    """Some of the words, or words like them."""
    popular = "popular"
    """None of them: what sells best, within the filters. `Answer.is_found` is false."""


@dataclass(frozen=True)
class Asked:
    """What somebody looks for.

    Attributes:
        text: words; empty to look through what the filters leave, the best sellers first.
        department, category, brand: names as the shop has them, of which it is one; any, where there is none.
        price_from, price_to: bounds that count, in the shop's currency.
        limit, offset: how many products, and how many before them are left out.
        boosts: whether what sells well and earns well comes sooner.
        facets: whether it is counted by department, category, brand and price.

    Raises:
        LakeError: one of these is not possible; it is named.
    """

    text: str = ""
    department: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    brand: tuple[str, ...] = ()
    price_from: Decimal | None = None
    price_to: Decimal | None = None
    sort: Sort = Sort.relevance
    limit: int = 10
    offset: int = 0
    boosts: bool = True
    facets: bool = True

    def __post_init__(self) -> None:
        if len(self.text) > MOST_LETTERS:
            raise LakeError(f"text has {len(self.text)} letters", f"ask in at most {MOST_LETTERS}")
        if not 1 <= self.limit <= MOST_AT_ONCE:
            raise LakeError(f"limit is {self.limit}", f"ask for 1 to {MOST_AT_ONCE} products at once")
        if self.offset < 0 or self.offset + self.limit > DEEPEST:
            raise LakeError(
                f"offset is {self.offset} with limit {self.limit}",
                f"the first {DEEPEST} products can be paged through; narrow the search by a filter",
            )
        for name in ("price_from", "price_to"):
            price = getattr(self, name)
            if price is not None and not (price.is_finite() and 0 <= price < 10**12):
                raise LakeError(f"{name} is {price}", "ask for an amount of money, such as 2.50")
        if self.price_from is not None and self.price_to is not None and self.price_from > self.price_to:
            raise LakeError(f"price_from {self.price_from} is above price_to {self.price_to}", "exchange them")

    def filters(self) -> dict[str, dict[str, Any]]:
        """By the facet that each belongs to."""
        found: dict[str, dict[str, Any]] = {}
        for name in FACETS:
            if chosen := getattr(self, name):
                found[name] = {"terms": {f"{name}.exact": list(chosen)}}
        bounds = {"gte": self.price_from, "lte": self.price_to}
        if given := {name: str(price) for name, price in bounds.items() if price is not None}:
            found["price"] = {"range": {"price": given}}
        return found


def body(asked: Asked, way: Way, text: str, analyzer: str = "asked") -> dict[str, Any]:
    """A question to an index of products.

    Args:
        text: what is looked for this way; of `Way.corrected`, the words put right.
        analyzer: how it is read: ``asked``, or ``asked_literally`` without synonyms.
    """
    if way is Way.popular or not asked.text.strip():
        words: dict[str, Any] = {"match_all": {}}
        order: Sort = Sort.popularity if asked.sort is Sort.relevance else asked.sort
    else:
        words, order = _words(asked, way, text, analyzer), asked.sort
    filters = asked.filters()
    alone = {"bool": {"filter": list(filters.values())}}
    told: dict[str, Any] = {
        "query": words if asked.facets or not filters else {"bool": {"must": [words], **alone["bool"]}},
        "sort": _sort(order),
        "from": asked.offset,
        "size": asked.limit,
        "track_total_hits": True,
        "track_scores": True,
        "_source": list(SHOWN),
    }
    if asked.facets and filters:
        # After the facets are counted, each of which leaves its own filter aside.
        told["post_filter"] = alone
    if asked.facets:
        told["aggs"] = _facets(filters)
    return told


def plain_body(text: str, limit: int) -> dict[str, Any]:
    """The question as plain BM25 takes it: any of the words, in all of a product's, and nothing else."""
    return {"query": {"match": {"plain": text}}, "size": limit, "_source": list(SHOWN)}


def _words(asked: Asked, way: Way, text: str, analyzer: str) -> dict[str, Any]:
    read = {"query": text, "analyzer": analyzer}
    if way is Way.begun:
        # Half a word has no synonym.
        literally = {"query": text, "analyzer": "asked_literally", "operator": "and"}
        must: dict[str, Any] = {"match_bool_prefix": {"all": literally}}
    elif way is Way.some_words:
        like = {"fuzziness": "AUTO", "prefix_length": 1, "max_expansions": 20}
        must = {"match": {"all": {**read, **like, "minimum_should_match": "1<50%"}}}
    else:
        must = {"match": {"all": {**read, "operator": "and"}}}
    should: list[dict[str, Any]] = [
        {"match": {"kind": {**read, "boost": KIND}}},
        {"match": {"name": {**read, "boost": NAME}}},
        {"match": {"category": {**read, "boost": CATEGORY}}},
        {"match_phrase": {"kind": {**read, "slop": 1, "boost": IN_A_ROW}}},
    ]
    if asked.boosts:
        should += [
            {"rank_feature": {"field": "popularity", "boost": POPULARITY, "saturation": {"pivot": OFTEN}}},
            {"rank_feature": {"field": "margin", "boost": MARGIN, "saturation": {"pivot": WELL}}},
        ]
    return {"bool": {"must": [must], "should": should}}


def _sort(chosen: Sort) -> list[dict[str, str]]:
    first: dict[Sort, dict[str, str]] = {
        Sort.relevance: {"_score": "desc"},
        Sort.price: {"price": "asc"},
        Sort.price_descending: {"price": "desc"},
        Sort.popularity: {"orders": "desc"},
        Sort.name: {"name.exact": "asc"},
    }
    # What is alike in all else has an order too, so that no page shows a product of another.
    return [first[chosen], *([] if chosen is Sort.relevance else [{"_score": "desc"}]), {"product_id": "asc"}]


def _facets(filters: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """Each counts what the filters of the others leave, so that a second department can be chosen beside the first."""

    def of_others(name: str) -> dict[str, Any]:
        return {"bool": {"filter": [each for facet, each in filters.items() if facet != name]}}

    told: dict[str, Any] = {
        name: {
            "filter": of_others(name),
            "aggs": {"values": {"terms": {"field": f"{name}.exact", "size": MOST_OF_A_FACET}}},
        }
        for name in FACETS
    }
    edges = [None, *map(float, PRICES), None]
    ranges = [
        {name: edge for name, edge in (("from", low), ("to", high)) if edge is not None}
        for low, high in pairwise(edges)
    ]
    told["price"] = {"filter": of_others("price"), "aggs": {"values": {"range": {"field": "price", "ranges": ranges}}}}
    return told


def spelling_body(text: str) -> dict[str, Any]:
    """A question to an index of phrases: for each word that the shop does not know, those that are like it."""
    like = {"field": "text", "suggest_mode": "missing", "size": 3, "prefix_length": 1, "min_word_length": 3}
    return {"size": 0, "suggest": {"text": spelled_out(text), "words": {"term": like}}}


def corrected(text: str, words: list[dict[str, Any]]) -> str | None:
    """A text with its unknown words put right; None where nothing is to be.

    Args:
        text: as it was asked.
        words: what OpenSearch says to `spelling_body`.
    """
    right = spelled_out(text)
    for word in reversed(words):
        if word["options"]:
            end = word["offset"] + word["length"]
            right = right[: word["offset"]] + word["options"][0]["text"] + right[end:]
    return right if right != spelled_out(text) else None


def suggest_body(text: str, limit: int) -> dict[str, Any]:
    """A question to an index of phrases: those that begin with a text, and those that nearly do."""
    begun = spelled_out(text)
    field = {"field": "typed", "size": limit, "skip_duplicates": True}
    near = {**field, "fuzzy": {"fuzziness": "AUTO", "prefix_length": 1, "min_length": 4}}
    return {
        "_source": ["text", "products"],
        "suggest": {"begun": {"prefix": begun, "completion": field}, "near": {"prefix": begun, "completion": near}},
    }
