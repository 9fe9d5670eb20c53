"""What dbt leaves behind in the process that it ran in, which Airflow ends without any further ado."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from lake.settings import PROJECT

RUNS = """
import os, sys
from pathlib import Path
from lake.layers import marts

marts._run(["parse"], "lake", Path(sys.argv[1]))
sys.stderr.flush()
os._exit(0)
"""


def test_nothing_is_left_that_somebody_would_be_warned_of(tmp_path: Path) -> None:
    """A semaphore that nobody has let go is two lines of errors in the task's log."""
    command = [sys.executable, "-c", RUNS, str(tmp_path)]
    ran = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    assert "leaked" not in ran.stderr
