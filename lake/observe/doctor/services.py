"""Whether the services answer that others are asked through: engines, Airflow's parts, Alertmanager."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial

import httpx

from lake.alerts import alertmanager, failures
from lake.alerts import reach as reaching
from lake.errors import ServiceError
from lake.observe.doctor.examine import side_by_side
from lake.observe.doctor.finding import Finding, ok, problem, warning
from lake.runtime.engines import http_ping
from lake.runtime.orchestration import HEALTH_NAMES
from lake.settings import settings

SECONDS = 25.0
AIRFLOW = "airflow-dag-processor"
"""Of what the watch asks for, what is told here with Airflow's other parts."""


def reach(now: datetime) -> Iterator[Finding]:
    """Whether object store, catalog and engines answer what their clients ask."""
    asked = {name: question for name, question in reaching.ASKED.items() if name != AIRFLOW}
    found = side_by_side(
        {name: partial(_asked, name, question) for name, question in asked.items()}, dict.fromkeys(asked, SECONDS)
    )
    for findings in found.values():
        yield from findings


def _asked(name: str, question: Callable[[], object]) -> list[Finding]:
    try:
        question()
    except Exception as error:  # clients fail as their libraries please, and every failure means the same here
        what, way_out = failures.explained(error)
        return [problem(name, what, way_out or f"look at `lake status` and `lake logs {name}`")]
    return [ok(name, "answers")]


def airflow(now: datetime) -> Iterator[Finding]:
    """Heartbeats of Airflow's parts, as its API server tells them."""
    url = f"{settings().airflow_url}/api/v2/monitor/health"
    try:
        health = http_ping(url).json()
    except (httpx.HTTPError, ValueError) as error:
        yield problem(
            "airflow-api", f"{url} does not answer: {error}", "look at `lake status` and `lake logs airflow-api`"
        )
        return
    for name, part in HEALTH_NAMES.items():
        told = health.get(part) or {}
        status = told.get("status") or "not there"
        beat = told.get(f"latest_{part}_heartbeat")
        seen = f"{status}, last heartbeat {beat or 'never'}" if name != "airflow-api" else f"database {status}"
        if status == "healthy":
            yield ok(name, seen)
        else:
            yield problem(
                name, seen, f"look at `lake status` and `lake logs {name}`; `lake up` starts what is not running"
            )


def receivers(now: datetime) -> Iterator[Finding]:
    """Whether anybody hears of an alert."""
    try:
        hearers = alertmanager.hearers()
    except ServiceError as error:
        yield problem("receivers", f"nobody hears of an alert: {error.what}", error.fix)
        return
    if hearers:
        yield ok("receivers", f"alerts go to {', '.join(hearers)}")
    else:
        way_out = (
            "set LAKE_ALERT_EMAIL_TO and LAKE_ALERT_SMTP, or LAKE_ALERT_WEBHOOK_URL, and run `lake up` (docs/alerts.md)"
        )
        yield warning("receivers", "nobody will hear of an alert: there is no receiver", way_out)
