"""What is answered: of which lake, how it is kept, and how often the lake is asked for it."""

from __future__ import annotations

import io
import json
import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from decimal import Decimal

import pytest
from fastapi.testclient import TestClient
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from lake import logs, tracing
from lake.api import published
from lake.errors import ServiceError
from lake.platform.sql import RefusedError
from lake.settings import settings
from lake.tracing import spans
from tests.unit.api.conftest import World
from tests.unit.api.played import COMMITS, receipt

OF_LAKE = ["/v1/metrics", "/v1/metrics/revenue", "/v1/products", "/v1/products/3", "/v1/receipts", "/v1/receipts/r1"]


def counted(client: TestClient, name: str) -> float:
    """The value of a metric of the API, with its labels."""
    lines = (line.rpartition(" ") for line in client.get("/metrics").text.splitlines())
    return next(float(value) for found, _, value in lines if found == name)


@pytest.mark.parametrize("path", OF_LAKE)
def test_every_answer_names_its_receipt_and_commit_in_body_and_headers(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert (answer.json()["receipt"], answer.json()["lake_commit"]) == ("r1", COMMITS["r1"])
    assert (answer.headers["Shoplake-Receipt"], answer.headers["Shoplake-Commit"]) == ("r1", COMMITS["r1"])
    assert answer.headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("path", OF_LAKE)
def test_who_has_the_answer_already_is_told_so_until_another_is_published(
    client: TestClient, world: World, path: str
) -> None:
    first = client.get(path)
    known = {"If-None-Match": f'"other", W/{first.headers["ETag"]}'}
    again = client.get(path, headers=known)
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    world.ledger.publish("r2")
    anew = client.get(path, headers=known)
    assert anew.status_code == 200 and anew.headers["ETag"] != first.headers["ETag"]


# -- metrics
def test_a_metric_is_told_with_its_unit_and_its_value_as_text(client: TestClient) -> None:
    told = client.get("/v1/metrics/revenue", params={"from": "2026-01-01", "to": "2026-01-31"}).json()
    assert told == {
        "receipt": "r1", "lake_commit": COMMITS["r1"], "metric": "revenue", "unit": "money", "grain": None,
        "from": "2026-01-01", "to": "2026-01-31", "rows": [{"period": None, "by": {}, "value": "10.50"}],
    }  # fmt: skip


def test_a_metric_is_split_by_periods_and_dimensions(client: TestClient, world: World) -> None:
    columns = ["metric_time__month", "sales_day__category", "sales_day__channel", "revenue"]
    rows = [[date(2026, 1, 1), "FUEL", "web", Decimal("1.20")], [date(2026, 2, 1), None, "store", None]]
    world.trino.found = columns, rows
    asked = {"by": ["category", "channel"], "grain": "month", "from": "2026-01-01"}
    told = client.get("/v1/metrics/revenue", params=asked).json()
    assert told["rows"] == [
        {"period": "2026-01-01", "by": {"category": "FUEL", "channel": "web"}, "value": "1.20"},
        {"period": "2026-02-01", "by": {"category": None, "channel": "store"}, "value": None},
    ]
    ((lake, statement, values),) = world.trino.asked
    assert (lake.catalog, values) == (f"api_{'1' * 40}", ())
    assert "FROM marts.sales_by_day" in statement.replace('"', "") and "lake." not in statement.replace('"', "")
    assert "date '2026-01-01'" in statement.lower() and statement.endswith("LIMIT 10001")


def test_an_answer_of_too_many_rows_is_refused(client: TestClient, world: World) -> None:
    world.trino.found = ["revenue"], [[1]] * 10_001
    refused = client.get("/v1/metrics/revenue")
    assert (refused.status_code, refused.json()["type"]) == (422, "urn:shoplake:problem:too-many-rows")


# -- products
def test_a_product_is_told_without_what_it_cost(client: TestClient, world: World) -> None:
    told = client.get("/v1/products/3").json()["product"]
    assert (told["product_name"], told["list_price"], told["brand"]) == ("MILK 3", "2.70", None)
    assert "unit_cost" not in told and "unit_cost" not in world.trino.asked[0][1]


def test_pages_hold_every_product_once_and_the_last_one_ends_them(client: TestClient) -> None:
    found, cursor = [], None
    for _ in range(3):
        page = client.get("/v1/products", params={"limit": 3, **({"cursor": cursor} if cursor else {})}).json()
        found.append([each["product_id"] for each in page["products"]])
        cursor = page["next_cursor"]
    assert found == [[1, 2, 3], [4, 5, 6], [7]] and cursor is None


def test_a_full_last_page_has_no_next_one(client: TestClient) -> None:
    assert client.get("/v1/products", params={"limit": 7}).json()["next_cursor"] is None


def test_a_cursor_of_another_commit_is_refused_and_goes_on_with_its_receipt(client: TestClient, world: World) -> None:
    cursor = client.get("/v1/products", params={"limit": 3}).json()["next_cursor"]
    world.ledger.publish("r2")
    refused = client.get("/v1/products", params={"limit": 3, "cursor": cursor})
    told = refused.json()
    assert (refused.status_code, told["type"]) == (409, "urn:shoplake:problem:foreign-cursor")
    assert told["errors"][0]["field"] == "query.cursor"
    page = client.get("/v1/products", params={"limit": 3, "cursor": cursor, "at": "r1"}).json()
    assert (page["receipt"], page["products"][0]["product_id"]) == ("r1", 4)


@pytest.mark.parametrize("change", [lambda cursor: cursor[:-1] + "A", lambda cursor: "x", lambda cursor: "é.ü"])
def test_a_cursor_that_was_not_written_here_is_refused(client: TestClient, change: object) -> None:
    cursor = client.get("/v1/products", params={"limit": 3}).json()["next_cursor"]
    refused = client.get("/v1/products", params={"cursor": change(cursor)})  # type: ignore[operator]
    assert (refused.status_code, refused.json()["type"]) == (422, "urn:shoplake:problem:invalid-cursor")
    other = client.get("/v1/receipts", params={"cursor": cursor})
    assert other.json()["detail"] == "query.cursor: it is of another list"


# -- receipts
def test_receipts_are_listed_the_newest_first_beyond_a_publish(client: TestClient, world: World) -> None:
    for run_id in ("r2", "r3", "r4"):
        world.ledger.publish(run_id)
    first = client.get("/v1/receipts", params={"limit": 2}).json()
    assert [each["id"] for each in first["receipts"]] == ["r4", "r3"]
    world.ledger.receipts["r5"] = receipt("r5")
    del world.ledger.receipts["r3"]
    rest = client.get("/v1/receipts", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert ([each["id"] for each in rest["receipts"]], rest["next_cursor"]) == (["r2", "r1"], None)


def test_a_receipt_tells_what_was_read_and_checked(client: TestClient) -> None:
    told = client.get("/v1/receipts/r1").json()["about"]
    assert (told["commit"], told["rows_read"], told["checks"], told["warnings"]) == (COMMITS["r1"], 5, 3, 1)
    assert told["tables"] == [
        {"name": "orders", "mode": "full", "rows_read": 5, "held_since": None, "verified_through": None}
    ]


# -- of which lake
def test_a_publish_is_answered_with_the_next_request(client: TestClient, world: World) -> None:
    assert client.get("/v1/metrics/revenue").json()["rows"][0]["value"] == "10.50"
    world.ledger.publish("r2")
    told = client.get("/v1/metrics/revenue").json()
    assert (told["receipt"], told["lake_commit"], told["rows"][0]["value"]) == ("r2", COMMITS["r2"], "20.50")


def test_a_receipt_is_answered_as_of_then_and_may_be_kept(client: TestClient, world: World) -> None:
    world.ledger.publish("r2")
    answer = client.get("/v1/metrics/revenue", params={"at": "r1"})
    assert (answer.json()["receipt"], answer.json()["rows"][0]["value"]) == ("r1", "10.50")
    assert answer.headers["Cache-Control"] == "private, max-age=300"
    assert [lake.commit for lake, *_ in world.trino.asked] == [COMMITS["r1"]]


def test_a_merge_without_its_receipt_is_not_answered_from_yet(client: TestClient, world: World) -> None:
    client.get("/v1/products/3")
    world.ledger.publish("r2", has_receipt=False)
    assert client.get("/v1/products/3").json()["receipt"] == "r1"
    world.ledger.receipts["r2"] = receipt("r2")
    assert client.get("/v1/products/3").json()["receipt"] == "r2"


def test_what_maintenance_writes_is_the_same_lake(client: TestClient, world: World) -> None:
    world.ledger.messages.insert(0, ("9" * 64, "compact marts.stock"))
    assert client.get("/v1/products/3").json()["lake_commit"] == COMMITS["r1"]


def test_a_run_that_found_nothing_new_is_answered_as_the_one_that_published(client: TestClient, world: World) -> None:
    world.ledger.messages[:] = [("9" * 64, "something else")]
    unchanged = receipt("r2", lake_commit=COMMITS["r1"], unchanged_since="r1")
    world.ledger.receipts["r2"] = unchanged
    assert client.get("/v1/products/3").json()["receipt"] == "r1"
    asked = client.get("/v1/products/3", params={"at": "r2"}).json()
    assert (asked["receipt"], asked["lake_commit"]) == ("r2", COMMITS["r1"])


def test_before_the_first_publish_it_says_so(client: TestClient, world: World) -> None:
    world.ledger.messages.clear()
    world.ledger.receipts.clear()
    for path in ("/v1/products", "/readyz"):
        answer = client.get(path)
        assert (answer.status_code, answer.json()["type"]) == (503, "urn:shoplake:problem:nothing-published")
    assert client.get("/healthz").status_code == 200


def test_it_looks_once_in_a_while_and_answers_nothing_it_cannot_know(
    client: TestClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.get("/v1/products/3")
    monkeypatch.setattr(published, "LOOK_SECONDS", 0.4)
    looked = world.ledger.heads
    for _ in range(5):
        client.get("/v1/products/3")
    assert world.ledger.heads <= looked + 1
    world.ledger.publish("r2")
    time.sleep(0.45)
    assert client.get("/v1/products/3").json()["receipt"] == "r2"
    world.ledger.is_away = True
    time.sleep(0.45)
    away = client.get("/v1/products/3")
    assert (away.status_code, away.json()["type"]) == (503, "urn:shoplake:problem:unavailable")
    assert client.get("/v1/products/3", params={"at": "r1"}).status_code == 200, "what is past does not change"
    world.ledger.is_away = False
    assert client.get("/v1/products/3").status_code == 200


def test_a_lake_of_before_that_has_no_such_mart_says_so(client: TestClient, world: World) -> None:
    from lake.api import trino
    from lake.api.problems import Problem
    from lake.api.published import Lake

    def refuse(*_: object) -> None:
        raise RefusedError("no such table", "", "TABLE_NOT_FOUND")

    edge = trino.Trino()
    edge._make = lambda lake: None  # type: ignore[method-assign]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trino.sql, "query", refuse)
        with pytest.raises(Problem) as caught:
            edge.ask(Lake("r1", COMMITS["r1"], "", is_past=True), "SELECT 1")
        assert caught.value.status_code == 404
        with pytest.raises(RefusedError):
            edge.ask(Lake("r1", COMMITS["r1"], ""), "SELECT 1")


# -- kept
def test_the_lake_is_asked_once_for_the_same_question_at_the_same_commit(client: TestClient, world: World) -> None:
    for _ in range(3):
        client.get("/v1/products/3")
    assert len(world.trino.asked) == 1
    assert counted(client, 'shoplake_api_cache_total{outcome="memory"}') == 2
    with TestClient(world.process(), headers=world.bearer) as another:
        assert another.get("/v1/products/3").status_code == 200
        assert counted(another, 'shoplake_api_cache_total{outcome="hit"}') == 1
    assert len(world.trino.asked) == 1
    client.get("/v1/products/4")
    world.ledger.publish("r2")
    client.get("/v1/products/3")
    assert len(world.trino.asked) == 3


def test_of_many_that_ask_the_same_at_once_one_asks_the_lake(client: TestClient, world: World) -> None:
    client.get("/v1/receipts")
    world.trino.before = lambda: time.sleep(0.3)
    with ThreadPoolExecutor(10) as pool:
        found = list(pool.map(lambda _: client.get("/v1/products/3").status_code, range(10)))
    assert found == [200] * 10 and len(world.trino.asked) == 1


def test_what_another_process_works_out_is_waited_for(client: TestClient, world: World) -> None:
    body = client.get("/v1/products/3").json()
    (key,) = world.cache.kept
    kept = world.cache.kept.pop(key)
    world.cache.locks[key] = "another's"
    with TestClient(world.process(), headers=world.bearer) as other:
        threading.Timer(0.3, lambda: world.cache.kept.__setitem__(key, kept)).start()
        assert other.get("/v1/products/3").json() == body
        assert counted(other, 'shoplake_api_cache_total{outcome="shared"}') == 1
    assert len(world.trino.asked) == 1


def test_without_the_cache_it_goes_on_and_says_so(client: TestClient, world: World) -> None:
    world.cache.is_away = True
    assert client.get("/v1/products/3").status_code == 200
    assert counted(client, 'shoplake_api_cache_total{outcome="away"}') == 1
    assert client.get("/readyz").text == "ready: receipt r1; the cache is away\n"


def test_what_fails_is_not_kept(client: TestClient, world: World) -> None:
    def fail() -> None:
        raise ServiceError("Trino is away: host 10.0.0.5", "start it")

    world.trino.before = fail
    refused = client.get("/v1/products/3")
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "2")
    assert "10.0.0.5" not in refused.text
    world.trino.before = lambda: None
    assert client.get("/v1/products/3").status_code == 200


# -- limits
def test_more_questions_than_can_wait_are_told_to_come_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from lake.api import answers

    monkeypatch.setenv("LAKE_API_QUESTIONS", "1")
    monkeypatch.setattr(answers, "WAITING", 2)
    settings.cache_clear()
    world.trino.before = lambda: time.sleep(0.5)
    with TestClient(world.process(), headers=world.bearer) as client, ThreadPoolExecutor(8) as pool:
        client.get("/v1/receipts")
        found = list(pool.map(lambda id_: client.get(f"/v1/products/{id_}"), range(1, 8)))
    assert sorted({each.status_code for each in found}) == [200, 503]
    busy = next(each for each in found if each.status_code == 503)
    assert (busy.json()["type"], busy.headers["Retry-After"]) == ("urn:shoplake:problem:busy", "2")


def test_a_request_that_takes_too_long_ends_and_its_answer_is_kept(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAKE_API_TIMEOUT_SECONDS", "1")
    settings.cache_clear()
    world.trino.before = lambda: time.sleep(1.5)
    with TestClient(world.process(), headers=world.bearer) as client:
        late = client.get("/v1/products/3")
        assert (late.status_code, late.json()["type"]) == (503, "urn:shoplake:problem:timeout")
        time.sleep(0.8)
        assert client.get("/v1/products/3").status_code == 200
    assert len(world.trino.asked) == 1


def test_the_id_of_a_request_is_in_the_answer_and_in_the_log(client: TestClient, world: World) -> None:
    def fail() -> None:
        raise ServiceError("Trino is away: host 10.0.0.5", "start it")

    world.trino.before = fail
    told = io.StringIO()
    with logged(told):
        answer = client.get("/v1/products/3", headers={"X-Request-Id": "of-the-shop-1"})
    assert answer.headers["X-Request-Id"] == "of-the-shop-1"
    assert answer.json()["instance"] == "urn:shoplake:request:of-the-shop-1"
    lines = [json.loads(line) for line in told.getvalue().splitlines()]
    lines = [line for line in lines if line["logger"].startswith("lake.")]
    assert {line["request"] for line in lines} == {"of-the-shop-1"}
    assert any("host 10.0.0.5" in line["event"] for line in lines)
    ((route, status),) = {(line["route"], line["status"]) for line in lines if "route" in line}
    assert (route, status) == ("/v1/products/{product_id}", 503)
    made = client.get("/healthz", headers={"X-Request-Id": "not an id"})
    assert len(made.headers["X-Request-Id"]) == 32


@contextmanager
def logged(stream: io.StringIO) -> Iterator[None]:
    """Let this process log as a service does, for the length of the block."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    try:
        logs.configure(logging.INFO, stream)
        yield
    finally:
        root.handlers[:] = before
        root.setLevel(level)


# -- traced
def test_what_is_worked_out_is_a_trace_and_what_is_remembered_is_none(
    client: TestClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider, kept = TracerProvider(), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    monkeypatch.setattr(spans, "tracer", provider.get_tracer(spans.SCOPE))

    def asked() -> None:
        with tracing.span("SELECT curated.dim_product", service="trino"):
            pass

    world.trino.before = asked
    for _ in range(3):
        client.get("/v1/products/3", headers={"X-Request-Id": "one"})
    inner, outer = kept.get_finished_spans()
    assert (inner.name, outer.name) == ("SELECT curated.dim_product", "GET /v1/products/{product_id}")
    assert inner.parent and inner.parent.span_id == outer.context.span_id
    assert outer.attributes and outer.attributes["shoplake.request"] == "one"
