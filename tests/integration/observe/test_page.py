"""The command `lake exporter` beside real servers, as Prometheus sees it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from tenacity import Retrying, stop_after_delay, wait_fixed

from lake.observe.metrics import METRICS
from lake.settings import PROJECT, settings

PATIENCE_SECONDS = 180
OF_THE_LAKE = ("receipts", "freshness", "audit", "lake", "branches", "parity", "replication", "shop")
"""Collectors that ask no Airflow."""


@dataclass(frozen=True)
class Exporter:
    """The process, and where it listens."""

    process: subprocess.Popen[bytes]
    address: str
    log: Path

    def values(self) -> dict[tuple[str, tuple[str, ...]], float]:
        """What the page holds, by name and values of labels."""
        text = httpx.get(f"{self.address}/metrics", timeout=30).raise_for_status().text
        return {
            (sample.name, tuple(sample.labels.values())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }


@pytest.fixture(scope="module")
def exporter(iceberg: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exporter]:
    """The command, once every collector has been through."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path_factory.mktemp("exporter") / "log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "lake.commands", "exporter"],
            cwd=PROJECT,
            env={**os.environ, "LAKE_EXPORTER_PORT": str(port)},
            stdout=stream,
            stderr=stream,
        )
    started = Exporter(process, f"http://127.0.0.1:{port}", log)
    try:
        for attempt in Retrying(stop=stop_after_delay(PATIENCE_SECONDS), wait=wait_fixed(0.5), reraise=True):
            with attempt:
                assert process.poll() is None, log.read_text()
                answer = httpx.get(f"{started.address}/readyz", timeout=10)
                assert answer.status_code == 200, answer.text + log.read_text()
        yield started
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(60)
    assert code == 0, log.read_text()


def test_a_lake_that_may_be_empty_gives_a_whole_page(exporter: Exporter) -> None:
    found = exporter.values()
    names = {metric.name for metric in METRICS}
    assert {name for name, _ in found} <= names
    up = {labels[0]: value for (name, labels), value in found.items() if name == "shoplake_exporter_up"}
    assert {name: up[name] for name in OF_THE_LAKE} == dict.fromkeys(OF_THE_LAKE, 1), exporter.log.read_text()
    assert found["shoplake_branches", ("run",)] >= 0


def test_the_source_and_its_replication(exporter: Exporter) -> None:
    found, name = exporter.values(), settings().source_name
    assert found["shoplake_source_up", (name,)] == 1
    assert found["shoplake_replication_running", (name, "io")] == 1
    assert found["shoplake_replication_running", (name, "sql")] == 1
    assert found["shoplake_replication_lag_seconds", (name,)] >= 0
    assert found["shoplake_replication_lag_transactions", (name,)] >= 0


def test_it_is_well(exporter: Exporter) -> None:
    answer = httpx.get(f"{exporter.address}/healthz", timeout=10)
    assert (answer.status_code, answer.text) == (200, "well\n")


def test_its_log_holds_no_secret(exporter: Exporter) -> None:
    text = exporter.log.read_text()
    assert "metrics are at http://127.0.0.1:" in text
    for secret in (settings().source_password, settings().s3_secret_key, settings().airflow_password):
        assert secret.get_secret_value() and secret.get_secret_value() not in text
