"""One platform serves the whole session: every service is started once, on free ports, in a scratch folder."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest

from lake.settings import Settings

PROJECT = Path(__file__).resolve().parent


def _free_offset() -> int:
    """An offset at which every default port is free."""
    ports = [field.default for name, field in Settings.model_fields.items() if name.endswith("_port")]
    for offset in range(1000 + os.getpid() % 50 * 10, 2500, 10):
        sockets = [socket.socket() for _ in ports]
        try:
            for candidate, port in zip(sockets, ports, strict=True):
                candidate.bind(("127.0.0.1", port + offset))
            return offset
        except OSError:
            continue
        finally:
            for candidate in sockets:
                candidate.close()
    raise RuntimeError("no port offset between 1000 and 2500 is free")


# A platform that is up already can be named, with its offset in LAKE_PORT_OFFSET, to try a test again quickly.
RUNNING = os.environ.get("LAKE_TEST_HOME")

# Before anything reads the settings. The folder must be open to the users that servers run as which refuse root.
if RUNNING:
    os.environ["LAKE_HOME"] = RUNNING
else:
    os.environ["LAKE_HOME"] = mkdtemp(prefix="shoplake-test-")
    Path(os.environ["LAKE_HOME"]).chmod(0o755)
    os.environ["LAKE_PORT_OFFSET"] = str(_free_offset())
    # A scheduled run at the full hour would take what a test has just changed.
    os.environ["LAKE_PIPELINE_SCHEDULE"] = ""
    # Tests write contracts of their own.
    os.environ["LAKE_CONTRACTS"] = shutil.copytree(
        PROJECT / "lake" / "contracts" / "shop", Path(os.environ["LAKE_HOME"]) / "contracts" / "shop"
    ).parent.as_posix()


def _runtime(command: str) -> None:
    subprocess.run([sys.executable, "-m", "lake.commands", command], cwd=PROJECT, check=True, timeout=600)


@pytest.fixture(scope="session")
def platform() -> Iterator[None]:
    """Every service of the runtime, healthy."""
    from lake.settings import settings

    if RUNNING:
        yield
        return
    try:
        _runtime("up")
        settings.cache_clear()
        yield
    finally:
        _runtime("down")


@pytest.fixture
def shop_database(platform: None) -> Iterator[tuple[str, int, str, str, str]]:
    """Host, port, user, password and name of an empty database on the primary, dropped afterwards."""
    import pymysql

    from lake.settings import settings

    config = settings()
    name = f"test_{uuid.uuid4().hex[:12]}"
    password = config.mysql_root_password.get_secret_value()
    with pymysql.connect(
        host=config.shop_host, port=config.shop_port, user="root", password=password, autocommit=True, local_infile=True
    ) as connection:
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name}")
        yield config.shop_host, config.shop_port, "root", password, name
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name}")


def pytest_sessionfinish() -> None:
    """Remove the scratch folder."""
    if not RUNNING:
        shutil.rmtree(os.environ["LAKE_HOME"], ignore_errors=True)
