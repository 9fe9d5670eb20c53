"""`lake trace`: what it says where there is a trace, and where there is none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from lake.commands.main import app
from lake.errors import LakeError, ServiceError
from lake.ledger.receipts import Receipt
from lake.observe.traces import find as finding
from lake.platform.airflow import TaskState
from tests.unit.observe.played import span

TRACE = "8b81b2f8e83c0c35f123b3197c368fee"
RECEIPT = Receipt("r1", "abc", "", "", "", "", "", trace_id=TRACE)
OF_RUN: dict[str, Any] = {"run": "r1", "dag": "shop_lake", "dag_run": "manual__1", "trace_id": TRACE}
MAP = "airflow.task_instance.map_index"
SPANS = [
    span("dag_run.shop_lake", 0, 10, **OF_RUN),
    span("task_run.start", 1, 3, "dag_run.shop_lake", **OF_RUN, task="start", rest={MAP: -1}),
    span("task_run.extract[0]", 3, 9, "dag_run.shop_lake", **OF_RUN, task="extract", rest={MAP: 0}),
]


class Played:
    """OpenSearch, Airflow and the object store, as far as they are asked."""

    def __init__(self) -> None:
        self.spans: list[dict[str, Any]] = SPANS
        self.receipt: Receipt | None = RECEIPT
        self.states = {("start", -1): "success", ("extract", 0): "success"}
        self.asked: list[dict[str, Any]] = []
        self.airflow_error: LakeError | None = None
        self.beyond = 0

    def ask(self, kind: str, query: dict[str, Any], instead: str) -> dict[str, Any]:
        self.asked.append(query)
        sources = [{"trace_id": TRACE}][: len(self.spans)] if "collapse" in query else self.spans
        return {"hits": [{"_source": each} for each in sources], "total": {"value": len(sources) + self.beyond}}

    def __enter__(self) -> Played:
        if self.airflow_error:
            raise self.airflow_error
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is held."""

    def tasks(self, dag_id: str, run_id: str) -> list[TaskState]:
        assert (dag_id, run_id) == ("shop_lake", "manual__1")
        now = datetime.now(UTC)
        return [TaskState(name, index, "shop", state, now, now, 1) for (name, index), state in self.states.items()]


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Iterator[Played]:
    found = Played()
    monkeypatch.setattr(finding, "ask", found.ask)
    monkeypatch.setattr(finding, "Airflow", lambda: found)
    monkeypatch.setattr(finding.receipts, "find", lambda run: found.receipt)
    yield found


def said(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["trace", *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_a_run_s_tree(played: Played) -> None:
    text = said("r1")
    assert text.startswith(f"run    r1\ntrace  {TRACE}, 3 spans\n")
    assert "  +3.0 s    6.0 s   60%    6.0 s *   task_run.extract[0]" in text
    assert "note:" not in text
    named = played.asked[0]["query"]["bool"]["should"]
    assert [*named[0]["term"].items()] == [("run", "r1")]


def test_the_newest_run_needs_no_name(played: Played) -> None:
    told = json.loads(said("--json"))
    assert (told["run"], told["trace_id"], told["missing"], len(told["spans"])) == ("r1", TRACE, [], 3)
    assert played.asked[0]["query"] == {"term": {"dag": "shop_lake"}}


def test_a_task_without_a_span_is_named_and_so_are_those_that_did_not_run(played: Played) -> None:
    played.states |= {("extract", 1): "success", ("clean", -1): "skipped", ("audit", -1): "running"}
    assert json.loads(said("r1", "--json"))["missing"] == [
        "extract [shop] (success) has no span",
        "audit (running) has no span",
        "not run: clean",
    ]


def test_a_trace_of_more_spans_than_can_be_asked_for_says_so(played: Played) -> None:
    played.beyond = 5
    assert "note: only the first 3 of 8 spans" in said("r1")


def test_a_run_that_is_not_at_its_end(played: Played) -> None:
    played.spans = SPANS[1:]
    assert "note: the span of the run itself is not there: it is not at its end yet, or was lost" in said("r1")


def test_without_airflow_the_tree_is_shown_all_the_same(played: Played) -> None:
    played.airflow_error = ServiceError("Airflow at x does not answer", "start it")
    assert "note: whether all tasks are there is not known: Airflow at x does not answer" in said("r1")


@pytest.mark.parametrize(
    ("receipt", "words"),
    [
        (None, "there is no span of a run r1"),
        (replace(RECEIPT, trace_id=""), "run r1 was not traced"),
        (RECEIPT, f"the spans of run r1, trace {TRACE}, are not in OpenSearch"),
    ],
)
def test_why_there_is_none(played: Played, receipt: Receipt | None, words: str) -> None:
    played.spans, played.receipt = [], receipt
    with pytest.raises(LakeError, match=words) as raised:
        said("r1")
    assert raised.value.fix


def test_no_run_was_traced_yet(played: Played) -> None:
    played.spans = []
    with pytest.raises(LakeError, match="no run of the pipeline was traced yet"):
        said()


def test_opensearch_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*_: Any, **__: Any) -> httpx.Response:
        raise httpx.ConnectError("refused")

    monkeypatch.setattr("lake.observe.search.httpx.post", refuses)
    with pytest.raises(ServiceError, match="keeps the spans, does not answer") as raised:
        said("r1")
    assert "lake up observe" in raised.value.fix and "wait in their files" in raised.value.fix
