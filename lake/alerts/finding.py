"""What a rule came to."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from lake.alerts.rules import Rule

State = Literal["firing", "holds", "no_data", "learning"]


@dataclass(frozen=True)
class Finding:
    """What one rule came to, of the whole shop or of a segment.

    Attributes:
        state: ``no_data`` if the rule could not be evaluated, ``learning`` if the lake is too young for it; such a rule
            never passes for one that holds.
        summary: why it fires, with the figures; that it holds otherwise.
        segment: of which it is, if the rule judges segments.
        why: where the change comes from, if the rule fires on a metric.
    """

    rule: Rule
    state: State
    summary: str
    value: Decimal | None = None
    reference: Decimal | None = None
    segment: str = ""
    why: str = ""

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
