"""What rules may ask of other programs' exporters is what these say of real servers, by name and by label."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from tenacity import Retrying, stop_after_delay, wait_fixed

from conftest import Server
from lake.observe.lint.known import listed
from lake.runtime.artifacts import artifacts
from lake.runtime.observe import MYSQL_COLLECTORS, NODE_COLLECTORS
from lake.settings import PROJECT, settings
from tests.integration.alerts.conftest import free_port, start_alertmanager

__all__ = ["start_alertmanager"]
LISTS = PROJECT / "infra" / "prometheus" / "metrics"
PATIENCE_SECONDS = 30


def _told(url: str) -> dict[str, frozenset[str]]:
    """The metrics of a page, with all labels that any of their series has."""
    found: dict[str, frozenset[str]] = {}
    text = httpx.get(url, timeout=30).raise_for_status().text
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[sample.name] = found.get(sample.name, frozenset()) | sample.labels.keys()
    return found


@contextmanager
def _running(name: str, tmp_path: Path, *arguments: str) -> Iterator[str]:
    """Address of the page of one of the exporters, while it runs."""
    part = artifacts()["prometheus"]
    if not part.is_installed:
        pytest.skip("missing part: prometheus is not installed; `make setup` says why")
    url = f"http://127.0.0.1:{(port := free_port())}/metrics"
    command = [part.folder / "usr" / "bin" / name, f"--web.listen-address=127.0.0.1:{port}", *arguments]
    with open(tmp_path / f"{port}.log", "wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        for attempt in Retrying(stop=stop_after_delay(PATIENCE_SECONDS), wait=wait_fixed(0.1), reraise=True):
            with attempt:
                assert process.poll() is None, (tmp_path / f"{port}.log").read_text()
                httpx.get(url, timeout=10).raise_for_status()
        yield url
    finally:
        process.terminate()
        process.wait(10)


def _assert_told(file: str, told: dict[str, frozenset[str]], only: str = "") -> None:
    expected = listed(LISTS / file, only)
    assert expected
    assert {name: told.get(name) for name in expected} == expected


def test_mysqld_exporter(server: Server, replica_port: int, tmp_path: Path) -> None:
    login = tmp_path / "my.cnf"
    login.touch(mode=0o600)
    login.write_text(f"[client]\nuser={server.user}\npassword={server.password}\n")
    told: dict[str, frozenset[str]] = {}
    for port in (server.port, replica_port):
        address = f"--mysqld.address={server.host}:{port}", f"--config.my-cnf={login}"
        collectors = (f"--collect.{name}" for name in MYSQL_COLLECTORS)
        with _running("prometheus-mysqld-exporter", tmp_path, *address, *collectors) as url:
            told |= _told(url)
    _assert_told("mysql.txt", told, only=server.kind)


def test_node_exporter(tmp_path: Path) -> None:
    chosen = ("--collector.disable-defaults", *(f"--collector.{name}" for name in NODE_COLLECTORS))
    with _running("prometheus-node-exporter", tmp_path, *chosen) as url:
        _assert_told("node.txt", _told(url))


def test_prometheus(tmp_path: Path) -> None:
    (tmp_path / "prometheus.yml").write_text("scrape_configs: []\n")
    with _running(
        "prometheus", tmp_path, f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/data"
    ) as url:
        _assert_told("prometheus.txt", _told(url))


def test_alertmanager(start_alertmanager: Callable[..., None]) -> None:
    start_alertmanager()
    _assert_told("alertmanager.txt", _told(f"{settings().alertmanager_url}/metrics"))
