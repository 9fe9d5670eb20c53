"""What is made of what sources and primaries answer; that they answer so, a test on real ones shows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pydantic import SecretStr

from lake.errors import SourceError
from lake.observe import replication
from lake.observe.replication import Progress, Replications, primary_of
from lake.settings import Settings
from lake.source import sources
from lake.source.dialect import Replication
from lake.source.sources import Source
from tests.unit.observe.test_published import shown


def source(name: str = "crm", port: int = 1) -> Source:
    return Source(name, "h", port, "u", "d", SecretStr("p"))


WELL = Replication(False, True, "", 0.0, is_receiving=True, received="0-1-100")
APPLIER_STANDS = Replication(True, False, "Duplicate entry", None, is_receiving=True, received="0-1-100")


class Servers:
    """Replicas by name, and primaries by port: what each says."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.replication: dict[str, list[Replication] | None] = {}
        self.applied: dict[str, int] = {}
        self.committed: dict[int, int] = {}
        self.left: list[str] = []

    @contextmanager
    def connected(self, origin: Source, reply_seconds: int) -> Iterator[Source]:
        assert reply_seconds <= 10
        if origin.name not in self.replication and origin.port not in self.committed:
            raise SourceError(f"cannot connect to {origin.name}")
        yield origin
        self.left.append(origin.name)

    def detect(self, connection: Source) -> Any:
        servers = self

        class Dialect:
            def replication(self, of: Source) -> list[Replication] | None:
                return servers.replication[of.name]

            def committed(self, of: Source) -> str:
                return f"0-1-{servers.committed[of.port]}"

            def transactions(self, gtids: str) -> int:
                return int(gtids.rpartition("-")[2])

            def not_applied(self, of: Source, gtids: str) -> int:
                return max(0, self.transactions(gtids) - servers.applied[of.name])

        return Dialect()


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> Servers:
    found = Servers()
    monkeypatch.setattr(replication.client, "connected", found.connected)
    monkeypatch.setattr(replication, "detect", found.detect)
    return found


@pytest.fixture
def asked(servers: Servers) -> Replications:
    return Replications(lambda: servers.now)


def test_a_source_that_is_no_replica(servers: Servers, asked: Replications) -> None:
    servers.replication["crm"] = []
    assert shown(asked.of_source(source())) == {("source_up", "crm"): 1}


def test_a_source_whose_user_may_not_ask(servers: Servers, asked: Replications) -> None:
    servers.replication["crm"] = None
    assert shown(asked.of_source(source())) == {("source_up", "crm"): 1}


def test_a_source_that_is_away_keeps_nothing_of_the_others_back(
    servers: Servers, asked: Replications, monkeypatch: pytest.MonkeyPatch
) -> None:
    servers.replication["crm"] = []
    monkeypatch.setattr(sources, "known", lambda: {name: source(name) for name in ("away", "crm")})
    assert shown(asked.collect()) == {("source_up", "away"): 0, ("source_up", "crm"): 1}


def test_a_replica_alone_tells_what_it_can(servers: Servers, asked: Replications) -> None:
    servers.replication["crm"], servers.applied["crm"] = (
        [Replication(False, True, "", 7.0, is_receiving=True, received="0-1-100")],
        90,
    )
    assert shown(asked.of_source(source())) == {
        ("source_up", "crm"): 1,
        ("replication_running", "crm", "io"): 1,
        ("replication_running", "crm", "sql"): 1,
        ("replication_lag_seconds", "crm"): 7,
        ("replication_lag_transactions", "crm"): 10,
    }


def test_a_replica_alone_that_stands_does_not_know_for_how_long(servers: Servers, asked: Replications) -> None:
    servers.replication["crm"], servers.applied["crm"] = [APPLIER_STANDS], 40
    found = shown(asked.of_source(source()))
    assert ("replication_lag_seconds", "crm") not in found
    assert found["replication_running", "crm", "sql"] == 0
    assert found["replication_lag_transactions", "crm"] == 60


def test_a_replica_without_gtids_tells_no_transactions(servers: Servers, asked: Replications) -> None:
    servers.replication["crm"] = [Replication(False, True, "", 3.0, is_receiving=True)]
    found = shown(asked.of_source(source()))
    assert found["replication_lag_seconds", "crm"] == 3
    assert ("replication_lag_transactions", "crm") not in found


def test_one_of_several_primaries_is_enough_to_stand(servers: Servers, asked: Replications) -> None:
    servers.replication["crm"], servers.applied["crm"] = [WELL, Replication(True, True, "", None)], 100
    found = shown(asked.of_source(source()))
    assert (found["replication_running", "crm", "io"], found["replication_running", "crm", "sql"]) == (0, 1)
    assert ("replication_lag_seconds", "crm") not in found


def lag(servers: Servers, asked: Replications, committed: int, applied: int, now: float) -> tuple[float, float]:
    """Lag in seconds and transactions, asked of both at an instant."""
    servers.committed[2], servers.applied["crm"], servers.now = committed, applied, now
    found = shown(asked.of_source(source(), primary=source("primary", 2)))
    return found["replication_lag_seconds", "crm"], found["replication_lag_transactions", "crm"]


def test_the_lag_of_a_replica_that_stands_grows(servers: Servers, asked: Replications) -> None:
    servers.replication["crm"] = [APPLIER_STANDS]
    assert lag(servers, asked, 100, 100, 1000) == (0, 0)
    assert lag(servers, asked, 105, 100, 1010) == (0, 5)
    assert lag(servers, asked, 130, 100, 1020) == (10, 30)
    assert lag(servers, asked, 130, 100, 1300) == (290, 30)
    assert lag(servers, asked, 130, 105, 1310) == (290, 25)  # what it has not was there at 1020
    assert lag(servers, asked, 130, 130, 1320) == (0, 0)


def test_a_replica_that_receives_nothing_does_not_count_as_level(servers: Servers, asked: Replications) -> None:
    servers.replication["crm"] = [Replication(False, True, "", 0.0, is_receiving=False, received="0-1-100")]
    lag(servers, asked, 100, 100, 1000)
    lag(servers, asked, 160, 100, 1010)
    assert lag(servers, asked, 160, 100, 1070) == (60, 60)


def test_what_the_replica_says_counts_where_it_is_more(servers: Servers, asked: Replications) -> None:
    servers.replication["crm"] = [Replication(False, True, "", 500.0, is_receiving=True)]
    assert lag(servers, asked, 100, 99, 1000) == (500, 1)  # the exporter has only just begun
    assert lag(servers, asked, 100, 100, 1010) == (0, 0)


def test_a_primary_that_is_away_leaves_what_the_replica_knows(servers: Servers, asked: Replications) -> None:
    servers.replication["crm"], servers.applied["crm"] = [WELL], 98
    found = shown(asked.of_source(source(), primary=source("primary", 2)))
    assert (found["replication_lag_seconds", "crm"], found["replication_lag_transactions", "crm"]) == (0, 2)


def test_a_primary_that_was_made_anew() -> None:
    progress = Progress()
    progress.note(1, 1000)
    progress.note(2, 5)
    assert progress.missing_since(2) == 2
    assert progress.missing_since(0) is None
    assert Progress().missing_since(3) is None


def test_only_the_primary_of_the_shop_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replication, "settings", lambda: Settings(shop_host="p", shop_port=7, source_name="shop"))
    found = primary_of(source("shop"))
    assert found is not None and (found.host, found.port, found.user, found.database) == ("p", 7, "u", "d")
    assert primary_of(source("crm")) is None
    monkeypatch.setattr(replication, "settings", lambda: Settings(shop_host="h", shop_port=1, source_name="shop"))
    assert primary_of(source("shop")) is None  # one server is both
