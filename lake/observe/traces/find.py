"""Looks for the trace of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lake.errors import LakeError
from lake.ledger import receipts
from lake.logs.span_folder import folder
from lake.observe.search import MOST, ask
from lake.observe.shipping.runs import PIPELINE
from lake.platform.airflow import Airflow
from lake.settings import settings

INSTEAD = "the spans wait in their files in {} and are taken in then, for as long as these are kept"
NOT_RUN = frozenset({"skipped", "removed", "waiting", "upstream_failed", "queued", "scheduled"})


@dataclass(frozen=True)
class Trace:
    """What there is of a trace.

    Attributes:
        spans: documents as `lake.observe.shipping.spans` makes them, the first that began first; at most `MOST`.
        total: how many there are.
        others: ids of other traces of the run, the newest first: of a run that was cleared and run again.
    """

    trace_id: str
    spans: Sequence[dict[str, Any]]
    total: int
    others: Sequence[str] = ()

    @property
    def run(self) -> str:
        """Id of the lake's run; empty for a run of another DAG."""
        return next((each["run"] for each in reversed(self.spans) if each.get("run")), "")

    @property
    def dag_run(self) -> tuple[str, str]:
        """The DAG, and Airflow's id of its run."""
        found = ((each["dag"], each["dag_run"]) for each in self.spans if each.get("dag") and each.get("dag_run"))
        return next(found, ("", ""))


def find(run: str = "") -> Trace:
    """The newest trace of a run.

    Args:
        run: its id, or Airflow's, or that of a trace; the newest run of the pipeline, if empty.

    Raises:
        LakeError: there is none; why, and what to do.
        ServiceError: OpenSearch does not answer.
    """
    names = [{"term": {name: run}} for name in ("run", "dag_run", "trace_id")]
    newest, _ = _ask(
        {
            "query": {"bool": {"should": names, "minimum_should_match": 1}} if run else {"term": {"dag": PIPELINE}},
            "sort": [{"timestamp": "desc"}],
            "collapse": {"field": "trace_id"},
            "_source": ["trace_id"],
            "size": 10,
        }
    )
    if not newest:
        raise LakeError(*_why_none(run))
    trace_id, *others = [each["trace_id"] for each in newest]
    asked = {"query": {"term": {"trace_id": trace_id}}, "sort": [{"timestamp": "asc"}], "size": MOST}
    return Trace(trace_id, *_ask(asked), others if run else ())


def _ask(query: dict[str, Any]) -> tuple[list[dict[str, Any]], int]:
    hits = ask("spans", {**query, "track_total_hits": True}, INSTEAD.format(folder()))
    return [hit["_source"] for hit in hits["hits"]], hits["total"]["value"]


def _why_none(run: str) -> tuple[str, str]:
    """What to say of a run without spans, and what to do."""
    if not run:
        return "no run of the pipeline was traced yet", "start one with `lake run`"
    receipt = receipts.find(run)
    if receipt is None:
        return f"there is no span of a run {run}", "`lake receipts` lists the runs; the newest one needs no name"
    if not receipt.trace_id:
        return f"run {run} was not traced: it was before there were traces, or they were off", "name a newer one"
    return (
        f"the spans of run {run}, trace {receipt.trace_id}, are not in OpenSearch",
        f"they are there some seconds after its end, for {settings().kept_logs_days} days; `lake status` shows whether "
        f"otel-collector and shipper are healthy, and {folder()} has what they have not taken yet",
    )


def untold(trace: Trace) -> list[str]:
    """What a trace should have and does not, a line each.

    Raises:
        LakeError: Airflow does not know the run any more.
        ServiceError: Airflow does not answer.
    """
    dag, dag_run = trace.dag_run
    with Airflow() as airflow:
        tasks = airflow.tasks(dag, dag_run)
    have = {(each["task"], _map_index(each)) for each in trace.spans if each.get("task")}
    lines = [
        f"{task.name} ({task.state}) has no span"
        for task in tasks
        if task.state not in NOT_RUN and (task.task_id, task.map_index) not in have
    ]
    if left := [task.name for task in tasks if task.state in NOT_RUN]:
        lines.append(f"not run: {', '.join(left)}")
    return lines


def _map_index(span: dict[str, Any]) -> int:
    """Which of a mapped task's instances a span of Airflow's is about; -1 of a task that is not mapped."""
    return int(span.get("rest", {}).get("airflow.task_instance.map_index", -1))
