"""Alertmanager's routes and inhibitions: receivers, alerts, labels, teams and severities that are there.

A matcher is written as in PromQL: https://prometheus.io/docs/alerting/latest/configuration/#matcher.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import promql_parser as promql
from promql_parser import MatchOp

from lake.alerts import kinds
from lake.alerts.rules import Rule
from lake.errors import nearest
from lake.mistakes import Mistake, at_line, line_of, read
from lake.observe.lint.known import SEVERITIES, TEAMS
from lake.observe.lint.rules import Told

OF_ALL = frozenset({"alertname", "severity", "team"})


def of_ours(rules: Iterable[Rule]) -> list[Told]:
    """The alerts that the platform tells without Prometheus.

    Args:
        rules: of the published lake.
    """
    by_kind = [Told(name, OF_ALL | set(kind.labels), {"alertname": name}) for name, kind in kinds.KINDS.items()]
    by_rule = [
        Told(rule.name, OF_ALL | set(kinds.RULE.labels) | set(rule.labels), {"alertname": rule.name, **rule.labels})
        for rule in rules
    ]
    return by_kind + by_rule


def check(file: Path, alerts: Sequence[Told]) -> list[Mistake]:
    """Look through Alertmanager's configuration.

    Args:
        alerts: all that may be told.
    """
    document, mistakes = read(file)
    if document is None:
        return mistakes
    receivers = [receiver["name"] for receiver in document["receivers"]]
    found = list(_of_route(file, document["route"], receivers, alerts))
    for rule in document.get("inhibit_rules", []):
        found += _of_inhibition(file, rule, alerts)
    return sorted(set(found))


def _of_route(file: Path, route: Any, receivers: Sequence[str], alerts: Sequence[Told]) -> Iterator[Mistake]:
    named = route.get("receiver")
    if named is not None and named not in receivers:
        yield Mistake(file, line_of(route, "receiver"), f"no receiver {named}: {nearest(named, receivers)}")
    yield from _labels(file, route, "group_by", alerts)
    if "matchers" in route:
        yield from _matchers(file, route, "matchers", alerts)
    for each in route.get("routes", []):
        yield from _of_route(file, each, receivers, alerts)


def _of_inhibition(file: Path, rule: Any, alerts: Sequence[Told]) -> Iterator[Mistake]:
    yield from _labels(file, rule, "equal", alerts)
    for side in ("source_matchers", "target_matchers"):
        yield from _matchers(file, rule, side, alerts)
        matchers, _ = _parsed(rule.get(side, []))
        matched = [told for told in alerts if _matches(told, matchers)]
        for label in rule.get("equal", []) if matched else []:
            if not any(label in told.labels for told in matched):
                what = f"no alert of {side} has the label {label}"
                yield Mistake(file, line_of(rule, "equal"), what)


def _labels(file: Path, part: Any, key: str, alerts: Sequence[Told]) -> Iterator[Mistake]:
    known = frozenset().union(*(told.labels for told in alerts))
    for label in part.get(key, []):
        if label not in known and label != "...":
            yield Mistake(file, line_of(part, key), f"no alert has the label {label}: {nearest(label, known)}")


def _matchers(file: Path, part: Any, key: str, alerts: Sequence[Told]) -> Iterator[Mistake]:
    line = line_of(part, key)
    matchers, said = _parsed(part.get(key, []))
    yield from at_line(file, line, said)
    known = frozenset().union(*(told.labels for told in alerts))
    values: Mapping[str, Iterable[str]] = {
        "alertname": {told.name for told in alerts},
        "severity": SEVERITIES,
        "team": TEAMS | {told.fixed["team"] for told in alerts if "team" in told.fixed},
    }
    for each in matchers:
        if each.name not in known:
            yield Mistake(file, line, f"no alert has the label {each.name}: {nearest(each.name, known)}")
        for value in _named(each) if each.name in values else ():
            if not any(re.fullmatch(value, one) for one in values[each.name]):
                yield Mistake(file, line, f"no {each.name} {value}: {nearest(value, values[each.name])}")


def _parsed(matchers: Sequence[str]) -> tuple[list[Any], list[str]]:
    found, said = [], []
    for text in matchers:
        try:
            selector: Any = promql.parse(f"alert{{{text}}}")
        except ValueError as error:
            said.append(f"not a matcher: {text}: {str(error).strip().splitlines()[0]}")
        else:
            found += selector.matchers.matchers
    return found, said


def _named(matcher: Any) -> list[str]:
    """The values that a matcher names, as regular expressions."""
    if matcher.op in (MatchOp.Re, MatchOp.NotRe):
        return str(matcher.value).split("|")
    return [re.escape(matcher.value)]


def _matches(told: Told, matchers: Iterable[Any]) -> bool:
    """Whether an alert may be meant: a label whose value changes may have any."""
    for each in matchers:
        if each.name not in told.labels:
            return False
        if each.name in told.fixed:
            names_it = any(re.fullmatch(value, told.fixed[each.name]) for value in _named(each))
            if names_it != (each.op in (MatchOp.Equal, MatchOp.Re)):
                return False
    return True
