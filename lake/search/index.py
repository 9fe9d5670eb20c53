"""How products are analysed and kept: settings and mappings of an index, and what it says of itself."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from lake.search.words import abbreviations, synonyms

PRODUCTS = "products"
"""The alias of the index that is asked; the indexes themselves are ``products-…``."""

PHRASES = "phrases"
"""The same of what is suggested, and of the words that mistyped ones are compared with."""

TEXTS = ("name", "kind", "category", "department", "brand", "size")
"""Fields whose words are searched."""

FACETS = ("department", "category", "brand")

LITTLE = "and|or|with|for|of|the|to"
"""Words that say nothing of what is wanted. `a` stays (vitamin a), `in` too (inches)."""


def _analysis() -> dict[str, Any]:
    """Of products and of questions. A question is read as a product is, and then by its synonyms."""
    spelled = [f"{short} => {full}" for short, full in abbreviations().items() if full]
    nothing = "|".join(short for short, full in abbreviations().items() if not full)
    read = ["lowercase", "asciifolding", "possessive"]
    whole: dict[str, Any] = {"tokenizer": "standard", "char_filter": ["little", "half", "unit"]}
    return {
        "char_filter": {
            "little": {
                "type": "pattern_replace",
                "pattern": rf"\b(?:{LITTLE}|{nothing})\b",
                "replacement": " ",
                "flags": "CASE_INSENSITIVE",
            },
            # 1/2 GAL, .5 GAL and half gallon
            "half": {
                "type": "pattern_replace",
                "pattern": r"(?<![\d./])(?:1/2|0?\.5)(?![\d/])",
                "replacement": " half ",
            },
            # 15PK, 750ML
            "unit": {"type": "pattern_replace", "pattern": r"(?<=\d)(?=[A-Za-z]{2})", "replacement": " "},
        },
        "filter": {
            "possessive": {"type": "stemmer", "language": "possessive_english"},
            "stem": {"type": "stemmer", "language": "light_english"},
            "spelled": {"type": "synonym", "synonyms": spelled},
            "spelled_asked": {"type": "synonym_graph", "synonyms": spelled},
            "meant": {"type": "synonym_graph", "synonyms": list(synonyms())},
        },
        "analyzer": {
            "product": {**whole, "filter": [*read, "spelled", "stem"]},
            "asked": {**whole, "filter": [*read, "spelled_asked", "stem", "meant"]},
            # To measure what the synonyms do.
            "asked_literally": {**whole, "filter": [*read, "spelled_asked", "stem"]},
            "word": {"tokenizer": "standard", "filter": ["lowercase", "asciifolding"]},
        },
    }


def products_body(meta: Mapping[str, Any]) -> dict[str, Any]:
    """An index of products.

    Args:
        meta: what it says of itself.
    """
    text = {"type": "text", "analyzer": "product", "search_analyzer": "asked"}
    exact = {"exact": {"type": "keyword", "ignore_above": 256}}
    copied = {"copy_to": ["all", "plain"]}
    fields: dict[str, Any] = {name: {**text, **copied, "fields": exact} for name in TEXTS}
    return {
        "settings": {
            "number_of_shards": 1,
            "number_of_replicas": 0,
            # A build says when it is at its end; nothing is to be seen of it before.
            "refresh_interval": "-1",
            "analysis": _analysis(),
        },
        "mappings": {
            "dynamic": "strict",
            "_meta": dict(meta),
            "properties": {
                **fields,
                "product_id": {"type": "long"},
                "price": {"type": "scaled_float", "scaling_factor": 100},
                "orders": {"type": "long"},
                "margin_rate": {"type": "scaled_float", "scaling_factor": 10_000},
                "popularity": {"type": "rank_feature"},
                "margin": {"type": "rank_feature"},
                "sha256": {"type": "keyword"},
                "all": text,
                # What an index without any of this would find with: `lake search evaluate` compares.
                "plain": {"type": "text", "analyzer": "standard"},
            },
        },
    }


def phrases_body(meta: Mapping[str, Any]) -> dict[str, Any]:
    """An index of phrases. Raises nothing; see `products_body`."""
    return {
        "settings": {
            "number_of_shards": 1,
            "number_of_replicas": 0,
            "refresh_interval": "-1",
            "analysis": {"analyzer": {"word": _analysis()["analyzer"]["word"]}},
        },
        "mappings": {
            "dynamic": "strict",
            "_meta": dict(meta),
            "properties": {
                "text": {"type": "text", "analyzer": "word"},
                "typed": {"type": "completion", "analyzer": "word", "preserve_position_increments": False},
                "orders": {"type": "long"},
                "products": {"type": "integer"},
            },
        },
    }


def fingerprint() -> str:
    """Of all that decides what an index makes of a document. An index with another is built anew from the first."""
    bodies = [products_body({}), phrases_body({})]
    return hashlib.sha256(json.dumps(bodies, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class About:
    """What an index says of itself, and every answer of it.

    Attributes:
        receipt: id of the run that published what it was built from.
        lake_commit: of main.
        source_instant: UTC instant as of which the shop was read, ISO 8601.
        built_at: UTC, ISO 8601.
        products: how many there are in it.
        fingerprint: see `fingerprint`.
        previous: the index that was asked before it, for as long as that is kept; else empty.
    """

    receipt: str
    lake_commit: str
    source_instant: str
    built_at: str
    products: int
    fingerprint: str
    previous: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)
