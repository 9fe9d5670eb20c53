"""Asks the index every judged query, in several ways, and measures the answers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from heapq import nlargest
from statistics import fmean
from typing import Any

from lake.errors import LakeError
from lake.search import ask, store
from lake.search.query import Asked, Way
from lake.search.relevance import judged, measures
from lake.search.relevance.judged import WANTED, Judged, Query

OURS, BM25, LITERALLY = "ours", "bm25", "without_synonyms"
"""The search as it is; plain BM25 over all of a product's words; ours without its synonyms."""


@dataclass(frozen=True)
class Kept:
    """What of a product is judged, as the index has it."""

    name: str
    category: str
    kind: str
    brand: str | None = None
    size: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What one way of searching made of a query.

    Attributes:
        is_found: whether it found anything, right or wrong.
    """

    query: Query
    ndcg: float
    reciprocal_rank: float
    is_found: bool


@dataclass(frozen=True)
class Figures:
    """Means over some queries."""

    ndcg: float
    mrr: float
    zero_results: float

    @classmethod
    def of(cls, outcomes: Collection[Outcome]) -> Figures:
        """Those of some outcomes."""
        return cls(
            fmean(each.ndcg for each in outcomes),
            fmean(each.reciprocal_rank for each in outcomes),
            fmean(not each.is_found for each in outcomes),
        )

    def to_json(self) -> dict[str, float]:
        """Under the names that people know."""
        return {
            "ndcg@10": round(self.ndcg, 4),
            "mrr": round(self.mrr, 4),
            "zero_results": round(self.zero_results, 4),
        }


@dataclass(frozen=True)
class Evaluation:
    """The outcomes of all queries, by the way in which they were asked.

    Attributes:
        left_out: texts of the queries that no product of this shop answers.
    """

    receipt: str
    lake_commit: str
    products: int
    outcomes: Mapping[str, Sequence[Outcome]]
    left_out: tuple[str, ...]

    def figures(self, way: str, which: Callable[[Query], bool] = lambda query: True) -> Figures | None:
        """Of one way of searching and some queries; None where there are none of them."""
        chosen = [each for each in self.outcomes[way] if which(each.query)]
        return Figures.of(chosen) if chosen else None

    def to_json(self) -> dict[str, Any]:
        """``ours`` and ``bm25`` over all queries, and the same by half and by kind."""

        def told(which: Callable[[Query], bool]) -> dict[str, Any]:
            found = {way: self.figures(way, which) for way in self.outcomes}
            return {way: figures.to_json() for way, figures in found.items() if figures}

        kinds = dict.fromkeys(each.query.kind for each in self.outcomes[OURS])
        return {
            **told(lambda query: True),
            "queries": len(self.outcomes[OURS]),
            "left_out": list(self.left_out),
            "seen": told(lambda query: not query.is_held_out),
            "held_out": told(lambda query: query.is_held_out),
            "by_kind": {kind: told(partial(_is_of, kind)) for kind in kinds},
            "products": self.products,
            "receipt": self.receipt,
            "lake_commit": self.lake_commit,
        }


def _is_of(kind: str, query: Query) -> bool:
    return query.kind == kind


def evaluate() -> Evaluation:
    """Measure the index that is asked now.

    Raises:
        LakeError: there is no index, or none of its products answers any query: it is not of the demo shop.
        ServiceError: OpenSearch does not answer.
    """
    index = store.asked()
    if index is None:
        raise store.NoIndexError("there is no index to evaluate", "`lake search build` makes it")
    fields = ["name", "category", "kind", "brand", "size"]
    products = [Kept(**each) for each in store.scan(index.name, fields)]
    answered, left_out = best_of(judged.queries(), products)
    if not answered:
        raise LakeError(
            f"no product of {index.name} answers any of the judged queries",
            "they are of the demo shop (`lake shop load`); another shop needs queries of its own",
        )
    outcomes = {
        OURS: [_outcome(query, best, *_ours(query.text, "asked")) for query, best in answered],
        BM25: [_outcome(query, best, *_bm25(query.text)) for query, best in answered],
        LITERALLY: [_outcome(query, best, *_ours(query.text, "asked_literally")) for query, best in answered],
    }
    return Evaluation(index.about.receipt, index.about.lake_commit, len(products), outcomes, left_out)


def best_of(
    queries: Iterable[Query], products: Sequence[Kept]
) -> tuple[list[tuple[Query, list[int]]], tuple[str, ...]]:
    """The highest grades that there are among the products, of each query; and the texts of those that none answers."""
    alike: dict[Kept, int] = {}
    for product in products:
        alike[product] = alike.get(product, 0) + 1
    kinds: dict[tuple[str, str], list[tuple[Kept, int]]] = {}
    for product, count in alike.items():
        kinds.setdefault((product.category, product.kind), []).append((product, count))
    answered, left_out = [], []
    for query in queries:
        # A kind that is wrong is so for all of its products.
        some = [each for each in kinds.values() if query.grade(each[0][0])]
        grades = (query.grade(product) for each in some for product, count in each for _ in range(count))
        best = nlargest(measures.PLACES, grades)
        if best and best[0] == WANTED:
            answered.append((query, best))
        else:
            left_out.append(query.text)
    return answered, tuple(left_out)


def _outcome(query: Query, best: Sequence[int], shown: Sequence[Judged], is_found: bool) -> Outcome:
    grades = [query.grade(product) for product in shown]
    return Outcome(query, measures.ndcg(grades, best), measures.reciprocal_rank(grades, WANTED), is_found)


def _ours(text: str, analyzer: str) -> tuple[Sequence[Judged], bool]:
    answer = ask.search(Asked(text, limit=measures.PLACES, facets=False), analyzer=analyzer)
    # What sells best is shown to people, and is no answer.
    return ((), False) if answer.way is Way.popular else (answer.hits, answer.is_found)


def _bm25(text: str) -> tuple[Sequence[Judged], bool]:
    hits = ask.plain(text, measures.PLACES)
    return hits, bool(hits)
