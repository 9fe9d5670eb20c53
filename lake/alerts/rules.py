"""What an alert rule is: a YAML entry with a metric and what is wrong with it, or with a query and what must hold."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from string import Template
from typing import Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from lake.alerts.alert import Severity
from lake.errors import LakeError, problems

SHAPE = """a rule looks like this:
    - name: revenue_of_yesterday        # lower case, digits and _
      description: What broken means, in a sentence.
      severity: critical                # or: warning, info
      metric: revenue                   # or query: SELECT … AS value, … AS reference, and condition: {min_ratio: 0.5}
      by: department                    # optional: the metric of each of its `largest: 5` segments
      days: 1                           # optional: how many days, up to yesterday, are judged together
      counted: {what: Orders, query: SELECT … AS day, … AS segment, … AS value}
                                        # optional: judged in place of the metric, by which segments are large, and why
      change: {against: weekdays, min_ratio: 0.5}
                                        # or `threshold: {min: 100, max: 900}`, or `anomaly: {below: 4, above: 4}`
      labels: {team: sales}             # optional"""


class Bounds(BaseModel):
    """What a value must lie between; one that is equal to a bound does. At least one bound is given."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="after")
    def _some_bound(self) -> Self:
        bounds = self.bounds
        if not any(name in self.model_fields_set for name in bounds) or None in (
            getattr(self, name) for name in bounds if name in self.model_fields_set
        ):
            raise ValueError(f"give a number for at least one of {', '.join(bounds)}")
        return self

    @property
    def bounds(self) -> list[str]:
        """Names of the bounds that there are."""
        return [name for name, field in type(self).model_fields.items() if field.default is None]


class Condition(Bounds):
    """What must hold of the value of a query, and of its ratio to the reference."""

    min: Decimal | None = None
    max: Decimal | None = None
    min_ratio: Decimal | None = None
    max_ratio: Decimal | None = None

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


class Threshold(Bounds):
    """What a metric must lie between."""

    min: Decimal | None = None
    max: Decimal | None = None


class Change(Bounds):
    """What a metric must lie between as a ratio to what it was before.

    Attributes:
        against: ``weekdays`` is the mean of the same days of the four weeks before, ``before`` as many days just
            before, ``year`` the same weekdays 52 weeks before.
    """

    against: Literal["weekdays", "before", "year"]
    min_ratio: Decimal | None = Field(default=None, ge=0)
    max_ratio: Decimal | None = Field(default=None, ge=0)


class Anomaly(Bounds):
    """How far a metric may stray from what is usual of the day (`lake.alerts.usual`), in standard deviations.

    Attributes:
        beside: ``others`` judges a segment by what it usually is when the others are as they are, so that a quiet day
            of the whole shop is not told of each segment.
    """

    below: float | None = Field(default=None, gt=0)
    above: float | None = Field(default=None, gt=0)
    beside: Literal["", "others"] = ""


class Counted(BaseModel):
    """What is judged of each segment where no metric tells it.

    Attributes:
        what: it is, in a word for people.
        query: SQL for Trino that returns rows with ``day``, ``segment`` and ``value``, a count. ``$first`` and
            ``$last`` become date literals: the days from and to which it is asked.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    what: str = Field(min_length=1)
    query: str = Field(min_length=1)

    @field_validator("query")
    @classmethod
    def _known_parameters(cls, query: str) -> str:
        if not Template(query).is_valid() or set(Template(query).get_identifiers()) != {"first", "last"}:
            raise ValueError("the parameters are $first and $last, both of them")
        return query

    def bound(self, first: date, last: date) -> str:
        """The query with its parameters filled in."""
        days = {"first": first, "last": last}
        return Template(self.query).substitute({name: f"DATE '{day.isoformat()}'" for name, day in days.items()})


class _Named(BaseModel):
    """What every rule says.

    Attributes:
        labels: added to the alert's own, for routing.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    description: str = Field(min_length=1)
    severity: Severity
    labels: dict[str, str] = Field(default_factory=dict)

    @field_validator("labels")
    @classmethod
    def _free_labels(cls, labels: dict[str, str]) -> dict[str, str]:
        if taken := {"alertname", "severity", "rule", "segment"} & set(labels):
            raise ValueError(f"{', '.join(sorted(taken))} is set from the rule itself")
        return labels


class QueryRule(_Named):
    """What no metric tells: a query of one's own.

    Attributes:
        query: SQL for Trino that returns one row with ``value``, and ``reference`` where the condition is relative.
            ``$as_of`` becomes a date literal: the day of the source instant.
    """

    query: str = Field(min_length=1)
    condition: Condition

    @field_validator("query")
    @classmethod
    def _known_parameters(cls, query: str) -> str:
        if not Template(query).is_valid() or set(Template(query).get_identifiers()) - {"as_of"}:
            raise ValueError("the only parameter is $as_of")
        return query

    def bound(self, as_of: date) -> str:
        """The query with its parameter filled in."""
        return Template(self.query).substitute(as_of=f"DATE '{as_of.isoformat()}'")


class MetricRule(_Named):
    """What must hold of a metric, or of each of its largest segments.

    Attributes:
        metric: its name.
        by: one of its dimensions; empty for the metric of the whole shop.
        largest: of how many segments, the largest of the weeks before.
        days: that are judged together; the last of them is the one before the source instant's.
        counted: what is judged in place of the metric, by the same segments.
    """

    metric: str
    by: str = ""
    largest: int = Field(default=5, ge=1, le=50)
    days: int = Field(default=1, ge=1, le=31)
    counted: Counted | None = None
    threshold: Threshold | None = None
    change: Change | None = None
    anomaly: Anomaly | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        kinds = [name for name in ("threshold", "change", "anomaly") if getattr(self, name)]
        if len(kinds) != 1:
            raise ValueError(f"give one of threshold, change, anomaly, not {' and '.join(kinds) or 'none'}")
        if self.anomaly and self.anomaly.beside and not self.by:
            raise ValueError("what lies beside others is a segment: give a dimension with `by`")
        if self.counted and not self.by:
            raise ValueError("what is counted is counted of segments: give a dimension with `by`")
        return self


Rule = QueryRule | MetricRule


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
        kind = QueryRule if isinstance(entry, dict) and "query" in entry else MetricRule
        return kind.model_validate(entry)
    except ValidationError as error:
        name = f" ({entry['name']!r})" if isinstance(entry, dict) and "name" in entry else ""
        raise LakeError(f"{where}{name}:{problems(error, 'the rule')}", SHAPE) from error
