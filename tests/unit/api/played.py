"""The services behind the API, played: Trino, the catalog's head, the receipts and the cache."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import sqlglot

from lake.api.published import Lake
from lake.api.routes.products import COLUMNS
from lake.errors import ServiceError
from lake.ledger.receipts import Listed, Receipt

COMMITS = {"r1": "1" * 64, "r2": "2" * 64}
VALUES = {COMMITS["r1"]: Decimal("10.50"), COMMITS["r2"]: Decimal("20.50")}
"""Of every metric."""

PRODUCTS = 7


def receipt(run_id: str, **more: Any) -> Receipt:
    """A receipt of one of the two runs, or of another with a commit of its own."""
    day = 26 + int(run_id[1:]) if run_id[1:].isdecimal() else 27
    made = Receipt(
        run_id=run_id,
        lake_commit=COMMITS.get(run_id, run_id[-1] * 64),
        source_instant=f"2026-11-{day}T11:59:00+00:00",
        source_position="0-1-5",
        published_at=f"2026-11-{day}T12:00:00+00:00",
        code_version="0.1.0",
        dbt_manifest_sha256="ab",
        tables={"orders": {"source": "shop", "mode": "full", "read": 5, "held_since": "", "verified_through": ""}},
        layers={"cleaned": 5},
        checks={"checks": 3, "failed": 0, "warnings": ["w"], "docs": ""},
    )
    return replace(made, **more)


class Ledger:
    """Receipts, and main's history: a publish each."""

    def __init__(self) -> None:
        self.receipts: dict[str, Receipt] = {}
        self.messages: list[tuple[str, str]] = []
        self.heads = 0
        self.is_away = False

    def publish(self, run_id: str, has_receipt: bool = True) -> None:
        self.messages.insert(0, (COMMITS.get(run_id, run_id[-1] * 64), f"publish run_{run_id}"))
        if has_receipt:
            self.receipts[run_id] = receipt(run_id)

    async def head(self) -> str:
        if self.is_away:
            raise ServiceError("the catalog is away", "start it")
        self.heads += 1
        return self.messages[0][0] if self.messages else "0" * 64

    def find(self, run_id: str) -> Receipt | None:
        return self.receipts.get(run_id)

    def listed(self) -> list[Listed]:
        return sorted((Listed(each.published_at, each.run_id) for each in self.receipts.values()), reverse=True)


class Trino:
    """Answers questions about products and metrics from a list of rows; keeps what it was asked.

    Attributes:
        before: called with each question, in its thread.
        found: names of columns and rows with which everything is answered.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[Lake, str, tuple[Any, ...]]] = []
        self.before: Callable[[], None] = lambda: None
        self.found: tuple[list[str], list[list[Any]]] | None = None
        self._lock = threading.Lock()

    def ask(self, lake: Lake, statement: str, values: Sequence[Any] = ()) -> tuple[list[str], list[list[Any]]]:
        with self._lock:
            self.asked.append((lake, statement, tuple(values)))
        self.before()
        if self.found is not None:
            return self.found
        if "curated.dim_product" in statement:
            return list(COLUMNS), self._products(statement, values)
        names = sqlglot.parse_one(statement, dialect="trino").named_selects
        return names, [[self._value(name) for name in names[:-1]] + [VALUES[lake.commit]]]

    def _products(self, statement: str, values: Sequence[Any]) -> list[list[Any]]:
        if "LIMIT" in statement:
            after, most = values
            return [product(number) for number in range(1, PRODUCTS + 1) if number > after][:most]
        return [product(number) for number in range(1, PRODUCTS + 1) if number == values[0]]

    @staticmethod
    def _value(name: str) -> Any:
        return date(2026, 1, 1) if name.startswith("metric_time__") else f"a {name}"


def product(number: int) -> list[Any]:
    """The row of a product."""
    return [number, f"MILK {number}", "GROCERY", 3, "DAIRY", None, "MILK", "1 GA", Decimal("2.70"), True]


class Cache:
    """A cache in memory, which can go away."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.locks: dict[str, str] = {}
        self.is_away = False

    async def get(self, key: str) -> bytes | None:
        return None if self.is_away else self.kept.get(key)

    async def put(self, key: str, value: bytes) -> None:
        if not self.is_away:
            self.kept[key] = value

    async def lock(self, key: str, seconds: float) -> str | None:
        if self.is_away:
            return ""
        return None if self.locks.setdefault(key, "token") != "token" else "token"

    async def unlock(self, key: str, token: str) -> None:
        self.locks.pop(key, None)

    async def ping(self) -> bool:
        return not self.is_away

    async def close(self) -> None:
        pass
