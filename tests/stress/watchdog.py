"""The dead man's switch: its beats, and that they are missed."""

from __future__ import annotations

import time
from itertools import pairwise

from lake.runtime import supervise
from tests.stress.catalogue import Shown
from tests.stress.recorder import FIRING, HEARTBEAT, Told
from tests.stress.shorten import FACTOR
from tests.stress.stage import Stage, start
from tests.stress.strike import Protocol

MISSED_SECONDS = 300 / FACTOR
"""Of silence, after which the service behind LAKE_ALERT_HEARTBEAT_URL raises the alarm."""

BEATS = 4
PATIENCE_SECONDS = 120.0


def silence(stage: Stage, protocol: Protocol) -> None:
    """Stop Prometheus until it is missed; note how long that took, and that nobody else was bothered."""
    problems = []
    stage.recorder.wait(lambda: len(_beats(stage)) >= BEATS, PATIENCE_SECONDS)
    beats = _beats(stage)
    gaps = [later - earlier for earlier, later in pairwise(beats)]
    if len(beats) < BEATS or max(gaps) > MISSED_SECONDS:
        problems.append(f"beats {', '.join(f'{gap:.0f}' for gap in gaps)} s apart: missed while all is well")
    supervise.stop_process("prometheus")
    began = time.time()
    while time.time() - _beats(stage)[-1] <= MISSED_SECONDS and time.time() - began < PATIENCE_SECONDS:
        time.sleep(0.2)
    missed = time.time()
    if missed - began >= PATIENCE_SECONDS:
        problems.append("it beats on without Prometheus")
    start("prometheus")
    mended = time.time()
    stage.recorder.wait(lambda: _beats(stage)[-1] > missed, PATIENCE_SECONDS)
    if _beats(stage)[-1] < missed:
        problems.append("it does not beat again")
    if others := {told.receiver for told in _messages(stage)} - {HEARTBEAT}:
        problems.append(f"heard of by {', '.join(sorted(others))}")
    resolved = max(0.0, _beats(stage)[-1] - mended)
    protocol.note("Watchdog", Shown(_beats_before(stage, missed) - began, missed - began, resolved, tuple(problems)))


def _messages(stage: Stage) -> list[Told]:
    return stage.recorder.messages({"alertname": "Watchdog"}, FIRING, 0)


def _beats(stage: Stage) -> list[float]:
    return [told.at for told in _messages(stage) if told.receiver == HEARTBEAT]


def _beats_before(stage: Stage, instant: float) -> float:
    return max(at for at in _beats(stage) if at < instant)
