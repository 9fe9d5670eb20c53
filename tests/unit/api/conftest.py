"""The API with its services played."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient

from lake.api import indexes, keys, published, recommended
from lake.api.application import ROUTERS, application
from lake.api.defined import Defined
from lake.ledger import ops, receipts
from lake.metrics.definitions import Metrics
from lake.platform import catalog
from lake.search import store
from lake.settings import settings
from tests.unit.api.played import Cache, Ledger, Trino
from tests.unit.api.played_rooms import Branch, Search


@pytest.fixture(scope="session")
def metrics(metrics: Metrics) -> Defined:
    """The metrics of this checkout, as the API has them."""
    return Defined(metrics)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A state folder of its own, and a secret for cursors."""
    monkeypatch.setenv("LAKE_HOME", str(tmp_path))
    monkeypatch.setenv("LAKE_API_CURSOR_SECRET", "of cursors")
    settings.cache_clear()
    yield tmp_path
    monkeypatch.undo()
    settings.cache_clear()


@dataclass
class World:
    """The API, and what is behind it."""

    metrics: Defined
    ledger: Ledger
    trino: Trino
    cache: Cache
    search: Search
    branch: Branch
    secret: str

    def process(self) -> FastAPI:
        """A process of the API; all of them have the services in common."""
        return self.application()

    def application(self, routers: Iterable[APIRouter] = ROUTERS) -> FastAPI:
        """The same, with other routes."""
        make_cache = lambda observed: self.cache  # noqa: E731
        return application(self.metrics, self.ledger.head, self.trino, make_cache, routers, self.branch.head)

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.secret}"}


@pytest.fixture
def world(home: Path, metrics: Defined, monkeypatch: pytest.MonkeyPatch) -> World:
    """The API of a lake of which one run, r1, was published; with a key that may do all.

    The index and the recommendations are of r1 too.
    """
    ledger, trino, cache, search, branch = Ledger(), Trino(), Cache(), Search(), Branch()
    for each in (ledger, search, branch):
        each.publish("r1")
    monkeypatch.setattr(store, "client", lambda address: search)
    monkeypatch.setattr(ops, "find", branch.find)
    monkeypatch.setattr(indexes, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(recommended, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(receipts, "find", ledger.find)
    monkeypatch.setattr(receipts, "listed", ledger.listed)
    monkeypatch.setattr(receipts, "receipts", lambda: list(ledger.receipts.values()))
    commits = lambda reference: iter([SimpleNamespace(hash=h, message=m) for h, m in ledger.messages])  # noqa: E731
    monkeypatch.setattr(catalog, "history", commits)
    monkeypatch.setattr(published, "LOOK_SECONDS", 0.0)
    _, secret = keys.add("test", list(keys.SCOPES), 1, 100_000)
    return World(metrics, ledger, trino, cache, search, branch, secret)


@pytest.fixture
def client(world: World) -> Iterator[TestClient]:
    """A client with that key; an error that leaves the API fails the test."""
    with TestClient(world.process(), headers=world.bearer) as found:
        yield found
