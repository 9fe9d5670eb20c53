"""Checking a published lake: every rule at the commit of a receipt, and Alertmanager told of the outcome."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from lake.alerts import alertmanager, chart, history
from lake.alerts.alert import Alert
from lake.alerts.evaluate import evaluate
from lake.alerts.finding import Finding
from lake.alerts.rules import MetricRule, Rule, load
from lake.layers import marts
from lake.platform import sql
from lake.platform.catalog import MAIN
from lake.settings import settings

log = logging.getLogger(__name__)

NO_DATA = "NoData"
_UNKNOWN = ("no_data", "learning")
_TOLD = ("firing", "no_data")


def check(run_id: str, lake_commit: str, source_instant: str, branch: str = MAIN) -> list[dict[str, Any]]:
    """Evaluate all rules at one commit of the lake and post what they amount to; a plain finding a rule.

    Rules on the marts wait until the lake has any.

    Args:
        run_id: of the receipt.
        lake_commit: of the receipt; the rules are evaluated there.
        source_instant: of the receipt, ISO 8601; UTC where it has no offset.
        branch: that the commit is on.

    Raises:
        LakeError: the rules are malformed; file, rule and the expected shape are named.
        ServiceError: Trino or Alertmanager is away.
    """
    rules = readable(load(settings().alert_rules), f"{branch}@{lake_commit}")
    parsed = datetime.fromisoformat(source_instant)
    instant = parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    with sql.catalog_at(f"alerts_{run_id}", f"{branch}@{lake_commit}") as catalog:
        findings = evaluate(rules, instant.date(), catalog)
    for finding in findings:
        level = logging.INFO if finding.state == "holds" else logging.WARNING
        log.log(level, "%s: %s: %s %s", finding.rule.name, finding.state, finding.summary, finding.why)
    history.keep(findings, run_id, instant)
    charts = {finding.subject: chart.attached(finding, run_id) for finding in findings if finding.state in _TOLD}
    post(findings, {"run_id": run_id, "lake_commit": lake_commit, "source_instant": source_instant}, charts)
    return [finding.to_json() for finding in findings]


def readable(rules: Sequence[Rule], reference: str) -> list[Rule]:
    """The rules that can be evaluated on a state of the lake: those on the marts need one that has them."""
    found = []
    for rule in rules:
        query = "marts." if isinstance(rule, MetricRule) else rule.query
        if marts.readable([query], reference):
            found.append(rule)
        else:
            log.warning("%s is not evaluated: the lake has no marts, which are made of the shop's tables", rule.name)
    return found


def post(
    findings: Sequence[Finding],
    evidence: Mapping[str, str],
    charts: Mapping[tuple[str, str], Mapping[str, str]],
    now: datetime | None = None,
) -> list[dict[str, Any]]:
    """Tell Alertmanager what the findings amount to; what it was told.

    A rule has two alerts, of the whole shop or of each segment: one of its own name, and ``NoData``. A firing rule
    raises the first and ends the second; one that holds ends both; one that cannot be evaluated raises ``NoData`` and
    leaves its own alert as it was, because nothing is known about it. A segment that is no longer among the largest is
    no longer judged, and its alert ends.

    Args:
        findings: one a rule, or one for each of its segments.
        evidence: added to each alert's annotations: which receipt and commit it was found in.
        charts: added to those of the alert about a rule and segment.

    Raises:
        ServiceError: Alertmanager is away, or refused the alerts.
    """
    rules = {finding.rule.name for finding in findings}
    unknown = {finding.rule.name for finding in findings if not finding.segment and finding.state in _UNKNOWN}
    unknown_segments = {finding.subject for finding in findings if finding.state in _UNKNOWN}

    def settled(labels: Mapping[str, str]) -> bool:
        rule = labels.get("rule", "")
        if rule not in rules or labels["alertname"] == NO_DATA:
            return rule in rules
        return rule not in unknown and (rule, labels.get("segment", "")) not in unknown_segments

    raised = [
        _alert(finding, {**evidence, **charts.get(finding.subject, {})})
        for finding in findings
        if finding.state in _TOLD
    ]
    return alertmanager.tell(raised, settled, now)


def _alert(finding: Finding, evidence: Mapping[str, str]) -> Alert:
    rule = finding.rule
    figures = {key: f"{value:,}" for key in ("value", "reference") if (value := getattr(finding, key)) is not None}
    return Alert(
        name=NO_DATA if finding.state == "no_data" else rule.name,
        severity=rule.severity,
        summary=finding.summary,
        labels={**rule.labels, "rule": rule.name, **({"segment": finding.segment} if finding.segment else {})},
        annotations={"description": rule.description, "why": finding.why, **figures, **evidence},
        page=f"{settings().airflow_url}/dags/alerting",
    )
