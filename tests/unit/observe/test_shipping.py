"""What puts logs into OpenSearch, asked over HTTP as the collector asks it, beside an OpenSearch that is played."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from lake.observe.shipping.document import Document
from lake.observe.shipping.handed_on import read
from lake.observe.shipping.store import outlived
from lake.settings import settings
from tests.unit.observe.played import OpenSearch, handed_on


def documents(request: dict[str, Any]) -> list[Document]:
    return read(request).documents["logs"]


def fields(**record: Any) -> dict[str, Any]:
    (document,) = documents(handed_on(record))
    return document.fields


# -- documents
def test_a_line_of_ours_becomes_a_document_with_its_fields() -> None:
    assert fields(
        body='{"event": …}',
        event="5 rows",
        level="warning",
        severity=13,
        service="exporter",
        run="r1",
        table="orders",
        **{"log.file.path": "/logs/exporter.log", "log.file.record_offset": 12, "count": 5},
    ) == {
        "timestamp": "2026-11-26T05:20:00.123456789Z",
        "level": "warning",
        "event": "5 rows",
        "service": "exporter",
        "run": "r1",
        "table": "orders",
        "file": "/logs/exporter.log",
        "offset": 12,
        "rest": {"count": 5},
    }


def test_a_task_s_line_has_our_names_and_the_run_of_the_lake() -> None:
    found = fields(
        event="a", dag_id="shop_lake", run_id="manual__2026-11-26T05:19:42+00:00", task_id="clean", try_number=2
    )
    assert (found["dag"], found["task"], found["try"]) == ("shop_lake", "clean", 2)
    assert found["run"] == "manual_20261126t051942"
    assert "run" not in fields(event="a", dag_id="watch", run_id="manual__1")
    bound = fields(event="a", dag_id="shop_lake", run_id="manual__1", run="manual__1_2", task_id="x", task="extract")
    assert (bound["run"], bound["task"]) == ("manual__1_2", "extract")


@pytest.mark.parametrize(
    ("line", "run"),
    [
        (
            {"thread": "iceberg-split-source-run_manual_20261126t124933_034251_audit-0", "event": "Scanning table x"},
            "manual_20261126t124933_034251",
        ),
        (
            {"event": "GET /iceberg/v1/run_scheduled_20261126t120000%7Cwarehouse/namespaces/raw 200"},
            "scheduled_20261126t120000",
        ),
        (
            {"event": "CommitReport{tableName=run_manual_20261126t124933_034251_base.cleaned.orders, …"},
            "manual_20261126t124933_034251",
        ),
        ({"event": "the dry_run_of_20261126t120000 and run_once"}, None),
    ],
)
def test_a_line_that_names_the_branch_of_a_run_is_of_it(line: dict[str, str], run: str | None) -> None:
    assert fields(**line).get("run") == run


def test_an_error_can_be_searched_in_either_form() -> None:
    assert fields(event="failed", exception="Traceback\nValueError: 5")["error"] == "Traceback\nValueError: 5"
    raised = [{"exc_type": "ValueError", "exc_value": "5", "frames": []}, {"exc_type": "LakeError", "exc_value": "no"}]
    assert fields(event="failed", error_detail=raised)["error"] == "ValueError: 5\nLakeError: no"


def test_a_line_that_nobody_could_take_apart_is_kept_as_it_is() -> None:
    found = fields(body="Docs: https://docs.min.io", severity=0, service="minio")
    assert (found["event"], found["level"]) == ("Docs: https://docs.min.io", "info")


def test_the_same_line_has_the_same_id_and_another_place_another() -> None:
    line = {"body": "a", "log.file.path": "/a.log", "log.file.record_offset": 5}
    (one,), (two,) = documents(handed_on(dict(line))), documents(handed_on(dict(line)))
    (other,) = documents(handed_on({**line, "log.file.record_offset": 6}))
    (rotated,) = documents(handed_on({**line, "log.file.path": "/a.log.1"}))
    assert one.id == two.id == rotated.id != other.id


# -- the server
def counts(shipper: TestClient) -> dict[str, float]:
    lines = shipper.get("/metrics").text.splitlines()
    return {
        line.split('"')[1]: float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith("shoplake_logs_total{")
    }


def test_lines_are_kept_once_however_often_they_are_handed_on(shipper: TestClient, opensearch: OpenSearch) -> None:
    request = handed_on({"event": "a"}, {"event": "b"})
    for _ in range(2):
        assert shipper.post("/v1/logs", json=request).json() == {}
    assert sorted(each["event"] for each in opensearch.kept.values()) == ["a", "b"]
    assert counts(shipper) == {"taken": 2, "known": 2, "refused": 0}


def test_while_opensearch_is_away_the_collector_is_told_to_come_again(
    shipper: TestClient, opensearch: OpenSearch
) -> None:
    opensearch.is_away = True
    answer = shipper.post("/v1/logs", json=handed_on({"event": "a"}))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert shipper.get("/readyz").status_code == 503 and shipper.get("/healthz").status_code == 200
    opensearch.is_away = False
    assert shipper.post("/v1/logs", json=handed_on({"event": "a"})).status_code == 200
    assert len(opensearch.kept) == 1


def test_an_index_that_is_gone_is_made_anew(shipper: TestClient, opensearch: OpenSearch) -> None:
    assert shipper.post("/v1/logs", json=handed_on({"event": "a"})).status_code == 200
    opensearch.indexes.clear()
    assert shipper.post("/v1/logs", json=handed_on({"event": "b"})).status_code == 503
    assert shipper.post("/v1/logs", json=handed_on({"event": "b"})).status_code == 200


def test_what_is_full_for_some_lines_takes_all_of_them_again(shipper: TestClient, opensearch: OpenSearch) -> None:
    opensearch.status = lambda document: 429 if document["event"] == "b" else 201
    assert shipper.post("/v1/logs", json=handed_on({"event": "a"}, {"event": "b"})).status_code == 503
    opensearch.status = lambda document: 201
    assert shipper.post("/v1/logs", json=handed_on({"event": "a"}, {"event": "b"})).status_code == 200
    assert len(opensearch.kept) == 2


def test_a_line_that_opensearch_refuses_is_counted_and_stops_no_other(
    shipper: TestClient, opensearch: OpenSearch
) -> None:
    opensearch.status = lambda document: 400 if document["event"] == "b" else 201
    answer = shipper.post("/v1/logs", json=handed_on({"event": "a"}, {"event": "b"}))
    assert answer.status_code == 200 and answer.json()["partialSuccess"]["rejectedLogRecords"] == "1"
    assert counts(shipper) == {"taken": 1, "known": 0, "refused": 1}


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"[]", b'{"resourceLogs": 5}', b'{"resourceLogs": [{}]}', b"{"])
def test_nonsense_is_refused_and_ends_nothing(shipper: TestClient, body: bytes) -> None:
    assert shipper.post("/v1/logs", content=body).status_code == 400
    assert shipper.get("/healthz").status_code == 200


# -- the life of an index
def index(number: int, days_old: float, mib: int) -> dict[str, str]:
    begun = NOW - timedelta(days=days_old)
    return {
        "index": f"logs-{number:06}",
        "creation.date": str(int(begun.timestamp() * 1000)),
        "store.size": str(mib << 20),
    }


NOW = datetime(2026, 11, 26, tzinfo=UTC)


def test_what_is_older_than_the_settings_want_goes() -> None:
    days = settings().kept_logs_days
    assert outlived([index(1, days + 2, 1), index(2, days + 0.5, 1), index(3, 0, 1)], NOW) == ["logs-000001"]


def test_what_is_more_than_the_disk_may_hold_goes_oldest_first() -> None:
    half = settings().kept_logs_mib // 2
    assert outlived([index(3, 1, half), index(1, 3, half), index(2, 2, half)], NOW) == ["logs-000001"]


def test_the_newest_stays_however_old_and_large_it_is() -> None:
    assert outlived([index(1, 1000, 10 * settings().kept_logs_mib)], NOW) == []
