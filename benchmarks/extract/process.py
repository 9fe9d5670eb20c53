"""One run of one way, in a process of its own, measured on both sides of the connection."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.servers import Server
from lake.errors import LakeError

REAPER = Path(__file__).resolve().parent / "reaper.py"
LAST_LINES = 6
LONGEST_RUN_SECONDS = 1800


class RunFailed(LakeError):
    """A way did not reach its end; ``what`` holds its last words."""


@dataclass(frozen=True)
class Figures:
    """What one run cost.

    Attributes:
        wall_s: from the start of its process to the end, imports included.
        client_cpu_s: of its process and everything below it.
        server_cpu_s: of MariaDB's process meanwhile.
        peak_mb: highest sum of the processes' resident memory at one instant, in 10^6 bytes.
    """

    wall_s: float
    client_cpu_s: float
    server_cpu_s: float
    peak_mb: float

    def to_json(self) -> dict[str, float]:
        """Plain values."""
        return {name: round(value, 3) for name, value in asdict(self).items()}


def measured(server: Server, command: Sequence[str], env: Mapping[str, str]) -> Figures:
    """Run a command to its end.

    Raises:
        RunFailed: it failed, or took longer than half an hour.
    """
    result, log = server.folder / "run.json", server.folder / "run.log"
    result.unlink(missing_ok=True)
    before = server.cpu_seconds()
    with log.open("w") as words:
        process = subprocess.Popen(
            [sys.executable, str(REAPER), str(result), *command],
            env={**os.environ, **env},
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            process.wait(timeout=LONGEST_RUN_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise RunFailed(f"it took longer than {LONGEST_RUN_SECONDS} s") from error
        finally:
            if process.poll() is None:
                # With everything below it, also when somebody stops the benchmark.
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    served = server.cpu_seconds() - before
    figures: dict[str, Any] = json.loads(result.read_text()) if result.exists() else {"exit_code": "unknown"}
    if figures.pop("exit_code") != 0:
        raise RunFailed(last_words(log.read_text(errors="replace")) or "it failed without a word")
    return Figures(server_cpu_s=served, **figures)


def last_words(log: str) -> str:
    """The end of what a failed process wrote, where errors tend to be."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    return "\n".join(line[:300] for line in lines[-LAST_LINES:])
