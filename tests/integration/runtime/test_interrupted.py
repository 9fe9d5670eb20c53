"""A test session that is interrupted ends the services that it started, and removes what they wrote."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from tenacity import Retrying, stop_after_delay, wait_fixed

pytestmark = pytest.mark.thorough

PROJECT = Path(__file__).resolve().parents[3]
LONG = """
import os, pathlib, time

def test_long(servers):
    pathlib.Path(os.environ["TOLD"]).write_text(os.environ["LAKE_HOME"])
    time.sleep(600)
"""


def _of(folder: str) -> list[int]:
    """Processes that were started with a path in this folder."""
    found = psutil.process_iter(["cmdline"])
    return [each.pid for each in found if any(folder in argument for argument in each.info["cmdline"] or ())]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_an_interrupted_session_ends_its_services(tmp_path: Path, number: signal.Signals) -> None:
    test, told = tmp_path / "test_long.py", tmp_path / "told"
    test.write_text(LONG)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("LAKE_", "PYTEST_"))}
    # A shell lets what it starts in the background ignore Ctrl-C, and so does all that is started by that.
    heeding = ["env", "--default-signal=INT"]
    session = subprocess.Popen(
        [*heeding, sys.executable, "-m", "pytest", "-q", "-c", PROJECT / "pyproject.toml", "-p", "conftest", test],
        cwd=PROJECT,
        env={**inherited, "PYTHONPATH": str(PROJECT), "TOLD": str(told)},
        start_new_session=True,
        stdout=subprocess.DEVNULL,
    )
    try:
        for attempt in Retrying(stop=stop_after_delay(300), wait=wait_fixed(0.5), reraise=True):
            with attempt:
                assert session.poll() is None and told.exists()
        home = told.read_text()
        assert len(_of(home)) >= 3, "a supervisor, a primary and a replica"
        if number == signal.SIGINT:  # as a terminal does, which tells every process of the session
            os.killpg(session.pid, number)
        else:
            session.send_signal(number)
        assert session.wait(180) == pytest.ExitCode.INTERRUPTED
        assert _of(home) == []
        assert not Path(home).exists()
    finally:
        session.terminate()
        session.wait(180)
