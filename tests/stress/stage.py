"""Prometheus and Alertmanager with the shipped rules and routes, shortened, over services that run already.

They are started as `lake up observe` starts them, by the same supervisor; only the files under ``infra/`` that they are
made from are others.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from tenacity import Retrying, stop_after_delay, wait_fixed

from lake.runtime import receivers, scrape, supervise
from lake.runtime.artifacts import artifacts
from lake.runtime.services import services
from lake.runtime.start import start_all
from lake.settings import settings
from tests.integration.alerts.conftest import free_port
from tests.stress import shorten
from tests.stress.recorder import Recorder, recording

ALWAYS = ("alertmanager", "prometheus", "node-exporter", "mysqld-exporter", "exporter")
"""What is started beside what the caller has."""

OF_PROMETHEUS = {
    # How often it says again what it has said: what it has not said for four times as long is over to Alertmanager.
    "--rules.alert.resend-delay": "1m",
    # For how long the last sample of a series counts of which there is no other: absent() knows of a lost job then.
    "--query.lookback-delta": "5m",
}
"""Durations that are its own: what it has by itself."""

FAR = "far"
"""A host of which the services are known by their label alone: two exporters, as they would run there."""


@dataclass
class Stage:
    """Where faults are struck.

    Attributes:
        folder: for what they need.
        far: the exporters of the other host, by port.
        stack: is closed when the stage is taken down.
    """

    recorder: Recorder
    folder: Path
    far: dict[int, subprocess.Popen[bytes] | None]
    stack: ExitStack

    @property
    def configuration(self) -> Path:
        """The file that Prometheus reads."""
        return settings().home / "data" / "prometheus" / "prometheus.yml"

    def reload(self) -> None:
        """Let Prometheus read its configuration anew."""
        os.kill(pid("prometheus"), signal.SIGHUP)

    def ask(self, expression: str) -> list[dict[str, Any]]:
        """What Prometheus says to an expression now."""
        answer = httpx.get(
            f"{settings().prometheus_url}/api/v1/query", params={"query": expression}, timeout=20, trust_env=False
        )
        found: list[dict[str, Any]] = answer.raise_for_status().json()["data"]["result"]
        return found

    def start_far(self) -> None:
        """Start the exporters of the other host."""
        for port, process in self.far.items():
            if process is None or process.poll() is not None:
                program = artifacts()["prometheus"].folder / "usr/bin/prometheus-node-exporter"
                self.far[port] = subprocess.Popen(
                    [program, f"--web.listen-address=127.0.0.1:{port}", "--collector.disable-defaults"],
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )

    def stop_far(self, *ports: int) -> None:
        """Let the exporters of the other host die; all of them where none is named."""
        for port, process in self.far.items():
            if process is not None and (port in ports or not ports):
                process.kill()
                process.wait(30)


def pid(name: str) -> int:
    """Of a service.

    Raises:
        AssertionError: it does not run.
    """
    found = supervise.processes()[name].pid
    assert found, f"{name} does not run"
    return found


def start(*names: str) -> None:
    """Start services and wait until they are well."""
    known = services()
    prometheus = known["prometheus"]
    shorter = (f"{flag}={shorten.duration(default)}" for flag, default in OF_PROMETHEUS.items())
    known["prometheus"] = replace(prometheus, command=(*prometheus.command, *shorter))
    start_all(known, wanted=set(names))


@contextmanager
def stage(folder: Path, also: Collection[str] = ()) -> Iterator[Stage]:
    """Set it up over the services that run, and take it down again.

    Args:
        also: exporters that are started beside those that always are.
    """
    ran = _running()
    own = {*ALWAYS, *also}
    with recording() as recorder, pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        far = {free_port(): None, free_port(): None}
        made = Stage(recorder, folder, dict(far), stack)
        for name, value in recorder.settings.items():
            patch.setenv(name, value)
        patch.setattr(scrape, "RULES", folder / "prometheus" / "rules")
        patch.setattr(scrape, "BASE", folder / "prometheus" / "prometheus.yml")
        patch.setattr(receivers, "BASE", folder / "alertmanager" / receivers.BASE.name)
        _write(folder, list(far), ran | own)
        settings.cache_clear()
        try:
            made.start_far()
            _forget_what_was_told()
            start(*own)
            _await_first_scrapes(made)
            yield made
        finally:
            for name in own - ran | {"alertmanager", "prometheus"}:
                supervise.stop_process(name)
            made.stop_far()
    settings.cache_clear()


def _forget_what_was_told() -> None:
    """Alertmanager remembers for days what it has told, also to receivers that were others then."""
    supervise.stop_process("alertmanager")
    (settings().home / "data" / "alertmanager" / "nflog").unlink(missing_ok=True)


def _write(folder: Path, far: list[int], running: Collection[str]) -> None:
    """The files under ``infra/`` as they are shipped, shortened; without the jobs of what does not run."""
    (folder / "prometheus").mkdir()
    shorten.write_rules(scrape.FOLDER / "rules", folder / "prometheus" / "rules")
    document = yaml.safe_load((scrape.FOLDER / "prometheus.yml").read_text())
    shorten.scrapes(document)
    jobs = {job["job_name"]: job for job in document["scrape_configs"]}
    jobs["node"]["static_configs"] += [
        {"targets": [f"127.0.0.1:{port}"], "labels": {"instance": f"{FAR}-{number}", "host": FAR}}
        for number, port in enumerate(far, 1)
    ]
    asked = {name: {address.split(":")[0] for address in scrape.addresses(job)} for name, job in jobs.items()}
    names = {*running, "127.0.0.1", "mysql-primary", "mysql-replica"}
    document["scrape_configs"] = [job for name, job in jobs.items() if asked[name] <= names]
    (folder / "prometheus" / "prometheus.yml").write_text(yaml.safe_dump(document))

    base = shutil.copytree(scrape.FOLDER.parent / "alertmanager", folder / "alertmanager") / "alertmanager.yml"
    routes = yaml.safe_load(base.read_text())
    shorten.routes(routes["route"])
    base.write_text(yaml.safe_dump(routes))


def _running() -> set[str]:
    return {name for name, process in supervise.processes().items() if process.state in supervise.ALIVE}


def _await_first_scrapes(made: Stage) -> None:
    """Each target is there, and the dead man's switch is heard of."""
    for attempt in Retrying(stop=stop_after_delay(120), wait=wait_fixed(0.5), reraise=True):
        with attempt:
            away = [each["metric"] for each in made.ask("up == 0")]
            assert not away, f"Prometheus cannot reach {away}"
            assert made.recorder.told, "nobody has heard of the dead man's switch"
