"""Lakes of a test's own over the running services, in which a fault can be put."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pymysql
import pytest
from tenacity import Retrying, stop_after_delay, wait_fixed
from typer.testing import CliRunner

from lake.commands.add_table import add_source, add_tables
from lake.commands.main import app
from lake.observe.doctor import examine
from lake.platform import storage
from lake.runtime import artifacts
from lake.settings import settings
from lake.source import sources

# The fixture is known by being imported.
from tests.integration.alerts.conftest import free_port, start_alertmanager  # noqa: F401


def doctor(*checks: str) -> list[dict[str, str]]:
    """What `lake doctor CHECK… --json` prints; its exit code is held against it."""
    result = CliRunner().invoke(app, ["doctor", *checks, "--json"])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    found: list[dict[str, str]] = json.loads(result.output)
    assert result.exit_code == any(each["state"] == "problem" for each in found)
    return found


@contextmanager
def answering(status: int = 200, body: bytes = b"", **headers: str) -> Iterator[int]:
    """Port of a stand-in for a service, which gives one answer to everything."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response_only(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing of it is of interest."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@dataclass(frozen=True)
class Lake:
    """A lake with a state folder and contracts of its own, no source, and no Alertmanager."""

    home: Path
    patch: pytest.MonkeyPatch
    request: pytest.FixtureRequest

    def set(self, **chosen: object) -> None:
        """Settings."""
        for name, value in chosen.items():
            self.patch.setenv(f"LAKE_{name.upper()}", str(value))
        settings.cache_clear()
        storage.filesystem.cache_clear()

    def start_alertmanager(self, **chosen: str) -> None:
        """Start one with some settings. Its fixture begins after ours, and so puts back its settings before ours."""
        port = free_port()
        self.request.getfixturevalue("start_alertmanager")(alertmanager_port=str(port), **chosen)
        self.set(alertmanager_port=port)

    def be_later(self, days: float) -> None:
        """Let time pass."""
        later = examine.present() + timedelta(days=days)
        self.patch.setattr(examine, "present", lambda: later)


@pytest.fixture
def lake(iceberg: None, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Lake]:
    """A lake beside the session's, on its services."""
    settings.cache_clear()
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    for file in settings().home.glob("*.env"):
        shutil.copy(file, home)
    # A patch of our own: the Alertmanager's fixture undoes the test's.
    with pytest.MonkeyPatch.context() as patch:
        own = Lake(home, patch, request)
        own.set(trino_ca_file=settings().trino_ca)
        own.set(home=home, contracts=tmp_path / "contracts", source_host="", alertmanager_port=1)
        yield own
    settings.cache_clear()
    artifacts.artifacts.cache_clear()
    storage.filesystem.cache_clear()


@dataclass(frozen=True)
class Followed(Lake):
    """A lake that reads one table over a replica.

    Attributes:
        kind: of server.
        reader: the user that it reads as.
        database: that it reads.
        port: of the replica.
        ask: asks the replica as its administrator, who leaves nothing in its binlog.
        write: asks the primary.
    """

    kind: str
    reader: str
    database: str
    port: int
    ask: Callable[[str], list[tuple[Any, ...]]]
    write: Callable[[str], object]


RIGHTS = {
    "mariadb": "REPLICA MONITOR, BINLOG MONITOR, REPLICATION SLAVE",
    "mysql": "REPLICATION CLIENT, REPLICATION SLAVE",
}
PASSWORD = "Reader-1"


@pytest.fixture
def followed(
    lake: Lake, server: Any, replica_port: int, shop_database: tuple[str, int, str, str, str]
) -> Iterator[Followed]:
    """A replica that all is well with."""
    host, port, user, password, database = shop_database
    reader = f"reader_{database[-8:]}"
    login = {"host": host, "user": user, "password": password, "autocommit": True}
    with (
        pymysql.connect(port=port, database=database, **login) as primary,
        pymysql.connect(port=replica_port, **login) as replica,
    ):
        for statement in (
            "CREATE TABLE visits (id INT PRIMARY KEY, note TEXT, updated_at DATETIME(6) NOT NULL"
            " DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6))",
            f"CREATE USER {reader} IDENTIFIED BY '{PASSWORD}'",
            f"GRANT SELECT, SHOW VIEW ON {database}.* TO {reader}",
            f"GRANT {RIGHTS[server.kind]} ON *.* TO {reader}",
        ):
            primary.cursor().execute(statement)

        def ask(statement: str) -> list[tuple[Any, ...]]:
            with replica.cursor() as cursor:
                cursor.execute(statement)
                return list(cursor.fetchall())

        origin = sources.from_url(f"mysql://{reader}:{PASSWORD}@{host}:{replica_port}/{database}", "crm")
        try:
            for attempt in Retrying(stop=stop_after_delay(60), wait=wait_fixed(0.1), reraise=True):
                with attempt:
                    assert f"{reader}" in str(ask(f"SHOW GRANTS FOR {reader}"))
                    assert RIGHTS[server.kind].split(", ")[-1] in str(ask(f"SHOW GRANTS FOR {reader}"))
            ask("SET sql_log_bin = 0")
            add_source(origin)
            add_tables([], every=True)
            primary.ping()
            yield Followed(
                lake.home,
                lake.patch,
                lake.request,
                server.kind,
                reader,
                database,
                replica_port,
                ask,
                primary.query,
            )
        finally:
            primary.ping()
            primary.cursor().execute(f"DROP USER {reader}")
