"""The cache on a real Valkey, started as `lake up serve` starts it: kept, locked, away, and back again."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from valkey.exceptions import ValkeyError

from lake.api import cache as caches
from lake.api.cache import AWAY, ValkeyCache
from lake.api.observed import Observed
from lake.runtime import serve
from lake.settings import settings
from tests.parts import part
from tests.unit.api.conftest import World, home, metrics, world  # noqa: F401
from tests.unit.api.test_answers import counted

WAIT_SECONDS = 20
PASSWORD = 'of "the" cache\\ é'


class Server:
    """A Valkey of the test's own, which can be stopped and started."""

    def __init__(self) -> None:
        (self.service,) = [each for each in serve.services() if each.name == "valkey"]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.service.folder.mkdir(parents=True, exist_ok=True)
        self.service.prepare()
        with open(self.service.folder / "log", "ab") as log:
            self._process = subprocess.Popen(self.service.command, cwd=self.service.folder, stdout=log, stderr=log)
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            try:
                return self.service.ping()
            except (ValkeyError, OSError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def kill(self) -> None:
        if self._process:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(WAIT_SECONDS)
            self._process = None

    def freeze(self, frozen: bool) -> None:
        assert self._process
        self._process.send_signal(signal.SIGSTOP if frozen else signal.SIGCONT)


@pytest.fixture
def valkey(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:  # noqa: F811
    """A server that runs."""
    part("valkey")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    monkeypatch.setenv("LAKE_CACHE_PORT", str(port))
    monkeypatch.setenv("LAKE_CACHE_PASSWORD", PASSWORD)
    monkeypatch.setenv("LAKE_CACHE_MEMORY_MIB", "8")
    monkeypatch.setattr(caches, "REST_SECONDS", 0.1)
    settings.cache_clear()
    server = Server()
    server.start()
    yield server
    server.kill()


@asynccontextmanager
async def cached() -> AsyncIterator[ValkeyCache]:
    cache = ValkeyCache(Observed())
    try:
        yield cache
    finally:
        await cache.close()


async def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not await holds():  # type: ignore[misc]
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


def test_what_is_put_is_there_for_every_process_and_one_has_the_lock(valkey: Server) -> None:
    async def run() -> None:
        async with cached() as one, cached() as other:
            assert await one.get("k") is None
            await one.put("k", b"\x00value")
            assert await other.get("k") == b"\x00value"
            token = await one.lock("k", 5)
            assert token and await other.lock("k", 5) is None
            await other.unlock("k", "not the token")
            assert await other.lock("k", 5) is None
            await one.unlock("k", token)
            again = await other.lock("k", 0.1)
            assert again
            await asyncio.sleep(0.2)
            assert await one.lock("k", 5), "who died with a lock keeps it for its time alone"

    asyncio.run(run())


def test_more_than_fits_makes_room(valkey: Server) -> None:
    async def run() -> None:
        async with cached() as cache:
            for number in range(40):
                await cache.put(f"k{number}", b"x" * 500_000)
            assert await cache.get("k39") and await cache.get("k0") is None
            await cache.put("large", b"x" * (caches.LARGEST_BYTES + 1))
            assert await cache.get("large") is None

    asyncio.run(run())


def test_a_cache_that_dies_hangs_or_refuses_is_away_and_comes_back(
    valkey: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        async with cached() as cache:
            await cache.put("k", b"v")
            valkey.kill()
            assert await cache.get("k") is None and await cache.lock("k", 5) == AWAY
            assert not await cache.ping()
            valkey.start()
            await until(cache.ping)
            await cache.put("k", b"v")
            assert await cache.get("k") == b"v"
            valkey.freeze(True)
            began = time.monotonic()
            assert await cache.get("k") is None
            assert await cache.get("k") is None
            assert time.monotonic() - began < 4 * caches.REPLY_SECONDS, "one that hangs is waited for once"
            valkey.freeze(False)
            await until(cache.ping)
        monkeypatch.setenv("LAKE_CACHE_PASSWORD", "another")
        settings.cache_clear()
        async with cached() as cache:
            assert not await cache.ping() and await cache.get("k") is None

    asyncio.run(run())


def test_nobody_asks_it_without_the_password_and_it_writes_nothing(valkey: Server) -> None:
    with socket.create_connection(("127.0.0.1", settings().cache_port), timeout=5) as connection:
        connection.sendall(b"PING\r\n")
        assert connection.recv(100).startswith(b"-NOAUTH")
    assert PASSWORD not in " ".join(valkey.service.command)
    assert (valkey.service.folder / "password.conf").stat().st_mode & 0o777 == 0o600
    valkey.kill()
    assert {file.name for file in valkey.service.folder.iterdir()} == {"password.conf", "log"}


def test_of_two_processes_one_asks_the_lake(valkey: Server, world: World) -> None:  # noqa: F811
    from lake.api.application import application

    world.trino.before = lambda: time.sleep(0.5)
    apps = [application(world.metrics, world.ledger.head, world.trino) for _ in range(2)]
    with (
        TestClient(apps[0], headers=world.bearer) as one,
        TestClient(apps[1], headers=world.bearer) as other,
        ThreadPoolExecutor(8) as pool,
    ):
        found = list(pool.map(lambda client: client.get("/v1/products/3").status_code, [one, other] * 4))
        assert found == [200] * 8
        assert len(world.trino.asked) == 1
        valkey.kill()
        world.ledger.publish("r2")
        assert one.get("/v1/products/3").json()["receipt"] == "r2"
        assert counted(one, "shoplake_api_cache_up") == 0
        assert counted(one, 'shoplake_api_cache_total{outcome="away"}') == 1
        assert len(world.trino.asked) == 2
