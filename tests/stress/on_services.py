"""Faults of hosts, services and disks, and of the monitoring itself."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from lake.runtime import supervise
from tests.stress.on_databases import until
from tests.stress.recorder import SLACK
from tests.stress.stage import Stage, start

DISK_MIB, MIB = 64, 2**20
UPS_AND_DOWNS = 4
REST_SECONDS = 4.0
"""Long enough to be scraped, and shorter than a service may be away."""


def may_mount(stage: Stage) -> str:
    """Why no disk of one's own can be mounted here; empty where it can."""
    if os.geteuid() != 0:
        return "only root may mount"
    try:
        _disk(stage, "probe")
        return ""
    except subprocess.CalledProcessError as error:
        return f"mount is refused: {error.stderr.decode().strip()}"


@contextmanager
def host_down(stage: Stage) -> Iterator[None]:
    """All that is known of a host is gone."""
    stage.stop_far()
    try:
        yield
    finally:
        stage.start_far()


@contextmanager
def one_of_host_down(stage: Stage) -> Iterator[None]:
    """One service of a host is gone, the others are there."""
    first = next(iter(stage.far))
    stage.stop_far(first)
    try:
        yield
    finally:
        stage.start_far()


def flapping(name: str) -> Callable[[Stage], Any]:
    """A service comes and goes."""

    @contextmanager
    def strike(stage: Stage) -> Iterator[float]:
        began = time.time()
        for _ in range(UPS_AND_DOWNS):
            supervise.stop_process(name)
            time.sleep(REST_SECONDS)
            start(name)
            time.sleep(REST_SECONDS)
        yield began

    return strike


def scrape_missing(job: str) -> Callable[[Stage], Any]:
    """A job is lost from Prometheus' configuration."""

    @contextmanager
    def strike(stage: Stage) -> Iterator[None]:
        whole = stage.configuration.read_text()
        document = yaml.safe_load(whole)
        document["scrape_configs"] = [each for each in document["scrape_configs"] if each["job_name"] != job]
        stage.configuration.write_text(yaml.safe_dump(document))
        stage.reload()
        try:
            yield
        finally:
            stage.configuration.write_text(whole)
            stage.reload()

    return strike


def deaf_slack(then: Callable[[Stage], Any]) -> Callable[[Stage], Any]:
    """A receiver takes nothing while there is something to tell it."""

    @contextmanager
    def strike(stage: Stage) -> Iterator[None]:
        stage.recorder.refusing.add(SLACK)
        try:
            with then(stage):
                yield
        finally:
            stage.recorder.refusing.discard(SLACK)

    return strike


def disk_full(stage: Stage) -> Any:
    """A disk is filled at once."""
    return _filled(stage, "full", mib_each=4, pause=0.0, upto=0.97)


def disk_filling(stage: Stage) -> Any:
    """A disk on which something grows steadily, from two thirds on."""
    return _filled(stage, "filling", mib_each=0.125, pause=1.5, upto=0.9, begins=0.65)


@contextmanager
def _filled(
    stage: Stage, name: str, mib_each: float, pause: float, upto: float, begins: float = 0.0
) -> Iterator[float]:
    folder = _disk(stage, name)
    (folder / "there").write_bytes(bytes(int(begins * DISK_MIB * MIB)))
    until(lambda: bool(stage.ask(f'node_filesystem_avail_bytes{{mountpoint="{folder}"}}')))
    over = threading.Event()

    def grow() -> None:
        with open(folder / "grows", "wb") as stream:
            while not over.is_set() and stream.tell() < (upto - begins) * DISK_MIB * MIB:
                stream.write(bytes(int(mib_each * MIB)))
                stream.flush()
                over.wait(pause)

    began = time.time()
    thread = threading.Thread(target=grow, daemon=True)
    thread.start()
    try:
        yield began
    finally:
        over.set()
        thread.join(30)
        for file in folder.iterdir():
            file.unlink()


def _disk(stage: Stage, name: str) -> Path:
    """A small disk, there until the stage is taken down: what has ended must have room, and not be gone.

    Raises:
        CalledProcessError: it cannot be mounted.
    """
    folder = stage.folder / f"disk-{name}"
    folder.mkdir()
    mount = ("mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tmpfs", str(folder))
    subprocess.run(mount, check=True, capture_output=True, timeout=30)
    stage.stack.callback(subprocess.run, ["umount", str(folder)], check=True, capture_output=True, timeout=30)
    return folder
