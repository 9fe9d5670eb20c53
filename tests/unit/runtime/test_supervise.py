"""A supervisor of its own with one process, as `lake up` starts it and `lake down` ends it."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from lake.runtime import supervise
from lake.runtime.service import Service
from lake.settings import settings


@pytest.fixture
def supervisor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Its process."""
    monkeypatch.setenv("LAKE_HOME", str(tmp_path))
    settings.cache_clear()
    (tmp_path / "data" / "sleeper").mkdir(parents=True)
    supervise.start([Service("sleeper", "", (), ("sleep", "600"), lambda: None, tmp_path / "data" / "sleeper")])
    yield int((tmp_path / "run" / "supervisord.pid").read_text())
    settings.cache_clear()


def test_it_is_the_one_that_keeps_no_core_busy(supervisor: int) -> None:
    assert "lake.runtime.supervisord" in psutil.Process(supervisor).cmdline()
    supervise.stop()


def test_a_service_of_one_that_has_ended_is_stopped(supervisor: int) -> None:
    supervise.stop()
    supervise.stop_process("sleeper")


def test_two_who_end_it_at_once_both_see_it_ended(supervisor: int) -> None:
    with ThreadPoolExecutor(2) as both:
        list(both.map(lambda _: supervise.stop(), range(2)))
    assert not psutil.pid_exists(supervisor)


def test_one_that_is_ended_from_outside_in_the_middle_is_ended(supervisor: int) -> None:
    with ThreadPoolExecutor(1) as other:
        ended = other.submit(os.kill, supervisor, signal.SIGTERM)
        supervise.stop()
        ended.result()
    # Its last act may be under way, when nobody can tell any more whose process it is.
    psutil.wait_procs([psutil.Process(supervisor)] if psutil.pid_exists(supervisor) else [], timeout=5)
    assert not psutil.pid_exists(supervisor)
    assert not supervise.is_running()
