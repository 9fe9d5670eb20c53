"""What a rule came to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from lake.alerts.rules import Rule

State = Literal["firing", "holds", "no_data", "learning"]


@dataclass(frozen=True)
class Point:
    """What was judged as of a day, and between what it would have held; None where that is not known or not bounded."""

    day: date
    value: Decimal | None
    low: Decimal | None
    high: Decimal | None


@dataclass(frozen=True)
class Course:
    """How what a rule judges went until it fired.

    Attributes:
        what: is shown, in words.
        unit: of the values.
        points: a day each, in order; the last ``judged`` are those that the rule fires on.
        is_band: whether the limits are what is usual of each day, not a rule's own figure.
    """

    what: str
    unit: str
    points: tuple[Point, ...]
    judged: int
    is_band: bool


@dataclass(frozen=True)
class Finding:
    """What one rule came to, of the whole shop or of a segment.

    Attributes:
        state: ``no_data`` if the rule could not be evaluated, ``learning`` if the lake is too young for it; such a rule
            never passes for one that holds.
        summary: why it fires, with the figures; that it holds otherwise.
        segment: of which it is, if the rule judges segments.
        why: where the change comes from, if the rule fires on a metric.
        course: how it went, if the rule fires on a metric.
    """

    rule: Rule
    state: State
    summary: str
    value: Decimal | None = None
    reference: Decimal | None = None
    segment: str = ""
    why: str = ""
    course: Course | None = None

    @property
    def subject(self) -> tuple[str, str]:
        """Rule and segment: what an alert is about."""
        return self.rule.name, self.segment

    def to_json(self) -> dict[str, Any]:
        """Plain values, decimals as text."""
        figures = {
            name: None if (value := getattr(self, name)) is None else str(value) for name in ("value", "reference")
        }
        said = {name: text for name in ("segment", "why") if (text := getattr(self, name))}
        return {"rule": self.rule.name, "state": self.state, "summary": self.summary, **figures, **said}
