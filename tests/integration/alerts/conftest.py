"""An Alertmanager of each test's own, started as `lake up` starts it, and without its patience."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Queue
from typing import Any

import pytest
import yaml
from aiosmtpd.controller import Controller
from tenacity import Retrying, stop_after_delay, wait_fixed

from lake.runtime import receivers
from lake.runtime.orchestration import services
from lake.settings import settings
from tests.hooks import Hook, listening


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def start_alertmanager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Starts it with some settings, which the code under test sees as well."""
    folder = shutil.copytree(receivers.BASE.parent, tmp_path / "infra")
    base = folder / receivers.BASE.name
    document = yaml.safe_load(base.read_text())
    for route in [document["route"], *document["route"]["routes"]]:
        if "beat" not in route.get("group_by", []):
            route["group_wait"] = "0s"
        route["group_interval"] = "1s"
    base.write_text(yaml.safe_dump(document))
    monkeypatch.setattr(receivers, "BASE", base)
    started: list[subprocess.Popen[bytes]] = []

    def start(**chosen: str) -> None:
        # Trino stays the session's.
        beside = {"home": str(tmp_path), "trino_ca_file": str(settings().trino_ca)}
        for name, value in {"alertmanager_port": str(free_port()), **beside, **chosen}.items():
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
def hooks() -> Iterator[Hook]:
    """A web server, and what it was sent."""
    with listening() as hook:
        yield hook


@pytest.fixture
def webhook(hooks: Hook) -> tuple[str, Queue[Any]]:
    """Address of a web server, and what it was sent there."""
    path = "/hook?token=quiet"
    return f"{hooks.url}{path}", hooks.sent(path)


@pytest.fixture
def mail() -> Iterator[tuple[str, Queue[Any]]]:
    """Address of a mail server, and the envelopes that it took."""
    taken: Queue[Any] = Queue()

    class Handler:
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
            taken.put(envelope)
            return "250 taken"

    controller = Controller(Handler(), hostname="127.0.0.1", port=free_port())
    controller.start()
    yield f"127.0.0.1:{controller.port}", taken
    controller.stop()
