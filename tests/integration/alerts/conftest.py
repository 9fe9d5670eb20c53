"""An Alertmanager of each test's own, started as `lake up` starts it, and without its patience."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from queue import Queue
from typing import Any

import pytest
from tenacity import Retrying, stop_after_delay, wait_fixed

from lake.runtime import receivers
from lake.runtime.orchestration import services
from lake.settings import settings


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def start_alertmanager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Starts it with some settings, which the code under test sees as well."""
    patient = receivers.BASE.read_text()
    base = tmp_path / "base.yml"
    base.write_text(
        patient.replace("group_wait: 10s", "group_wait: 0s").replace("group_interval: 1m", "group_interval: 1s")
    )
    assert base.read_text().count(": 0s") == base.read_text().count(": 1s") == 1
    monkeypatch.setattr(receivers, "BASE", base)
    started: list[subprocess.Popen[bytes]] = []

    def start(**chosen: str) -> None:
        for name, value in {"alertmanager_port": str(free_port()), "home": str(tmp_path), **chosen}.items():
            monkeypatch.setenv(f"LAKE_{name.upper()}", value)
        settings.cache_clear()
        (service,) = [each for each in services() if each.name == "alertmanager"]
        service.folder.mkdir(parents=True)
        service.prepare()
        with open(tmp_path / "log", "wb") as log:
            started.append(subprocess.Popen(service.full_command, cwd=service.folder, stdout=log, stderr=log))
        for attempt in Retrying(stop=stop_after_delay(60), wait=wait_fixed(0.1), reraise=True):
            with attempt:
                assert started[0].poll() is None, (tmp_path / "log").read_text()
                service.ping()

    yield start
    for process in started:
        process.terminate()
        process.wait(30)
    monkeypatch.undo()
    settings.cache_clear()
    assert os.environ["LAKE_HOME"] != str(tmp_path)


@pytest.fixture
def webhook() -> Iterator[tuple[str, Queue[Any]]]:
    """Address of a web server, and what it was sent."""
    sent: Queue[Any] = Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing of it is of interest."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/hook?token=quiet", sent
    server.shutdown()
    server.server_close()
