"""The points at which tests let the process die: each in a process of its own, since it does not survive."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import get_args

import pytest

from lake import faultpoints
from lake.errors import LakeError

THREE_TIMES = """
from lake import faultpoints
for turn in (1, 2, 3):
    print(turn, flush=True)
    faultpoints.reach("extract.row_group")
    faultpoints.reach("extract.uploaded")
print("done", flush=True)
"""


def run(**environment: str) -> subprocess.Popen[str]:
    clean = {name: value for name, value in os.environ.items() if name not in ("CRASH_AT", "PAUSE_AT")}
    return subprocess.Popen(
        [sys.executable, "-c", THREE_TIMES], env=clean | environment, stdout=subprocess.PIPE, text=True
    )


def test_nothing_happens_unless_it_is_asked_for() -> None:
    process = run()
    assert process.communicate(timeout=60)[0].split() == ["1", "2", "3", "done"]
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("where", "turns"),
    [("extract.row_group", ["1"]), ("extract.uploaded:1", ["1"]), ("extract.uploaded:3", ["1", "2", "3"])],
)
def test_the_process_dies_at_the_named_passing(where: str, turns: list[str]) -> None:
    process = run(CRASH_AT=where)
    assert process.communicate(timeout=60)[0].split() == turns
    assert process.returncode == -signal.SIGKILL


def test_a_pause_ends_with_a_signal() -> None:
    process = run(PAUSE_AT="extract.row_group:2")
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    process.send_signal(signal.SIGCONT)
    assert process.communicate(timeout=60)[0].split() == ["1", "2", "3", "done"]
    assert process.returncode == 0


@pytest.mark.parametrize(
    "text", ["extract.uploadet", "", "extract.uploaded:", "extract.uploaded:0", "extract.uploaded:x"]
)
def test_a_point_that_there_is_not_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRASH_AT", text)
    with pytest.raises(LakeError) as error:
        faultpoints.reach("extract.source_read")
    assert f"CRASH_AT={text!r}" in error.value.what
    assert all(point in error.value.fix for point in get_args(faultpoints.Point))
