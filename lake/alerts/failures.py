"""A DAG that failed: told at once by Airflow's callbacks, and over with the next run of it that succeeds.

Two callbacks may tell of one failure. That of the task knows its error, but is not called where the task's process was
killed; that of the run always comes, and knows no error. So the second adds nothing to what the first has said.

Airflow calls those of runs when its DAG processor gets to them, and of two that wait, either first. So what they tell
is not how a run ended but how the DAG's last run did.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from lake.alerts import alertmanager
from lake.alerts.alert import Alert, Severity
from lake.errors import LakeError
from lake.platform.airflow import Airflow
from lake.settings import settings

log = logging.getLogger(__name__)

FAILED = "DagFailed"
SILENT = "it ended without a word: it was killed, ran out of memory, or lost touch with Airflow"
LONGEST = 400
"""Characters of an error: who hears of it has the log for the rest."""

_URGENT = frozenset({"shop_lake", "watch"})
"""Without the one the lake gets old, without the other nobody hears of it."""

TASK_FAILED = "a task failed"
"""What is known where the task itself has said nothing."""

_REASONS = {
    "timed_out": "the run took longer than it may and was ended",
    "task_failure": TASK_FAILED,
    "all_tasks_deadlocked": "no task could go on",
}
"""Airflow's words for why a run failed."""


@dataclass(frozen=True)
class Failure:
    """What is known of a failure.

    Attributes:
        task: name of the task, with the label of a mapped one; empty where it was the run.
        what: what went wrong.
        way_out: what to do about it; the log, where nothing better is known.
        page: where to look.
    """

    dag_id: str
    run_id: str
    what: str
    task: str = ""
    way_out: str = ""
    page: str = ""

    @property
    def alert(self) -> Alert:
        """What somebody should hear of it."""
        at = f", task {self.task}" if self.task else ""
        severity: Severity = "critical" if self.dag_id in _URGENT else "warning"
        page = self.page or page_of(self.dag_id, self.run_id)
        return Alert(
            name=FAILED,
            severity=severity,
            summary=f"{self.dag_id}{at}: {self.what}",
            labels={"dag_id": self.dag_id},
            way_out=self.way_out or f"the log tells more: {page}",
            annotations={"run_id": self.run_id, "task": self.task, "page": page},
            page=page,
        )


def page_of(dag_id: str, run_id: str) -> str:
    """The page of a run; who starts one by hand may give it any name."""
    return f"{settings().airflow_url}/dags/{dag_id}/runs/{quote(run_id, safe=':+')}"


def explained(error: BaseException | str | None) -> tuple[str, str]:
    """What an error says in a line, and its way out."""
    if error is None:
        return SILENT, ""
    if isinstance(error, LakeError):
        return _line(error.what), error.fix
    said = error if isinstance(error, str) else f"{type(error).__name__}: {error}".removesuffix(": ")
    return _line(said), ""


def _line(text: str) -> str:
    first, _, rest = text.strip().partition("\n")
    cut = first[:LONGEST]
    return f"{cut} …" if rest or len(first) > LONGEST else cut


def task_failed(failure: Failure) -> None:
    """Tell that a task has failed for good.

    Raises:
        ServiceError: Alertmanager is away; the watch tells it later.
    """
    alertmanager.tell([failure.alert])


def run_failed(dag_id: str, run_id: str, reason: str, task: str = "") -> None:
    """Tell that a run has failed, unless its task has told more, or a later run succeeded meanwhile.

    Args:
        reason: Airflow's word for it.
        task: that failed, or that the run was at.

    Raises:
        ServiceError: Alertmanager is away; the watch tells it later.
    """
    if (reason == "task_failure" and told_of(dag_id, run_id)) or _last_state(dag_id) == "success":
        return
    alertmanager.tell([Failure(dag_id, run_id, _REASONS.get(reason, reason or "the run failed"), task).alert])


def run_succeeded(dag_id: str) -> None:
    """End what was told of a DAG, unless a later run failed meanwhile.

    Raises:
        ServiceError: Alertmanager is away; the watch tells it later.
    """
    if _last_state(dag_id) != "failed":
        alertmanager.tell([], lambda labels: is_of(labels, dag_id))


def _last_state(dag_id: str) -> str:
    """How the last run of a DAG ended; empty where Airflow does not say."""
    try:
        with Airflow() as airflow:
            last = airflow.last_ended(dag_id)
    except LakeError as error:  # away, or it refuses: a failure is told all the same
        log.warning("how the last run of %s ended is not known: %s", dag_id, error)
        return ""
    return last.state if last else ""


def told_of(dag_id: str, run_id: str) -> bool:
    """Whether an alert of this run is up."""
    return any(is_of(each.labels, dag_id) and each.annotations.get("run_id") == run_id for each in alertmanager.up())


def is_of(labels: Mapping[str, str], dag_id: str) -> bool:
    """Whether an alert tells that this DAG failed."""
    return labels["alertname"] == FAILED and labels.get("dag_id") == dag_id
