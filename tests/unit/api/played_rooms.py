"""The rooms beside the lake, played: OpenSearch with an index of the products, and the branch of recommendations."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import pyarrow as pa
from opensearchpy import exceptions
from pyiceberg.catalog import Catalog
from pyiceberg.expressions import BooleanExpression
from pyiceberg.expressions.visitors import bind
from pyiceberg.io.pyarrow import expression_to_pyarrow
from pyiceberg.schema import Schema, assign_fresh_schema_ids

from lake.errors import ServiceError
from lake.recommend import tables
from lake.search.index import PRODUCTS, About
from tests.unit.api.played import COMMITS

MILK = {
    "product_id": 3, "name": "MILK 3", "department": "GROCERY", "category": "DAIRY", "kind": "MILK", "brand": "Private",
    "price": "2.70", "orders": 12, "margin_rate": "0.3100",
}  # fmt: skip
BREAD = {**MILK, "product_id": 4, "name": "BREAD 4", "size": "1 LB", "brand": None, "orders": 90}


class Search:
    """OpenSearch as its client shows it: an index a receipt, which finds milk by its name and else what sells best.

    Attributes:
        asked: index and body of each question.
        before: called with each request for answers, in its thread.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.before: Callable[[], None] = lambda: None
        self.kept: dict[str, About] = {}
        self.now = ""
        self.is_away = False
        self.indices = self

    def publish(self, run_id: str) -> None:
        """Build the index of a receipt, as `lake.search.build` leaves things: that of the one before is kept."""
        before = self.now
        self.now = f"{PRODUCTS}-{run_id}-{len(self.asked)}"
        at = "2026-11-27T12:05:00+00:00"
        about = About(run_id, COMMITS.get(run_id, run_id[-1] * 64), "2026-11-27T11:59:00+00:00", at, 2, "f", before)
        self.kept = {name: each for name, each in self.kept.items() if name == before} | {self.now: about}

    def get_mapping(self, index: str) -> dict[str, Any]:
        self._here()
        name = self.now if index == PRODUCTS else index
        if name not in self.kept:
            raise exceptions.NotFoundError(404, "index_not_found_exception", {})
        return {name: {"mappings": {"_meta": self.kept[name].to_json()}}}

    def msearch(self, body: list[dict[str, Any]]) -> dict[str, Any]:
        self._here()
        self.before()
        questions = [(body[at]["index"], body[at + 1]) for at in range(0, len(body), 2)]
        self.asked += questions
        return {"responses": [self._answer(*each) for each in questions]}

    def _here(self) -> None:
        if self.is_away:
            raise exceptions.ConnectionError("N/A", "refused by 10.0.0.6", None)

    def _answer(self, index: str, body: dict[str, Any]) -> dict[str, Any]:
        if index.startswith(PRODUCTS) and index not in self.kept:
            return {"status": 404, "error": {"reason": f"no such index [{index}]"}}
        told: dict[str, Any] = {"timed_out": False, "_shards": {"failed": 0}}
        if "begun" in body.get("suggest", {}):
            option = {"_source": {"text": "milk white", "products": 2}}
            return {**told, "suggest": {"begun": [{"options": [option]}], "near": [{"options": [option]}]}}
        if "suggest" in body:
            like = {"options": [{"text": "milk"}], "offset": 0, "length": 4}
            return {**told, "suggest": {"words": [like] if body["suggest"]["text"] == "mikl" else []}}
        words = json.dumps(body["query"])
        hits = [BREAD, MILK] if "match_all" in words else [MILK] if '"milk"' in words else []
        counts = [{"key": "GROCERY", "doc_count": len(hits)}]
        told["hits"] = {"total": {"value": len(hits)}, "hits": [{"_source": each, "_score": 4.5} for each in hits]}
        if "aggs" in body:
            ranges = [{"to": 1.0, "doc_count": 0}, {"from": 2.0, "to": 5.0, "doc_count": len(hits)}]
            told["aggregations"] = {
                "department": {"values": {"buckets": counts}},
                "price": {"values": {"buckets": ranges}},
            }
        return told


class Branch:
    """The branch of recommendations: its tables as rows, and its head, which moves with each change."""

    def __init__(self) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = {name: [] for name in tables.SCHEMAS}
        self.commits = 0
        self.is_away = False
        self.reads: list[str] = []

    def publish(self, run_id: str) -> None:
        """A version in which customer 1 buys milk, and bread goes with milk, and cheese with both."""
        of = {"run_id": run_id, "lake_commit": COMMITS.get(run_id, run_id[-1] * 64)}
        bought = {"baskets": 3, "of_baskets": 4, "last_bought_date": date(2026, 11, 20), "like_you": 7}
        never = {"baskets": 0, "of_baskets": 4, "last_bought_date": None, "like_you": 5}
        self.rows[tables.NEXT_BASKET] += [
            {**of, "customer_id": 1, "slot": "new", "rank": 1, "product_id": 5, "score": 0.25, **never},
            {**of, "customer_id": 1, "slot": "usual", "rank": 1, "product_id": 3, "score": 0.75, **bought},
        ]
        pair = {"baskets": 6, "support": 0.125, "confidence": 0.5, "lift": 2.5}
        self.rows[tables.TOGETHER] += [
            {**of, "product_id": product, "rank": rank, "other_product_id": other, **pair}
            for product, rank, other in [(3, 1, 4), (3, 2, 5), (4, 1, 5), (4, 2, 3)]
        ]
        self.rows[tables.POPULAR] += [
            {**of, "segment": segment, "rank": 1, "product_id": product} for segment, product in [("", 3), ("25-34", 5)]
        ]
        at = datetime(2026, 11, 27, 12, 10, tzinfo=UTC) + timedelta(minutes=self.commits)
        self.rows[tables.VERSIONS].append({"at": at, **of, "event": "published", "reason": "", "card": "{}"})
        self.commits += 1

    def remove(self, customer_id: int) -> None:
        """As `tables.drop_customers` does."""
        rows = self.rows[tables.NEXT_BASKET]
        self.rows[tables.NEXT_BASKET] = [row for row in rows if row["customer_id"] != customer_id]
        self.commits += 1

    async def head(self) -> str:
        if self.is_away:
            raise ServiceError("the catalog is away at 10.0.0.7", "start it")
        return f"c{self.commits}" if self.commits else ""

    def find(self, name: str, branch: str = "") -> Table:
        assert branch == tables.BRANCH
        self.reads.append(name)
        return Table(name, pa.Table.from_pylist(self.rows[name], tables.SCHEMAS[name]))


class Table:
    """An Iceberg table, as far as it is read."""

    def __init__(self, name: str, content: pa.Table) -> None:
        self._name, self._content = name, content

    def scan(self, where: BooleanExpression, selected_fields: tuple[str, ...]) -> Table:
        meant = expression_to_pyarrow(bind(_schema(self._name), where, case_sensitive=True))
        return Table(self._name, self._content.filter(meant))

    def to_arrow(self) -> pa.Table:
        return self._content


@cache
def _schema(name: str) -> Schema:
    return assign_fresh_schema_ids(Catalog._convert_schema_if_needed(tables.SCHEMAS[name]))
