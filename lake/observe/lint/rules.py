"""Prometheus' rules: nothing in them is called by a name that is not there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lake.alerts import kinds
from lake.errors import nearest
from lake.mistakes import Mistake, at_line, line_of, read
from lake.observe.lint import promql
from lake.observe.lint.known import SEVERITIES, TEAMS, Known, known

ANNOTATIONS = frozenset({"summary", "way_out", "runbook"})
IN_TEMPLATES = re.compile(r"\$labels\.(\w+)")
"""A label in the text of an annotation, which is a template of Go's."""


@dataclass(frozen=True)
class Told:
    """An alert that may be told: what routes and inhibitions may go by.

    Attributes:
        labels: all it may have.
        fixed: those whose value is always the same.
    """

    name: str
    labels: frozenset[str]
    fixed: dict[str, str]


@dataclass
class Found:
    """What the rule files hold."""

    known: Known
    alerts: list[Told]
    mistakes: list[Mistake]


def check(files: Sequence[Path], names: Known, project: Path) -> Found:
    """Look through all rules.

    Args:
        names: what they may name, beside what they record themselves.
        project: below which their runbooks lie.
    """
    found = Found(names, [], [])
    rules = []
    for file in files:
        document, mistakes = read(file)
        found.mistakes += mistakes
        rules += [(file, rule) for group in (document or {}).get("groups", []) for rule in group["rules"]]
    # What is recorded first, whatever file it stands in: some record from what others do.
    for _ in range(2):
        for _, rule in rules:
            if "record" in rule:
                labels, _ = promql.check(rule["expr"], found.known)
                found.known = found.known.with_metric(rule["record"], labels | set(rule.get("labels", {})))
    seen: dict[str, Path] = {}
    for file, rule in rules:
        labels, said = promql.check(rule["expr"], found.known)
        found.mistakes += at_line(file, line_of(rule, "expr"), said)
        name = rule.get("alert") or rule["record"]
        if name in seen:
            found.mistakes.append(Mistake(file, line_of(rule), f"{name} is there twice, also in {seen[name]}"))
        seen[name] = file
        if "alert" in rule:
            found.alerts.append(_told(rule, labels))
            found.mistakes += _of_alert(file, rule, project)
            # Of an expression that is wrong it is not known which labels it has.
            found.mistakes += [] if said else _of_texts(file, rule, labels)
    return found


def served(project: Path) -> Known:
    """All that Prometheus can be asked for: what it scrapes, what rules record, and the alerts that fire."""
    prometheus = project / "infra" / "prometheus"
    found = check(rule_files(prometheus), known(prometheus), project)
    of_alerts = frozenset({"alertname"}).union(*(alert.labels for alert in found.alerts))
    return found.known.with_metric("ALERTS_FOR_STATE", of_alerts).with_metric("ALERTS", of_alerts | {"alertstate"})


def rule_files(prometheus: Path) -> list[Path]:
    """The files of Prometheus' rules."""
    return sorted((prometheus / "rules").glob("*.yml"))


def _told(rule: Any, labels: frozenset[str]) -> Told:
    fixed = {"alertname": str(rule["alert"]), **{key: str(value) for key, value in rule.get("labels", {}).items()}}
    return Told(fixed["alertname"], labels | set(fixed), fixed)


def _of_alert(file: Path, rule: Any, project: Path) -> Iterator[Mistake]:
    given = rule.get("labels", {})
    for label, values in (("severity", SEVERITIES), ("team", TEAMS)):
        if label not in given:
            what = f"{rule['alert']} has no label {label}: one of {', '.join(sorted(values))}"
            yield Mistake(file, line_of(rule), what)
        elif given[label] not in values:
            what = f"no {label} {given[label]}: {nearest(given[label], values)}"
            yield Mistake(file, line_of(rule, "labels"), what)
    texts = rule.get("annotations", {})
    for name in sorted(ANNOTATIONS - set(texts)):
        yield Mistake(file, line_of(rule), f"{rule['alert']} has no annotation {name}")
    runbook = texts.get("runbook")
    if runbook and not (project / runbook).is_file():
        pages = [f"{kinds.RUNBOOKS}/{page.name}" for page in (project / kinds.RUNBOOKS).glob("*.md")]
        yield Mistake(file, line_of(texts, "runbook"), f"no runbook {runbook}: {nearest(runbook, pages)}")


def _of_texts(file: Path, rule: Any, labels: frozenset[str]) -> Iterator[Mistake]:
    texts = rule.get("annotations", {})
    for name, text in texts.items():
        for label in IN_TEMPLATES.findall(text):
            if label not in labels | set(rule.get("labels", {})):
                what = f"no label {label} in the expression: {nearest(label, labels)}"
                yield Mistake(file, line_of(texts, name), what)
