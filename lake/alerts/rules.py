"""What an alert rule is: a YAML entry with a query and the condition that must hold."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from string import Template
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from lake.alerts.alert import Severity
from lake.errors import LakeError

SHAPE = """a rule looks like this:
    - name: revenue_of_yesterday        # lower case, digits and _
      description: What broken means, in a sentence.
      severity: critical                # or: warning, info
      query: SELECT … AS value, … AS reference
      condition: {min_ratio: 0.5}       # one or more of: min, max (of value), min_ratio, max_ratio (value to reference)
      labels: {team: sales}             # optional"""


class Condition(BaseModel):
    """What must hold; at least one bound. A value equal to a bound holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    min: Decimal | None = None
    max: Decimal | None = None
    min_ratio: Decimal | None = None
    max_ratio: Decimal | None = None

    @model_validator(mode="after")
    def _some_bound(self) -> Condition:
        if not self.model_fields_set or None in (getattr(self, name) for name in self.model_fields_set):
            raise ValueError("give a number for at least one of min, max, min_ratio, max_ratio")
        return self

    @property
    def is_relative(self) -> bool:
        """Whether the reference is needed."""
        return self.min_ratio is not None or self.max_ratio is not None

    def broken(self, value: Decimal, reference: Decimal | None) -> str:
        """The bound that does not hold, in words; empty if all do. A relative bound needs the reference."""
        bounds = [("at least", self.min, self.min), ("at most", self.max, self.max)]
        if reference is not None:
            for word, ratio in (("at least", self.min_ratio), ("at most", self.max_ratio)):
                bounds.append((word, ratio, None if ratio is None else ratio * reference))
        for word, given, limit in bounds:
            if limit is not None and (value < limit if word == "at least" else value > limit):
                times = "" if given == limit else f" ({given} times the reference {reference:,})"
                return f"{value:,} should be {word} {limit.normalize():,f}{times}"
        return ""


class Rule(BaseModel):
    """One alert rule.

    Attributes:
        query: SQL for Trino that returns one row with ``value``, and ``reference`` where the condition is relative.
            ``$as_of`` becomes a date literal: the day of the source instant.
        labels: added to the alert's own, for routing.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    description: str = Field(min_length=1)
    severity: Severity
    query: str = Field(min_length=1)
    condition: Condition
    labels: dict[str, str] = Field(default_factory=dict)

    @field_validator("query")
    @classmethod
    def _known_parameters(cls, query: str) -> str:
        if not Template(query).is_valid() or set(Template(query).get_identifiers()) - {"as_of"}:
            raise ValueError("the only parameter is $as_of")
        return query

    @field_validator("labels")
    @classmethod
    def _free_labels(cls, labels: dict[str, str]) -> dict[str, str]:
        if taken := {"alertname", "severity", "rule"} & set(labels):
            raise ValueError(f"{', '.join(sorted(taken))} is set from the rule itself")
        return labels

    def bound(self, as_of: date) -> str:
        """The query with its parameter filled in."""
        return Template(self.query).substitute(as_of=f"DATE '{as_of.isoformat()}'")


def load(file: Path) -> list[Rule]:
    """Read all rules of a file.

    Raises:
        LakeError: the file is missing or malformed; file, rule, field and the expected shape are named.
    """
    try:
        content: Any = yaml.safe_load(file.read_text())
    except OSError as error:
        raise LakeError(
            f"the alert rules {file} cannot be read: {error.strerror}", "LAKE_ALERT_RULES names them"
        ) from error
    except yaml.YAMLError as error:
        raise LakeError(f"{file} is not YAML: {error}", SHAPE) from error
    entries = content.get("rules") if isinstance(content, dict) else None
    if not isinstance(entries, list) or not entries:
        raise LakeError(f"{file} has no list `rules`", SHAPE)
    rules = [_rule(entry, f"{file}, rule {place}") for place, entry in enumerate(entries, 1)]
    names = [rule.name for rule in rules]
    if doubles := sorted({name for name in names if names.count(name) > 1}):
        raise LakeError(f"{file}: two rules are called {', '.join(doubles)}", "give each rule a name of its own")
    return rules


def _rule(entry: Any, where: str) -> Rule:
    try:
        return Rule.model_validate(entry)
    except ValidationError as error:
        name = f" ({entry['name']!r})" if isinstance(entry, dict) and "name" in entry else ""
        problems = [f"{'.'.join(map(str, item['loc'])) or 'the rule'}: {item['msg']}" for item in error.errors()]
        raise LakeError(f"{where}{name}:\n  " + "\n  ".join(problems), SHAPE) from error
