"""Checking a published lake: every rule at the commit of a receipt, and Alertmanager told of the outcome."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

from lake.alerts import alertmanager
from lake.alerts.engine import evaluate
from lake.alerts.rules import load
from lake.layers import marts
from lake.platform import sql
from lake.platform.catalog import MAIN
from lake.settings import settings

log = logging.getLogger(__name__)


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
    alertmanager.post(findings, {"run_id": run_id, "lake_commit": lake_commit, "source_instant": source_instant})
    return [finding.to_json() for finding in findings]
