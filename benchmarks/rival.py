"""The peer's side: its environment, and one run of `peer/pipeline.py` in a process of its own, measured."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

from benchmarks.measure import SOURCES, Phase, Sampler
from benchmarks.ours import service_pids
from lake.errors import InstallError, LakeError
from lake.runtime import fetch
from lake.settings import PROJECT, settings

PEER = Path(__file__).resolve().parent / "peer"
VENV = PROJECT / ".venvs" / "peer"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / ".made-from"
INTERVAL_SECONDS = 0.25
MARTS = (
    "daily_revenue",
    "product_performance",
    "category_performance",
    "customer_value",
    "cohort_retention",
    "campaign_effect",
    "delivery_times",
)


def ensure_environment() -> None:
    """Make the peer's environment with uv, unless it is there and made from the same requirements.

    Raises:
        InstallError: uv is missing, or it failed.
    """
    requirements = PEER / "requirements.txt"
    wanted = hashlib.sha256(requirements.read_bytes()).hexdigest()
    if PYTHON.exists() and STAMP.exists() and STAMP.read_text() == wanted:
        return
    uv = fetch.uv()
    for command in (
        [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(VENV)],
        [uv, "pip", "install", "--quiet", "--python", str(PYTHON), "-r", str(requirements)],
    ):
        result = subprocess.run(command, check=False, capture_output=True, text=True)
        if result.returncode:
            raise InstallError(
                f"`{' '.join(command)}` failed:\n{result.stdout}{result.stderr}",
                "look at the network and the disk, then repeat: it begins anew",
            )
    STAMP.write_text(wanted)  # last, so that a half-made environment is made anew


def source_url() -> str:
    """Where both read from: the replica, as the lake's own reader."""
    config = settings()
    login = f"{quote(config.source_user)}:{quote(config.source_password.get_secret_value())}"
    return f"mysql+pymysql://{login}@{config.source_host}:{config.source_port}/{config.source_database}"


def run(name: str, kind: str) -> tuple[Phase, dict[str, Any]]:
    """One run, ``full`` or of what changed since the last; what it cost, and what it answered (revenue, units, rows per
    mart).

    Raises:
        LakeError: it failed; its last words are in the message.
    """
    state = settings().home / "benchmark" / "peer"
    state.parent.mkdir(parents=True, exist_ok=True)
    answer = state.parent / f"{kind}.json"
    answer.unlink(missing_ok=True)
    command = [str(PYTHON), str(PEER / "pipeline.py"), kind, str(state), str(answer)]
    log = state.parent / f"{kind}.log"
    before = _children_cpu()
    with log.open("w") as words, Sampler(service_pids, interval_seconds=3600) as platform:
        began = time.monotonic()
        process = subprocess.Popen(
            command, env={**os.environ, "PEER_SOURCE": source_url()}, stdout=words, stderr=subprocess.STDOUT
        )
        with Sampler(lambda: {"peer": process.pid}, interval_seconds=INTERVAL_SECONDS) as sampler:
            code = process.wait()
            wall = time.monotonic() - began
    cpu = {"peer": _children_cpu() - before}
    if code:
        tail = "\n".join(log.read_text().splitlines()[-12:])
        raise LakeError(f"the peer's run {kind} failed with exit code {code}:\n{tail}", f"the whole log: {log}")
    cpu |= {service: used for service, used in platform.cpu_by_service.items() if service.startswith(SOURCES)}
    answered = json.loads(answer.read_text())
    phase = Phase(
        name=name,
        wall_seconds=wall,
        cpu_seconds=sum(cpu.values()),
        cpu_by_service=cpu,
        peak_bytes=sampler.peak_bytes,
        peak_by_service=sampler.peak_by_service,
        steps=answered["seconds"],
        observer_cpu_seconds=sampler.observer_cpu_seconds,
    )
    # The platform stays up beside the peer: what it used meanwhile is told, and not held against the peer.
    idle = sum(used for service, used in platform.cpu_by_service.items() if not service.startswith(SOURCES))
    return phase, {**answered, "revenue": Decimal(answered["revenue"]), "platform_idle_cpu_seconds": idle}


def _children_cpu() -> float:
    """CPU seconds of the children that have ended and were waited for; exact, unlike a sample."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
