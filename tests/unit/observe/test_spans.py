"""Spans on their way into OpenSearch, as lines of a file that the collector hands on."""

from __future__ import annotations

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from lake.observe.shipping.document import Document
from lake.observe.shipping.handed_on import read
from tests.unit.observe.played import OpenSearch, handed_on, typed

TRACE, SPAN, PARENT = "0b9660cc4960ba9d329abeba3e9f6aaf", "fc70a09b8b5fe6f9", "b88943ec86c23aa4"
START = 1_795_670_400_123_456_789


def line(scope: str = "lake", attributes: dict[str, Any] | None = None, **more: Any) -> str:
    """A line of a file with one span."""
    span = {
        "traceId": TRACE,
        "spanId": SPAN,
        "parentSpanId": PARENT,
        "name": "read tables",
        "startTimeUnixNano": str(START),
        "endTimeUnixNano": str(START + 1_500_000_000),
        "attributes": [{"key": key, "value": typed(value)} for key, value in (attributes or {}).items()],
        "status": {},
        **more,
    }
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "airflow"}}]}
    return json.dumps(
        {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {"name": scope}, "spans": [span]}]}]}
    )


def documents(*lines: str) -> list[Document]:
    return read(handed_on(*({"body": each, "signal": "span"} for each in lines))).documents["spans"]


def fields(*given: Any, **more: Any) -> dict[str, Any]:
    (document,) = documents(line(*given, **more))
    return document.fields


def test_a_span_of_ours_becomes_a_document_with_its_fields() -> None:
    given = {"shoplake.run": "r1", "shoplake.source": "shop", "shoplake.rows": 5, "peer.service": "mariadb"}
    assert fields("lake", given, status={"code": 2, "message": "SourceError: away"}) == {
        "timestamp": "2026-11-26T05:20:00.123456789Z",
        "ended": "2026-11-26T05:20:01.623456789Z",
        "seconds": 1.5,
        "trace_id": TRACE,
        "span_id": SPAN,
        "parent_id": PARENT,
        "name": "read tables",
        "service": "mariadb",
        "status": "error",
        "message": "SourceError: away",
        "run": "r1",
        "source": "shop",
        "rest": {"shoplake.rows": 5},
    }
    assert (fields("lake")["service"], fields("airflow.x")["service"]) == ("lake", "airflow")


def test_a_span_of_airflow_s_is_of_the_lake_s_run() -> None:
    given = {"airflow.dag_id": "shop_lake", "airflow.dag_run.run_id": "manual__2026-11-26T05:19:42+00:00"}
    found = fields("airflow", {**given, "airflow.task_id": "clean", "airflow.task_instance.try_number": 2})
    assert (found["run"], found["dag_run"]) == ("manual_20261126t051942", "manual__2026-11-26T05:19:42+00:00")
    assert (found["dag"], found["task"], found["try"]) == ("shop_lake", "clean", 2)
    assert "run" not in fields("airflow", {**given, "airflow.dag_id": "watch"})


def test_the_same_span_has_one_id_and_another_try_of_its_task_another() -> None:
    one, again = documents(line(), line())
    (other,) = documents(line(startTimeUnixNano=str(START + 1)))
    assert one.id == again.id != other.id


def test_a_clock_that_jumps_makes_no_span_shorter_than_nothing() -> None:
    assert fields(endTimeUnixNano=str(START - 10**9))["seconds"] == 0


NONSENSE = [
    "",
    "{",
    "[]",
    "5",
    line()[:200],
    '{"resourceSpans": 5}',
    '{"resourceSpans": [{"scopeSpans": [{"spans": [5]}]}]}',
    line(traceId="x" * 32),
    line(traceId="0" * 32),
    line(spanId=None),
    line(startTimeUnixNano="9" * 30),
    line(startTimeUnixNano="soon"),
    line(endTimeUnixNano="-5"),
    line(status={"code": 77}),
    line(attributes={"a": 5}).replace('{"intValue": "5"}', '{"intValue": "five"}'),
]


@pytest.mark.parametrize("bad", NONSENSE)
def test_a_line_that_is_no_span_is_counted_and_stops_no_other(
    shipper: TestClient,
    opensearch: OpenSearch,
    bad: str,
) -> None:
    request = handed_on({"body": bad, "signal": "span"}, {"body": line(), "signal": "span"}, {"event": "a log"})
    answer = shipper.post("/v1/logs", json=request)
    assert answer.status_code == 200 and answer.json()["partialSuccess"]["rejectedLogRecords"] == "1"
    told = shipper.get("/metrics").text
    for what in (
        'spans_total{result="refused"} 1.0',
        'spans_total{result="taken"} 1.0',
        'logs_total{result="taken"} 1.0',
    ):
        assert f"shoplake_{what}" in told
    assert {each.get("name") or each["event"] for each in opensearch.kept.values()} == {"read tables", "a log"}


def test_spans_and_logs_go_to_indexes_of_their_own(shipper: TestClient, opensearch: OpenSearch) -> None:
    shipper.post("/v1/logs", json=handed_on({"body": line(), "signal": "span"}, {"event": "a"}))
    for kind in ("logs", "spans"):
        assert f"PUT /_index_template/{kind}" in opensearch.asked and f"POST /{kind}/_bulk" in opensearch.asked
