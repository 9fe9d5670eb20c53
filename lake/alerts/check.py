"""Checking a published lake: every rule at the commit of a receipt, and Alertmanager told of the outcome."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from lake.alerts import alertmanager
from lake.alerts.alert import Alert
from lake.alerts.engine import Finding, evaluate
from lake.alerts.rules import load
from lake.layers import marts
from lake.platform import sql
from lake.platform.catalog import MAIN
from lake.settings import settings

log = logging.getLogger(__name__)

NO_DATA = "NoData"


def check(run_id: str, lake_commit: str, source_instant: str) -> list[dict[str, Any]]:
    """Evaluate all rules at one commit of the lake and post what they amount to; a plain finding a rule.

    Rules on the marts wait until the lake has any.

    Args:
        run_id: of the receipt.
        lake_commit: of the receipt; the rules are evaluated there.
        source_instant: of the receipt, ISO 8601; UTC where it has no offset.

    Raises:
        LakeError: the rules are malformed; file, rule and the expected shape are named.
        ServiceError: Trino or Alertmanager is away.
    """
    rules = []
    for rule in load(settings().alert_rules):
        if marts.readable([rule.query], lake_commit):
            rules.append(rule)
        else:
            log.warning("%s is not evaluated: the lake has no marts, which are made of the shop's tables", rule.name)
    parsed = datetime.fromisoformat(source_instant)
    as_of = (parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)).date()
    with sql.catalog_at(f"alerts_{run_id}", f"{MAIN}@{lake_commit}") as catalog:
        findings = evaluate(rules, as_of, lambda query: sql.rows(query, catalog))
    for finding in findings:
        level = logging.INFO if finding.state == "holds" else logging.WARNING
        log.log(level, "%s: %s: %s", finding.rule.name, finding.state, finding.summary)
    post(findings, {"run_id": run_id, "lake_commit": lake_commit, "source_instant": source_instant})
    return [finding.to_json() for finding in findings]


def post(findings: Sequence[Finding], evidence: Mapping[str, str], now: datetime | None = None) -> list[dict[str, Any]]:
    """Tell Alertmanager what the findings amount to; what it was told.

    A rule has two alerts: one of its own name, and ``NoData``. A firing rule raises the first and ends the second; one
    that holds ends both; one that cannot be evaluated raises ``NoData`` and leaves its own alert as it was, because
    nothing is known about it.

    Args:
        findings: one a rule.
        evidence: added to each alert's annotations: which receipt and commit it was found in.

    Raises:
        ServiceError: Alertmanager is away, or refused the alerts.
    """
    states = {finding.rule.name: finding.state for finding in findings}

    def settled(labels: Mapping[str, str]) -> bool:
        state = states.get(labels.get("rule", ""))
        return state is not None and not (state == "no_data" and labels["alertname"] != NO_DATA)

    raised = [_alert(finding, evidence) for finding in findings if finding.state != "holds"]
    return alertmanager.tell(raised, settled, now)


def _alert(finding: Finding, evidence: Mapping[str, str]) -> Alert:
    rule = finding.rule
    figures = {key: f"{value:,}" for key in ("value", "reference") if (value := getattr(finding, key)) is not None}
    return Alert(
        name=NO_DATA if finding.state == "no_data" else rule.name,
        severity=rule.severity,
        summary=finding.summary,
        labels={**rule.labels, "rule": rule.name},
        annotations={"description": rule.description, **figures, **evidence},
        page=f"{settings().airflow_url}/dags/alerting",
    )
