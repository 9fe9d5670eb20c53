"""What is told of a DAG that failed, and when it is over."""

from __future__ import annotations

import pytest

from lake.alerts import alertmanager, failures
from lake.alerts.alertmanager import Up
from lake.alerts.failures import SILENT, Failure
from lake.errors import ContractError, LakeError, ServiceError
from lake.platform.airflow import RunState
from lake.settings import settings

RUN = "manual__2026-11-25T10:00:00+00:00"


class Told:
    """An Alertmanager that keeps everything in a list."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.up: list[Up] = []
        monkeypatch.setattr(alertmanager, "up", lambda: self.up)
        monkeypatch.setattr(alertmanager, "tell", self._tell)

    def _tell(self, alerts, settled=lambda labels: False, now=None) -> None:  # type: ignore[no-untyped-def]
        raised = [Up(alert.identity, alert.told) for alert in alerts]
        kept = [each for each in self.up if not settled(each.labels)]
        self.up = [each for each in kept if each.labels not in [new.labels for new in raised]] + raised


class Ended:
    """An Airflow that says how the last run of each DAG ended."""

    state: str | None = None

    def __enter__(self) -> Ended:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def last_ended(self, dag_id: str) -> RunState | None:
        if self.state == "away":
            raise ServiceError("Airflow does not answer", "look at `lake status`")
        if self.state == "refuses":
            raise LakeError("Airflow refused: 500", "look at `lake logs airflow-api`")
        return RunState(dag_id, "the last", self.state, None) if self.state else None


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> Ended:
    ended = Ended()
    monkeypatch.setattr(failures, "Airflow", lambda: ended)
    return ended


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, ended: Ended) -> Told:
    return Told(monkeypatch)


def test_a_failed_task_in_full(told: Told) -> None:
    what, way_out = failures.explained(ServiceError("the catalog does not answer", "look at `lake status`"))
    failures.task_failed(Failure("shop_lake", RUN, what, "extract [shop]", way_out, "http://here/log"))
    [alert] = told.up
    assert alert.labels == {"alertname": "DagFailed", "severity": "critical", "team": "data", "dag_id": "shop_lake"}
    assert alert.annotations == {
        "summary": "shop_lake, task extract [shop]: the catalog does not answer",
        "way_out": "look at `lake status`",
        "runbook": "docs/runbooks/DagFailed.md",
        "run_id": RUN,
        "task": "extract [shop]",
        "page": "http://here/log",
    }


@pytest.mark.parametrize(
    ("error", "what", "way_out"),
    [
        (ContractError("a.yml:1: wrong\nb.yml:2: wrong", "see the docs"), "a.yml:1: wrong …", "see the docs"),
        (KeyError("total"), "KeyError: 'total'", ""),
        (ValueError("x" * 500), "ValueError: " + "x" * 388 + " …", ""),
        (ValueError(), "ValueError", ""),
        ("it took too long", "it took too long", ""),
        (None, SILENT, ""),
    ],
)
def test_an_error_in_a_line(error: BaseException | str | None, what: str, way_out: str) -> None:
    assert failures.explained(error) == (what, way_out)


def test_the_run_adds_nothing_to_what_its_task_has_told(told: Told) -> None:
    failures.task_failed(Failure("reports", RUN, "no such mart", "render [business]"))
    before = list(told.up)
    failures.run_failed("reports", RUN, "task_failure", "render [business]")
    assert told.up == before


def test_a_run_whose_task_was_killed_is_told_by_itself(told: Told) -> None:
    failures.task_failed(Failure("reports", "an earlier run", "no such mart", "render [business]"))
    failures.run_failed("reports", RUN, "task_failure", "render [business]")
    [alert] = told.up
    page = f"{settings().airflow_url}/dags/reports/runs/{RUN}"
    assert alert.labels == {"alertname": "DagFailed", "severity": "warning", "team": "data", "dag_id": "reports"}
    assert alert.annotations == {
        "summary": "reports, task render [business]: a task failed",
        "way_out": f"the log tells more: {page}",
        "runbook": "docs/runbooks/DagFailed.md",
        "run_id": RUN,
        "task": "render [business]",
        "page": page,
    }


def test_a_run_that_takes_too_long_is_told_whatever_its_tasks_said(told: Told) -> None:
    failures.task_failed(Failure("shop_lake", RUN, "the source is away", "extract [a]"))
    failures.run_failed("shop_lake", RUN, "timed_out", "extract [b]")
    [alert] = told.up
    assert alert.annotations["summary"] == "shop_lake, task extract [b]: the run took longer than it may and was ended"


def test_the_next_success_of_the_same_dag_ends_it(told: Told) -> None:
    for dag_id in ("shop_lake", "reports"):
        failures.task_failed(Failure(dag_id, RUN, "x"))
    told.up.append(Up({"alertname": "sales", "rule": "sales", "dag_id": "shop_lake"}, {}))
    failures.run_succeeded("shop_lake")
    assert [each.labels["alertname"] + " " + each.labels["dag_id"] for each in told.up] == [
        "DagFailed reports",
        "sales shop_lake",
    ]


@pytest.mark.parametrize(
    ("last", "is_told"),
    [("success", False), ("failed", True), ("away", True), ("refuses", True), (None, True)],
)
def test_a_failure_that_is_heard_of_after_the_next_success_is_over(
    told: Told, ended: Ended, last: str | None, is_told: bool
) -> None:
    ended.state = last
    failures.run_failed("reports", RUN, "task_failure")
    assert bool(told.up) == is_told


@pytest.mark.parametrize(("last", "is_told"), [("success", False), ("failed", True), ("away", False)])
def test_a_success_that_is_heard_of_after_the_next_failure_ends_nothing(
    told: Told, ended: Ended, last: str, is_told: bool
) -> None:
    failures.task_failed(Failure("reports", RUN, "x"))
    ended.state = last
    failures.run_succeeded("reports")
    assert bool(told.up) == is_told
