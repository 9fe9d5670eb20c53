"""One platform serves the whole session: every service is started once, on free ports, in a scratch folder.

What a test asks for, from small to large:

- ``server``: a MariaDB and then a MySQL. Every test that asks for it, itself or through another fixture, runs on both.
  ``server_kind`` is only the name of it, for tests that start servers of their own.
- ``shop_database``: an empty database on the primary of ``server``, dropped afterwards.
- ``replica_port``: where the replica of ``server`` listens.
- ``servers``: all of these and the object store, without the rest of the platform.
- ``iceberg``: the catalog as well, for tables that are written without an engine.
- ``engines``: Spark and Trino as well, for a lake whose catalog is the test's own.
- ``platform``: every service. The shop of the settings is on MariaDB, MySQL stands beside it.

What can be set:

- ``LAKE_TEST_REQUIRES_ALL=1``: a test that would be skipped because this machine lacks a part, such as MySQL, fails. So
  does CI. (The reason of such a skip begins with ``missing part: ``.)
- ``LAKE_TEST_REDUCED=1``: what is marked ``thorough`` is left out, and a test that asks for ``server`` runs on one of
  the two alone, half of them on each, always the same; those that are marked ``both_servers`` still run on both. So
  does a test that asks for a ``branch`` of each way in which tables are cleaned: it runs in one of them.
  `make test` does so, to end in time on a slow machine; `make test-thorough` runs them all.
- ``LAKE_TEST_SERVERS=mysql://root:password@host:port,…``: other servers take the place of the two.
- ``LAKE_TEST_HOME``: state folder of a platform that is up already, with its offset in ``LAKE_PORT_OFFSET``, to try a
  test again quickly. `LAKE_SECOND_SERVER=mysql lake up mariadb-replica mariadb-primary mysql-primary mysql-replica
  minio` starts as much as ``servers`` does.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from types import FrameType
from typing import Any
from urllib.parse import quote, unquote, urlsplit
from zlib import crc32

import pytest

from lake.runtime.artifacts import artifacts
from lake.runtime.ports import free_offset
from tests.leaks import leaks

PROJECT = Path(__file__).resolve().parent
MISSING = "missing part: "


OFFSETS = range(1000 + os.getpid() % 50 * 10, 2500, 10)
"""Of the ports, of which the first is taken that is free as a whole: sessions side by side begin at different ones."""

RUNNING = os.environ.get("LAKE_TEST_HOME")

# Before anything reads the settings. The folder must be open to the users that servers run as which refuse root.
if RUNNING:
    os.environ["LAKE_HOME"] = RUNNING
else:
    os.environ["LAKE_HOME"] = mkdtemp(prefix="shoplake-test-")
    Path(os.environ["LAKE_HOME"]).chmod(0o755)
    os.environ["LAKE_PORT_OFFSET"] = str(free_offset(OFFSETS))
    # A scheduled run at the full hour would take what a test has just changed.
    os.environ["LAKE_PIPELINE_SCHEDULE"] = ""
    # And what tests break would be told by more than the test.
    os.environ["LAKE_WATCH_SCHEDULE"] = ""
    # Tests write contracts of their own.
    os.environ["LAKE_CONTRACTS"] = shutil.copytree(
        PROJECT / "lake" / "contracts" / "shop", Path(os.environ["LAKE_HOME"]) / "contracts" / "shop"
    ).parent.as_posix()
    # And DAGs.
    os.environ["LAKE_DAGS"] = shutil.copytree(PROJECT / "dags", Path(os.environ["LAKE_HOME"]) / "dags").as_posix()


# -- the platform
KINDS = ("mariadb", "mysql")
SHOP = os.environ.get("LAKE_SHOP_SERVER", "mariadb")
(SECOND,) = set(KINDS) - {SHOP}
WAYS = ("spark", "memory", "deletes")
"""In which tables are cleaned: by Spark; in memory, written anew; in memory, with rows deleted beside the data."""


def _runtime(command: str, *services: str) -> None:
    # The second server is remembered in the state folder. A session of its own, since Ctrl-C reaches the whole one of
    # the terminal: `down` must end its work, and `up` is followed by `down` however far it came.
    environment = {**os.environ, "LAKE_SECOND_SERVER": SECOND if _can_have(SECOND) else ""}
    subprocess.run(
        [sys.executable, "-m", "lake.commands", command, *services],
        cwd=PROJECT,
        env=environment,
        check=True,
        timeout=600,
        start_new_session=True,
    )


def _can_have(kind: str) -> bool:
    return kind == "mariadb" or artifacts()[kind].is_installed


@pytest.fixture(scope="session")
def servers() -> Iterator[None]:
    """Primaries and replicas of both kinds, and the object store, healthy."""
    from lake.settings import settings

    if RUNNING:
        yield
        return
    kinds = [kind for kind in KINDS if _can_have(kind)]
    try:
        _runtime("up", *(f"{kind}-{role}" for kind in kinds for role in ("primary", "replica")), "minio")
        settings.cache_clear()
        yield
    finally:
        _runtime("down")
    # Whatever the tests have made the services do.
    told = list(leaks(settings().home))
    assert not told, told


@pytest.fixture(scope="session")
def iceberg(servers: None) -> None:
    """The catalog beside the servers and the object store, with the namespaces of all layers."""
    from lake.layers import raw
    from lake.platform.catalog import MAIN

    if not RUNNING:
        _runtime("up", "nessie")
    raw.prepare(MAIN)


@pytest.fixture(scope="session")
def engines(servers: None) -> None:
    """Spark and Trino beside the servers and the object store, without a catalog."""
    if not RUNNING:
        _runtime("up", "spark", "trino")


@pytest.fixture(scope="session")
def platform(servers: None) -> None:
    """Every service of the runtime, healthy."""
    if not RUNNING:
        _runtime("up")


# -- its database servers
@dataclass(frozen=True)
class Server:
    """A database server that a test runs on, as its administrator sees it.

    Attributes:
        kind: mariadb or mysql.
        port, replica_port: of the primary and of the replica that follows it; None where nothing does.
    """

    kind: str
    host: str
    port: int
    user: str
    password: str
    replica_port: int | None


NAMED = [address for address in os.environ.get("LAKE_TEST_SERVERS", "").split(",") if address]


@pytest.fixture(scope="session", params=NAMED or KINDS, ids=lambda name: name.rpartition("@")[2])
def server_kind(request: pytest.FixtureRequest) -> str:
    """``mariadb``, then ``mysql``; or the address of each server that ``LAKE_TEST_SERVERS`` names."""
    if request.param in KINDS and not _can_have(request.param):
        pytest.skip(f"{MISSING}{request.param} is not installed; `make setup` says why")
    return str(request.param)


@pytest.fixture(scope="session")
def server(server_kind: str, servers: None) -> Server:
    """A running server of each kind in turn."""
    if NAMED:
        parts = urlsplit(server_kind)
        login = unquote(parts.username or "root"), unquote(parts.password or "")
        return Server(parts.scheme, parts.hostname or "127.0.0.1", parts.port or 3306, *login, None)
    running = _running()
    if server_kind not in running:
        pytest.skip(f"{MISSING}{server_kind} does not run beside the platform in LAKE_TEST_HOME")
    return running[server_kind]


@pytest.fixture(scope="session")
def server_addresses(servers: None) -> dict[str, str]:
    """Address of each server that runs, by kind, with its administrator's login: for the tests of ``native/``."""
    return {
        kind: f"mysql://{each.user}:{quote(each.password)}@{each.host}:{each.port}" for kind, each in _running().items()
    }


def _running() -> dict[str, Server]:
    from lake.settings import settings

    config = settings()
    login = "root", config.mysql_root_password.get_secret_value()
    shop = Server(config.shop_server, config.shop_host, config.shop_port, *login, config.source_port)
    second = Server(config.second_server, "127.0.0.1", config.second_port, *login, config.second_replica_port)
    return {each.kind: each for each in (shop, second) if each.kind}


@pytest.fixture
def replica_port(server: Server) -> int:
    """Port of the server's replica, on the same host."""
    if server.replica_port is None:
        pytest.skip("a server that LAKE_TEST_SERVERS names has no replica")
    return server.replica_port


@pytest.fixture
def shop_database(server: Server) -> Iterator[tuple[str, int, str, str, str]]:
    """Host, port, user, password and name of an empty database on the primary, dropped afterwards."""
    import pymysql

    name = f"test_{uuid.uuid4().hex[:12]}"
    login = (server.host, server.port, server.user, server.password)
    host, port, user, password = login
    with pymysql.connect(host=host, port=port, user=user, password=password, autocommit=True) as connection:
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name}")
        yield *login, name
        connection.ping()  # a test may have taken longer than an idle connection lives
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name}")


# -- the session
pytest_plugins = ["tests.faults.record"]


def pytest_configure() -> None:
    """Let the session end in good order, services and all, also when it is told to end by a signal."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt(signal.Signals(number).name)

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what a reduced run does without."""
    if not os.environ.get("LAKE_TEST_REDUCED"):
        return
    left = {item for item in items if item.get_closest_marker("thorough") or _is_left_to_others(item)}
    config.hook.pytest_deselected(items=[*left])
    items[:] = [item for item in items if item not in left]


def _is_left_to_others(item: Any) -> bool:
    """Whether the test runs on another server, or in another way, instead."""
    asked = getattr(getattr(item, "callspec", None), "params", {})
    kinds = KINDS if not item.get_closest_marker("both_servers") and _can_have(SECOND) else ()
    for fixture, choices in (("server_kind", kinds), ("branch", WAYS)):
        if asked.get(fixture) in choices:
            same_for_all = f"{item.location[0]} {item.originalname} {item.callspec.id.replace(asked[fixture], '', 1)}"
            if asked[fixture] != choices[crc32(same_for_all.encode()) % len(choices)]:
                return True
    return False


@pytest.fixture(autouse=True)
def _settings_of_the_session() -> Iterator[None]:
    """Fail a test that leaves settings of another state folder behind, instead of all those after it."""
    from lake.settings import settings

    yield
    if settings.cache_info().currsize and settings().home != Path(os.environ["LAKE_HOME"]).resolve():
        left = settings().home
        settings.cache_clear()
        pytest.fail(f"this test leaves the settings of {left} behind: clear settings' cache after it", pytrace=False)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    """Take a skip for a missing part as a failure, where all parts are required."""
    outcome: Any = yield
    report = outcome.get_result()
    if report.skipped and isinstance(report.longrepr, tuple) and os.environ.get("LAKE_TEST_REQUIRES_ALL"):
        reason = report.longrepr[2]
        if MISSING in reason:
            report.outcome, report.longrepr = "failed", f"{reason} (LAKE_TEST_REQUIRES_ALL is set)"


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish() -> None:
    """Remove the scratch folder, after the fixtures of an interrupted session have stopped what runs in it."""
    if not RUNNING:
        shutil.rmtree(os.environ["LAKE_HOME"], ignore_errors=True)
