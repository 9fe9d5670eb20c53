"""The profile ``serve``: the API that the shop itself calls, Valkey, which keeps its answers, and product search.

docs/api.md tells what the API answers. Valkey is a cache and no more: it writes nothing to the disk, and the API goes
on without it. Product search (docs/search.md) has an OpenSearch of its own, so that no flood of logs and no full disk
of theirs takes anything from those who shop.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

from valkey import Valkey

from lake.runtime import opensearch
from lake.runtime.artifacts import PypiArtifact, artifacts
from lake.runtime.engines import http_ping, void
from lake.runtime.service import Service
from lake.settings import PROJECT, settings

PROFILE, SEARCH = "serve", "search"
SOURCES = PROJECT / "infra" / "valkey"
REPLY_SECONDS = 3


def services() -> list[Service]:
    """The cache, the node that holds the products, and the API."""
    config = settings()
    search = opensearch.node(SEARCH, config.search_port, config.search_memory_mib, PROFILE)
    return [_valkey(), search, _api()]


def _valkey() -> Service:
    config = settings()
    part = artifacts()["valkey"]
    assert isinstance(part, PypiArtifact)
    folder = config.home / "data" / "valkey"
    secret = folder / "password.conf"
    command = (
        str(part.folder / part.program),
        str(SOURCES / "valkey.conf"),
        "--bind",
        "127.0.0.1",
        "--port",
        str(config.cache_port),
        "--maxmemory",
        f"{config.cache_memory_mib}mb",
        "--include",
        str(secret),
    )
    return Service(
        name="valkey",
        address=f"valkey://127.0.0.1:{config.cache_port}",
        ports=(config.cache_port,),
        command=command,
        # The file is written when it starts; another password starts it anew.
        env={"PASSWORD_SHA256": hashlib.sha256(config.cache_password.get_secret_value().encode()).hexdigest()},
        reads=(SOURCES,),
        folder=folder,
        prepare=lambda: _write_password(secret),
        ping=_ping_valkey,
        profile=PROFILE,
        parts=("valkey",),
    )


def _write_password(file: Path) -> None:
    """In a file that its owner alone may read: an argument would stand in the list of processes."""
    password = settings().cache_password.get_secret_value().replace("\\", "\\\\").replace('"', '\\"')
    file.unlink(missing_ok=True)
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(f'requirepass "{password}"\n')


def _ping_valkey() -> None:
    config = settings()
    password = config.cache_password.get_secret_value()
    with Valkey("127.0.0.1", config.cache_port, password=password, socket_timeout=REPLY_SECONDS) as client:
        client.ping()


def _api() -> Service:
    config = settings()
    return Service(
        name="api",
        address=config.api_url,
        ports=(config.api_port,),
        command=(sys.executable, "-m", "lake.api"),
        env=_tracing(),
        folder=config.home / "data" / "api",
        needs=("nessie", "trino"),
        ping=lambda: void(http_ping(f"http://127.0.0.1:{config.api_port}/healthz")),
        profile=PROFILE,
    )


def _tracing() -> dict[str, str]:
    """OpenTelemetry's own variables, where the settings leave to them where spans go."""
    if settings().traces != "otlp":
        return {}
    return {name: value for name, value in os.environ.items() if name.startswith("OTEL_")}
