"""The page over HTTP, as Prometheus asks for it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from lake.errors import ServiceError
from lake.observe import exporter
from lake.observe.collector import Collector
from lake.observe.exporter import Exporter, serving
from lake.observe.metrics import BRANCHES, ERRORS, METRICS, PUBLISHED, Sample
from lake.runtime.artifacts import artifacts

MISSING = "missing part: "


@pytest.fixture
def hold() -> Iterator[Event]:
    """Lets what hangs go on, at the end at the latest."""
    free = Event()
    yield free
    free.set()


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    """Starts an exporter of some collectors; its address."""
    open_ones = []

    def start(**collect: Callable[[], list[Sample]]) -> str:
        block = serving(Exporter([Collector(name, each, 0.01) for name, each in collect.items()]), "127.0.0.1", 0)
        open_ones.append(block)
        return f"http://127.0.0.1:{block.__enter__()}"

    yield start
    for block in open_ones:
        block.__exit__(None, None, None)


def ready(address: str) -> httpx.Response:
    """Waits until every collector has been through."""
    for _ in range(500):
        answer = httpx.get(f"{address}/readyz")
        if answer.status_code == 200:
            return answer
        Event().wait(0.01)
    raise AssertionError(answer.text)


def values(address: str) -> dict[tuple[str, tuple[str, ...]], float]:
    """What the page holds, by name and values of labels."""
    text = httpx.get(f"{address}/metrics").raise_for_status().text
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_what_is_found_is_shown_and_what_fails_is_told(serve: Callable[..., str]) -> None:
    def fails() -> list[Sample]:
        raise ServiceError("the object store is away")

    address = serve(well=lambda: [BRANCHES(2, "run"), ERRORS(3, 'a "class"\\\n')], ill=fails)
    assert ready(address).text == "ready\n"
    found = values(address)
    assert found["shoplake_branches", ("run",)] == 2
    assert found["shoplake_errors_total", ('a "class"\\\n',)] == 3
    assert found["shoplake_exporter_up", ("well",)] == 1
    assert found["shoplake_exporter_up", ("ill",)] == 0
    assert ("shoplake_published_timestamp_seconds", ()) not in found


def test_an_empty_lake_gives_a_page(serve: Callable[..., str]) -> None:
    address = serve(receipts=lambda: [])
    ready(address)
    assert {name for name, _ in values(address)} == {
        "shoplake_exporter_up",
        "shoplake_exporter_collect_seconds",
        "shoplake_exporter_collected_timestamp_seconds",
    }


def test_it_is_ready_when_every_collector_has_been_through(serve: Callable[..., str], hold: Event) -> None:
    def slow() -> list[Sample]:
        assert hold.wait(60)
        return []

    address = serve(quick=lambda: [PUBLISHED(1)], slow=slow)
    waiting = httpx.get(f"{address}/readyz")
    assert (waiting.status_code, waiting.text.rpartition(" ")[2]) == (503, "slow\n")
    assert httpx.get(f"{address}/healthz").status_code == 200
    assert values(address)["shoplake_exporter_up", ("slow",)] == 0
    hold.set()
    assert ready(address).status_code == 200


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_dead_collector_is_no_health(serve: Callable[..., str]) -> None:
    def dies() -> list[Sample]:
        raise SystemExit

    address = serve(dead=dies, well=lambda: [])
    for _ in range(500):
        answer = httpx.get(f"{address}/healthz")
        if answer.status_code == 503:
            break
        Event().wait(0.01)
    assert (answer.status_code, answer.text) == (503, "collectors that have ended: dead\n")


def test_openmetrics_for_who_asks_for_it(serve: Callable[..., str]) -> None:
    address = serve(well=lambda: [PUBLISHED(1)])
    ready(address)
    asked = {"Accept": "application/openmetrics-text; version=1.0.0"}
    answer = httpx.get(f"{address}/metrics", headers=asked)
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


def test_another_address_is_not_there(serve: Callable[..., str]) -> None:
    answer = httpx.get(f"{serve(well=lambda: [])}/metric")
    assert (answer.status_code, answer.text) == (404, "there are /metrics, /healthz and /readyz\n")


def test_nonsense_ends_nothing(serve: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporter._Handler, "timeout", 0.5)
    address = serve(well=lambda: [])
    port = int(address.rpartition(":")[2])
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as silent,
        socket.create_connection(("127.0.0.1", port), timeout=10) as loud,
    ):
        loud.sendall(b"\x00\xff nonsense\r\n\r\n")
        assert b"400" in loud.recv(1000)
        assert silent.recv(1000) == b""  # who says nothing is left
    assert ready(address).status_code == 200


def test_a_port_that_is_taken_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with (
            pytest.raises(ServiceError, match=rf"(?s)127\.0\.0\.1:{port}.*LAKE_EXPORTER_PORT"),
            serving(Exporter([]), "127.0.0.1", port),
        ):
            pass


def _promtool() -> str | None:
    known = artifacts()["prometheus"]
    return os.fspath(known.folder / "usr" / "bin" / "promtool") if known.is_installed else shutil.which("promtool")


def test_promtool_has_nothing_to_say(serve: Callable[..., str], tmp_path: Path) -> None:
    promtool = _promtool()
    if promtool is None:
        pytest.skip(f"{MISSING}promtool")
    address = serve(all=lambda: [metric(1, *metric.labels) for metric in METRICS])
    ready(address)
    text = httpx.get(f"{address}/metrics").text
    assert all(f"# TYPE {metric.name} {metric.kind}" in text for metric in METRICS)
    checked = subprocess.run(
        [promtool, "check", "metrics"], input=text, capture_output=True, text=True, timeout=60, check=False
    )
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
