"""A fault is struck, and it is seen who hears of it, when, how often, and that it ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from tests.stress.catalogue import ROWS, Shown
from tests.stress.recorder import FIRING, MAIL, RESOLVED, Recorder, Told, is_repeated
from tests.stress.stage import Stage

Labels = Mapping[str, str]
MAIL_SECONDS = 30
"""Within which a mail comes after the same was posted: Alertmanager sends both at once."""


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong, until its block ends.

    Attributes:
        strike: the block; it may give the instant at which the fault began, where that is not its own beginning.
        rules: the alerts that must be heard of, by name, with labels that tell them from others of their name.
        patience: seconds until they must be delivered.
        mending: seconds until they must have ended, once the block has.
        quiet: alerts of which nobody must hear until it is mended, since these say it.
    """

    strike: Callable[[Stage], AbstractContextManager[float | None]]
    rules: Mapping[str, Labels]
    patience: float = 150
    mending: float = 150
    quiet: Mapping[str, Labels] = field(default_factory=dict)


@dataclass
class Protocol:
    """What has been shown, by alert; of several threads."""

    shown: dict[str, Shown] = field(default_factory=dict)
    began: float = field(default_factory=time.time)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, name: str, shown: Shown) -> None:
        """Note how it went with an alert."""
        with self._lock:
            self.shown[name] = shown
        said = "; ".join(shown.problems) or (
            f"fired after {shown.fired:.1f} s, delivered after {shown.delivered:.1f} s, resolved {shown.resolved:.1f} s"
            " after it was mended"
        )
        print(f"{time.time() - self.began:6.0f} s  {name}: {said}", flush=True)


def strike(stage: Stage, fault: Fault, protocol: Protocol) -> None:
    """Strike a fault, mend it, and note how it went with its alerts. Nothing is raised: other faults go on."""
    recorder, began = stage.recorder, time.time()
    error = ""
    try:
        with fault.strike(stage) as at:
            began = at or began
            for labels in _alerts(fault).values():
                _await(recorder, labels, FIRING, began, time.time() + fault.patience)
            mended = time.time()
        for labels in _alerts(fault).values():
            if recorder.messages(labels, FIRING, began):
                _await(recorder, labels, RESOLVED, mended, time.time() + fault.mending)
    except Exception as failure:  # whatever it is, it is told of the alerts that it was struck for
        error = f"{type(failure).__name__}: {failure}".splitlines()[0]
        mended = time.time()
    loud = [
        f"{name} was heard of beside it"
        for name, labels in fault.quiet.items()
        if any(told.at < mended for told in recorder.messages({"alertname": name, **labels}, FIRING, began))
    ]
    for name, labels in _alerts(fault).items():
        if error:
            protocol.note(name, Shown(problems=(error,)))
        else:
            shown = _judged(name, labels, recorder, began, mended)
            protocol.note(name, replace(shown, problems=(*shown.problems, *loud)))


def lanes(stage: Stage, protocol: Protocol, *lanes: Sequence[Fault | Callable[[], object]]) -> None:
    """Strike lanes of faults side by side, the faults of a lane one after another, and what is to be done between."""

    def go(lane: Sequence[Fault | Callable[[], object]]) -> None:
        for step in lane:
            if isinstance(step, Fault):
                strike(stage, step, protocol)
            else:
                _do(step)

    with ThreadPoolExecutor(len(lanes), thread_name_prefix="lane") as pool:
        try:
            for _ in pool.map(go, lanes):
                pass
        except BaseException:
            # Also of Ctrl-C: what was struck is mended all the same.
            stage.recorder.give_up()
            raise


def _do(step: Callable[[], object]) -> None:
    """Do what is to be done between; a failure is said at once, and raised when all lanes have come to their ends."""
    try:
        step()
    except Exception as failure:
        print(f"{getattr(step, '__name__', step)}: {failure}", flush=True)
        raise


def _alerts(fault: Fault) -> dict[str, Labels]:
    return {name: {"alertname": name, **labels} for name, labels in fault.rules.items()}


def _await(recorder: Recorder, labels: Labels, status: str, since: float, until: float) -> None:
    recorder.wait(lambda: recorder.messages(labels, status, since), max(0.0, until - time.time()))


def _judged(name: str, labels: Labels, recorder: Recorder, began: float, mended: float) -> Shown:
    """How it went with an alert, from what was told of it."""
    firing = recorder.messages(labels, FIRING, began)
    if not firing:
        return Shown(problems=("was not heard of",))
    first, alert = firing[0], firing[0].of(labels, FIRING)
    assert alert is not None
    over = [told for told in recorder.messages(labels, RESOLVED, first.at) if told.at >= mended]
    # What is told later is of another time.
    firing = [told for told in firing if not over or told.at <= over[0].at]
    problems = _wrong(name, labels, firing, recorder)
    if not over:
        problems.append("was not over after it was mended")
    if not _is_mailed(recorder, first, alert):
        problems.append(f"no {MAIL} says it")
    return Shown(
        fired=_instant(alert["startsAt"]) - began,
        delivered=first.at - began,
        resolved=over[0].at - mended if over else 0.0,
        problems=tuple(problems),
    )


def _wrong(name: str, labels: Labels, firing: Sequence[Told], recorder: Recorder) -> list[str]:
    found = []
    if others := {told.receiver for told in firing} - {ROWS[name].receiver}:
        found.append(f"heard of by {', '.join(sorted(others))}")
    starts = {alert["startsAt"] for told in firing if (alert := told.of(labels, FIRING))}
    alerts = {alert["fingerprint"] for told in firing if (alert := told.of(labels, FIRING))}
    if len(starts) > len(alerts):
        found.append(f"told {len(starts)} times, as beginning anew")
    told = list(recorder.told)
    if repeated := [one for one in firing if is_repeated(one, told[: told.index(one)])]:
        found.append(f"repeated {len(repeated)} times")
    return found


def _is_mailed(recorder: Recorder, told: Told, alert: Mapping[str, Any]) -> bool:
    """Whether a mail to the same receiver says the same."""
    summary = alert["annotations"]["summary"]

    def said() -> bool:
        return any(mail.receiver == told.receiver and summary in _joined(mail.text) for mail in recorder.mails)

    return bool(recorder.wait(said, MAIL_SECONDS))


def _joined(text: str) -> str:
    """A mail's text without the breaks that its encoding makes."""
    return text.replace("\r\n", "\n")


def _instant(text: str) -> float:
    """RFC 3339, whose fraction may be longer than Python reads."""
    return datetime.fromisoformat(text).timestamp()
