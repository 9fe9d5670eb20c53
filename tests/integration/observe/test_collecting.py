"""The collector itself, over logs as the services have written them, beside a shipper that is played."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain
from pathlib import Path
from typing import Any

import httpx
import pytest
from tenacity import Retrying, stop_after_delay, wait_fixed

from lake.observe.lint.known import listed
from lake.observe.shipping.handed_on import read
from lake.runtime.artifacts import GoArtifact, artifacts
from lake.settings import PROJECT
from tests.integration.alerts.conftest import free_port
from tests.integration.observe.test_listed import LISTS, _told
from tests.parts import part

PATIENCE_SECONDS = 60
LINES = {
    "trino": "2026-11-26T05:20:39.745Z\tWARN\tsplit-source-4\torg.apache.iceberg.SnapshotScan\tScanning table x",
    "spark": "2026-11-26 05:20:07.448 ERROR o.a.s.SessionHolder Closing session\njava.lang.X: no\n\tat a.b(C.java:1)",
    "nessie": "2026-11-26 05:21:00,862 INFO  [io.quarkus] Nessie stopped in 0.969s",
    "postgres": '2026-11-26 05:20:59.873 UTC [14745] FATAL:  terminating connection due to "command"',
    "mariadb-primary": "2026-11-26  5:20:59 0 [Warning] InnoDB: Buffer pool(s) dump completed at 261126  5:20:59",
    "mysql-replica": "2026-11-26T05:20:59.123456Z 7 [System] [MY-010931] [Server] mysqld: ready for connections.",
    "minio": "INFO: Exiting on signal: TERMINATED",
    "opensearch": "2026-11-26T05:20:59.123Z WARN  o.o.c.Disk flood stage",
    "alertmanager": 'ts=2026-11-26T05:20:59.123Z caller=main.go:1 level=warn msg="no receiver"',
    "exporter": '{"timestamp": "2026-11-26T05:20:59.123456Z", "level": "warning", "logger": "lake.x",'
    ' "event": "5 rows", "run": "r1", "table": "orders"}',
    "airflow-scheduler": '{"timestamp":"2026-11-26T05:20:59.123Z","level":"error","event":"part","logger":"a.b"}',
}
EXPECTED = {
    "trino": ("05:20:39.745", "warning", "org.apache.iceberg.SnapshotScan", "Scanning table x"),
    "spark": (
        "05:20:07.448",
        "error",
        "o.a.s.SessionHolder",
        "Closing session\njava.lang.X: no\n\tat a.b(C.java:1)",
    ),
    "nessie": ("05:21:00.862", "info", "io.quarkus", "Nessie stopped in 0.969s"),
    "postgres": ("05:20:59.873", "critical", None, 'terminating connection due to "command"'),
    "mariadb-primary": (
        "05:20:59.000",
        "warning",
        None,
        "InnoDB: Buffer pool(s) dump completed at 261126  5:20:59",
    ),
    "mysql-replica": ("05:20:59.123", "info", "Server", "mysqld: ready for connections."),
    "minio": (None, "info", None, "Exiting on signal: TERMINATED"),
    "opensearch": ("05:20:59.123", "warning", "o.o.c.Disk", "flood stage"),
    "alertmanager": (None, "warning", None, "no receiver"),
    "exporter": ("05:20:59.123", "warning", "lake.x", "5 rows"),
    "airflow-scheduler": ("05:20:59.123", "error", "a.b", "part"),
}
"""Of each service's line: when (to the millisecond), how grave, who and what."""


class Shipper(ThreadingHTTPServer):
    """Keeps what it is handed, by id, unless it is away."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Takes)
        self.kept: dict[str, dict[str, Any]] = {}
        self.twice = 0
        self.is_away = False


class _Takes(BaseHTTPRequestHandler):
    server: Shipper

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if not self.server.is_away:
            for each in chain.from_iterable(read(json.loads(body)).documents.values()):
                self.server.twice += each.id in self.server.kept
                self.server.kept[each.id] = each.fields
        self.send_response(503 if self.server.is_away else 200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nobody reads it."""


@pytest.fixture
def shipper() -> Iterator[Shipper]:
    with Shipper() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class Collector:
    """The process, over the files of one folder."""

    def __init__(self, folder: Path, shipper: Shipper) -> None:
        part("otel-collector")
        program = artifacts()["otel-collector"]
        assert isinstance(program, GoArtifact)
        self.port = free_port()
        self._command = [str(program.program), f"--config={PROJECT}/infra/otel/collector.yaml"]
        self._environment = {
            **os.environ,
            "SERVICE_LOGS": f"{folder}/logs/*.log*",
            "TASK_LOGS": f"{folder}/airflow/dag_id=*/**/*.log",
            "SPANS": f"{folder}/traces/*.jsonl",
            "SLOW_LOGS": f"{folder}/data/*/slow.log",
            "SHIPPER": f"http://127.0.0.1:{shipper.server_port}",
            "STORAGE": f"{folder}/queue",
            "METRICS_HOST": "127.0.0.1",
            "METRICS_PORT": str(self.port),
        }
        self._log = folder / "collector.out"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as stream:
            self.process = subprocess.Popen(self._command, env=self._environment, stdout=stream, stderr=stream)
        self.wait_for(lambda: httpx.get(f"http://127.0.0.1:{self.port}/metrics", timeout=5).is_success)

    def wait_for(self, holds: Callable[[], Any]) -> None:
        for attempt in Retrying(stop=stop_after_delay(PATIENCE_SECONDS), wait=wait_fixed(0.2), reraise=True):
            with attempt:
                assert self.process and self.process.poll() is None, self.log
                assert holds(), self.log

    @property
    def log(self) -> str:
        return self._log.read_text()

    def end(self, how: int = signal.SIGTERM) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(30)


@pytest.fixture
def collector(tmp_path: Path, shipper: Shipper) -> Iterator[Collector]:
    for name in ("logs", "airflow", "data"):
        (tmp_path / name).mkdir()
    found = Collector(tmp_path, shipper)
    yield found
    found.end()


def by_service(shipper: Shipper) -> dict[str, dict[str, Any]]:
    return {each["service"]: each for each in shipper.kept.values()}


def test_every_service_s_lines_are_taken_apart(tmp_path: Path, collector: Collector, shipper: Shipper) -> None:
    for name, line in LINES.items():
        (tmp_path / "logs" / f"{name}.log").write_text(f"{line}\n")
    (tmp_path / "logs" / "otel-collector.log").write_text("its own\n")
    collector.start()
    collector.wait_for(lambda: len(shipper.kept) >= len(LINES))
    found = by_service(shipper)
    assert found.keys() == LINES.keys()
    for name, (moment, level, logger, event) in EXPECTED.items():
        line = found[name]
        assert (line["level"], line.get("logger"), line["event"]) == (level, logger, event), name
        assert moment is None or line["timestamp"].startswith(f"2026-11-26T{moment}"), name
    assert (found["exporter"]["run"], found["exporter"]["table"]) == ("r1", "orders")


def test_a_task_s_lines_say_which_task_it_was(tmp_path: Path, collector: Collector, shipper: Shipper) -> None:
    folder = tmp_path / "airflow/dag_id=shop_lake/run_id=manual__2026-11-26T05:19:42+00:00/task_id=clean/map_index=0"
    folder.mkdir(parents=True)
    (folder / "attempt=2.log").write_text(
        '{"timestamp":"2026-11-26T05:20:59.1Z","level":"info","event":"first"}\n'
        '{"timestamp":"2026-11-26T05:21:00.1+00:00","level":"error","event":"failed","run":"r1","task":"clean",'
        '"error_detail":[{"exc_type":"ValueError","exc_value":"5"}]}\n'
    )
    collector.start()
    collector.wait_for(lambda: len(shipper.kept) == 2)
    first, failed = sorted(shipper.kept.values(), key=lambda each: each["timestamp"])
    assert (first["service"], first["task"], str(first["try"]), first["dag"]) == (
        "airflow-task",
        "clean",
        "2",
        "shop_lake",
    )
    assert first["run"] == "manual_20261126t051942"
    assert (failed["run"], failed["level"], failed["error"]) == ("r1", "error", "ValueError: 5")
    assert failed["timestamp"].startswith("2026-11-26T05:21:00.1")


def test_a_slow_statement_is_kept_without_what_stands_in_quotes(
    tmp_path: Path, collector: Collector, shipper: Shipper
) -> None:
    (tmp_path / "data" / "mariadb-primary").mkdir()
    (tmp_path / "data" / "mariadb-primary" / "slow.log").write_text(
        "# Time: 261126  5:20:59\n# User@Host: shop[shop] @  [127.0.0.1]\n# Query_time: 6.1\n"
        "SELECT * FROM customers WHERE email = 'ada@example.org' OR name = \"it''s \\\"ada\\\"\" OR n = 'o\\'neil';\n"
        "# User@Host: shop[shop] @  [127.0.0.1]\n# Query_time: 7.1\nSELECT 2;\n"
    )
    collector.start()
    collector.wait_for(lambda: len(shipper.kept) == 2)
    # The second came in the same second as the first, and then a server does not repeat the time.
    first, second = sorted(each["event"] for each in shipper.kept.values())
    assert first.startswith("# Time: ") and "SELECT * FROM customers WHERE email = '?'" in first
    assert not any(word in first for word in ("ada", "neil"))
    assert second.startswith("# User@Host: ") and "SELECT 2;" in second
    assert {each["service"] for each in shipper.kept.values()} == {"mariadb-primary"}


@pytest.mark.parametrize(
    "line", [b"x" * 10_000_000, b"\xff\xfe\x00 raw", b'{"cut', b"{}", b'{"event": {"a": [1]}}', b"\x1b[31m"]
)
def test_bad_lines_end_nothing(tmp_path: Path, collector: Collector, shipper: Shipper, line: bytes) -> None:
    (tmp_path / "logs" / "exporter.log").write_bytes(
        line + b'\n{"timestamp":"2026-11-26T05:20:59.1Z","event":"after"}\n'
    )
    collector.start()
    collector.wait_for(lambda: any(each["event"] == "after" for each in shipper.kept.values()))


SPAN = (
    '{"resourceSpans":[{"resource":{},"scopeSpans":[{"scope":{"name":"lake"},"spans":[{"traceId":"%032x","spanId":"%016x",'
    '"name":"read tables","startTimeUnixNano":"1795670400123456789","endTimeUnixNano":"1795670401123456789",'
    '"status":{}}]}]}]}\n'
)


def test_spans_are_read_as_spans(tmp_path: Path, collector: Collector, shipper: Shipper) -> None:
    (tmp_path / "traces").mkdir()
    file = tmp_path / "traces" / "spans-2026-11-26.jsonl"
    file.write_text(SPAN % (5, 1) + "no span\n" + SPAN % (5, 2))
    collector.start()
    collector.wait_for(lambda: len(shipper.kept) == 2)
    with file.open("a") as stream:
        stream.write(SPAN % (5, 3))
    collector.wait_for(lambda: len(shipper.kept) == 3)
    assert {each["name"] for each in shipper.kept.values()} == {"read tables"}
    assert {each["trace_id"] for each in shipper.kept.values()} == {f"{5:032x}"}


def test_nothing_is_lost_while_the_shipper_is_away_the_collector_is_killed_and_files_rotate(
    tmp_path: Path, collector: Collector, shipper: Shipper
) -> None:
    file, written = tmp_path / "logs" / "exporter.log", 0

    def write(count: int) -> None:
        nonlocal written
        with file.open("a") as stream:
            for number in range(written, written + count):
                stream.write(f'{{"timestamp":"2026-11-26T05:20:59.1Z","event":"line {number}"}}\n')
        written += count

    write(1000)
    collector.start()
    collector.wait_for(lambda: len(shipper.kept) == 1000)
    shipper.is_away = True
    write(5000)
    collector.wait_for(
        lambda: "otelcol_exporter_queue_size" in httpx.get(f"http://127.0.0.1:{collector.port}/metrics").text
    )
    collector.end(signal.SIGKILL)
    write(5000)
    file.rename(file.with_name("exporter.log.1"))
    write(5000)
    collector.start()
    shipper.is_away = False
    collector.wait_for(lambda: len(shipper.kept) >= written)
    assert {each["event"] for each in shipper.kept.values()} == {f"line {number}" for number in range(written)}
    assert len(shipper.kept) == written


def test_it_says_what_our_rules_ask(tmp_path: Path, collector: Collector, shipper: Shipper) -> None:
    (tmp_path / "logs" / "exporter.log").write_text('{"event":"a"}\n')
    collector.start()
    collector.wait_for(lambda: shipper.kept)
    expected = listed(LISTS / "otel-collector.txt")
    told = _told(f"http://127.0.0.1:{collector.port}/metrics")
    # Failures are told from the first on.
    always = {name: labels for name, labels in expected.items() if "_failed_" not in name}
    assert always and {name: told.get(name) for name in always} == always
