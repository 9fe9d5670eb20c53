"""Running checks side by side, so that neither one that hangs nor one that breaks keeps the others from being told."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, wait
from datetime import UTC, datetime
from functools import partial
from threading import Thread

from lake.errors import LakeError, ServiceError
from lake.observe.doctor.finding import Check, Finding, problem, skipped

Look = Callable[[], Iterable[Finding]]


def examine(checks: Iterable[Check], now: datetime | None = None) -> dict[str, list[Finding]]:
    """What each check finds, by its name and in the order given.

    Args:
        now: against which ages are measured; the present unless said.
    """
    now = now or present()
    asked = list(checks)
    return side_by_side(
        {check.name: partial(check.look, now) for check in asked}, {check.name: check.seconds for check in asked}
    )


def present() -> datetime:
    """The present instant."""
    return datetime.now(UTC)


def side_by_side(looks: Mapping[str, Look], seconds: Mapping[str, float]) -> dict[str, list[Finding]]:
    """The findings of several looks by their names. Each look has at least one.

    Args:
        seconds: that each look may take.
    """
    began = time.monotonic()
    answers = {name: _begun(name, look) for name, look in looks.items()}
    found = {}
    for name, answer in answers.items():
        wait([answer], timeout=max(0.0, began + seconds[name] - time.monotonic()))
        found[name] = _findings(name, answer, seconds[name])
    return found


def _begun(name: str, look: Look) -> Future[list[Finding]]:
    """A look in a thread of its own, left behind when it hangs: at its end Python waits for the threads of a pool."""
    answer: Future[list[Finding]] = Future()

    def work() -> None:
        try:
            answer.set_result(list(look()))
        except BaseException as error:
            answer.set_exception(error)

    Thread(target=work, name=f"doctor: {name}", daemon=True).start()
    return answer


def _findings(name: str, answer: Future[list[Finding]], seconds: float) -> list[Finding]:
    if not answer.done():
        return [problem(name, f"there was no answer within {seconds:g} s", "something hangs: look at `lake status`")]
    error = answer.exception()
    if error is None:
        return answer.result() or [skipped(name, "there is nothing to look at")]
    if isinstance(error, ServiceError):
        return [skipped(name, f"it could not be looked at: {error.what}", error.fix)]
    if isinstance(error, LakeError):
        return [problem(name, error.what, error.fix)]
    broke = f"the check itself broke: {type(error).__name__}: {error}"
    return [problem(name, broke, "tell those who keep this software; nothing is known of what it looks at")]
