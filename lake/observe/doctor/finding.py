"""What a check finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal

State = Literal["ok", "warning", "problem", "skipped"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        subject: the thing: a source, a file, a port.
        state: `problem` where something does not work or will not, `warning` where it may not or costs more than it has
            to, `skipped` where it could not be looked at.
        seen: what was seen, with its figures.
        way_out: what to do about it; empty where nothing has to be done.
    """

    subject: str
    state: State
    seen: str
    way_out: str = ""

    def to_json(self) -> dict[str, str]:
        """Plain values."""
        return asdict(self)


def ok(subject: str, seen: str) -> Finding:
    """All is well."""
    return Finding(subject, "ok", seen)


def warning(subject: str, seen: str, way_out: str) -> Finding:
    """It works, and somebody should know."""
    return Finding(subject, "warning", seen, way_out)


def problem(subject: str, seen: str, way_out: str) -> Finding:
    """It does not work, or will not for long."""
    return Finding(subject, "problem", seen, way_out)


def skipped(subject: str, seen: str, way_out: str = "") -> Finding:
    """It could not be looked at."""
    return Finding(subject, "skipped", seen, way_out)


@dataclass(frozen=True)
class Check:
    """One thing that is looked at.

    Attributes:
        name: what people call it in `lake doctor NAME`.
        looks_at: what is looked at, for `docs/doctor.md`.
        remedy: what is to be done as a rule, for the same page.
        look: takes the present instant, UTC, against which ages are measured.
        seconds: it may take; it is not waited for any longer.
    """

    name: str
    looks_at: str
    remedy: str
    look: Callable[[datetime], Iterable[Finding]]
    seconds: float = 30
