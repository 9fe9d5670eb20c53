"""Services that do not answer. Each is asked what its clients ask it, so that the answer counts wherever it runs."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import httpx
from tenacity import Retrying, stop_after_attempt, wait_fixed

from lake.alerts import failures
from lake.alerts.alert import Alert
from lake.alerts.look import Look
from lake.errors import LakeError, ServiceError
from lake.platform import catalog, sql, storage
from lake.settings import settings

AWAY = "ServiceAway"
TRIES, PAUSE_SECONDS = 3, 10.0
"""One answer that does not come is a busy service, or one that is being restarted."""
REPLY_SECONDS = 10


def look(now: datetime) -> Look:
    """The services that do not answer."""
    return Look(away(ASKED), lambda labels: labels["alertname"] == AWAY)


def away(asked: Mapping[str, Callable[[], object]], pause_seconds: float = PAUSE_SECONDS) -> list[Alert]:
    """An alert for each service whose question fails in every try; they are asked side by side."""

    def one(name: str) -> Alert | None:
        try:
            Retrying(stop=stop_after_attempt(TRIES), wait=wait_fixed(pause_seconds), reraise=True)(asked[name])
        except Exception as error:  # clients fail as their libraries please, and every failure means the same here
            what, way_out = failures.explained(error)
            way_out = way_out or f"look at `lake status` and `lake logs {name}`"
            what = what if isinstance(error, LakeError) else f"{name}: {what}"
            return Alert(AWAY, "critical", what, {"service": name}, way_out)
        return None

    with ThreadPoolExecutor(max_workers=len(asked)) as pool:
        return [alert for alert in pool.map(one, asked) if alert]


def _spark() -> None:
    """Connect's port opens when it can take sessions; a session for each question would be left behind."""
    config = settings()
    try:
        socket.create_connection((config.spark_host, config.spark_port), timeout=REPLY_SECONDS).close()
    except OSError as error:
        raise ServiceError(f"Spark at {config.spark_remote} does not answer: {error}") from error


def _dag_processor() -> None:
    """What reads edited DAGs and calls the callbacks of runs. Where the scheduler is dead, nothing of this runs."""
    url = f"{settings().airflow_url}/api/v2/monitor/health"
    health = httpx.get(url, timeout=REPLY_SECONDS).raise_for_status().json()["dag_processor"]
    if health["status"] != "healthy":
        raise ServiceError(f"Airflow's DAG processor is {health['status']}: failures of runs are not told at once")


ASKED: dict[str, Callable[[], object]] = {
    "minio": lambda: storage.exists(f"{storage.RECEIPTS}/asked-by-the-watch"),
    "nessie": catalog.head,
    "trino": lambda: sql.query("SELECT 1"),
    "spark": _spark,
    "airflow-dag-processor": _dag_processor,
}
