"""Searches and recommendations: what is answered, of which index or version, and what is said where there is none."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi.testclient import TestClient
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from lake.ledger import ops
from lake.search.query import Sort
from lake.settings import settings
from lake.tracing import spans
from tests.unit.api.conftest import World
from tests.unit.api.played import COMMITS, receipt

NEXT, TOGETHER = "/v1/recommendations/customers/1", "/v1/recommendations/products/3"
ROOMS = ["/v1/search?q=milk", "/v1/suggest?q=mi", NEXT, TOGETHER, "/v1/recommendations/baskets?product=3&product=4"]
OF_R1 = {"receipt": "r1", "lake_commit": COMMITS["r1"]}


@pytest.mark.parametrize("path", ROOMS)
def test_an_answer_names_what_it_was_made_from_and_not_what_is_newest(
    client: TestClient, world: World, path: str
) -> None:
    world.ledger.publish("r2")
    first = client.get(path)
    assert first.status_code == 200, first.text
    assert {name: first.json()[name] for name in OF_R1} == OF_R1
    assert (first.headers["Shoplake-Receipt"], first.headers["Shoplake-Commit"]) == ("r1", COMMITS["r1"])
    assert first.headers["Cache-Control"] == "private, no-cache"
    known = {"If-None-Match": first.headers["ETag"]}
    assert client.get(path, headers=known).status_code == 304
    world.search.publish("r2")
    world.branch.publish("r2")
    anew = client.get(path, headers=known)
    assert (anew.status_code, anew.json()["receipt"]) == (200, "r2")
    assert anew.headers["Shoplake-Commit"] == anew.json()["lake_commit"] == COMMITS["r2"]


# -- search
def test_a_search_tells_products_facets_and_how_they_were_found(client: TestClient) -> None:
    assert client.get("/v1/search?q=milk").json() == {
        **OF_R1, "source_instant": "2026-11-27T11:59:00+00:00", "way": "as_asked", "is_found": True,
        "did_you_mean": None, "total": 1,
        "products": [
            {
                "product_id": 3, "name": "MILK 3", "department": "GROCERY", "category": "DAIRY", "kind": "MILK",
                "brand": "Private", "size": None, "price": "2.70", "orders": 12, "score": 4.5,
            }
        ],
        "facets": {
            "department": [{"value": "GROCERY", "products": 1}], "price": [{"value": "2-5", "products": 1}],
        },
    }  # fmt: skip


def test_a_search_says_what_was_meant_and_what_only_sells_best(client: TestClient) -> None:
    meant = client.get("/v1/search?q=mikl&facets=false").json()
    assert (meant["way"], meant["did_you_mean"], meant["total"], meant["facets"]) == ("corrected", "milk", 1, {})
    popular = client.get("/v1/search?q=nothing").json()
    assert (popular["way"], popular["is_found"], popular["total"]) == ("popular", False, 2)


def test_filters_order_and_place_reach_the_index(client: TestClient, world: World) -> None:
    asked = {"department": ["A", "B"], "brand": "C", "price_from": "2.50", "price_to": "5", "sort": "-price",
             "limit": 7, "offset": 14, "boosts": "false"}  # fmt: skip
    assert client.get("/v1/search", params=asked).status_code == 200  # type: ignore[arg-type]
    ((index, body),) = world.search.asked
    assert (index, body["from"], body["size"]) == (world.search.now, 14, 7)
    assert body["post_filter"]["bool"]["filter"] == [
        {"terms": {"department.exact": ["A", "B"]}},
        {"terms": {"brand.exact": ["C"]}},
        {"range": {"price": {"gte": "2.50", "lte": "5"}}},
    ]
    assert body["sort"][0] == {"price": "desc"}
    client.get("/v1/search?q=milk")
    client.get("/v1/search?q=milk&boosts=false")
    boosted, plain = (
        str(body["query"]) for _, body in world.search.asked if "sort" in body and "match_all" not in str(body)
    )
    assert "popularity" in boosted and "popularity" not in plain
    for sort in Sort:
        assert client.get("/v1/search", params={"sort": sort.value}).status_code == 200


def test_suggestions_are_bounded(client: TestClient, world: World) -> None:
    told = client.get("/v1/suggest?q=mi&limit=3").json()
    assert told == {**OF_R1, "suggestions": [{"text": "milk white", "products": 2}]}
    ((_, body),) = world.search.asked
    assert body["suggest"]["begun"]["completion"]["size"] == 3


def test_the_index_of_the_receipt_before_is_asked_and_older_ones_are_gone(client: TestClient, world: World) -> None:
    for run_id in ("r2", "r3"):
        world.ledger.publish(run_id)
        world.search.publish(run_id)
    before = client.get("/v1/search?q=milk&at=r2")
    assert (before.json()["receipt"], before.headers["Cache-Control"]) == ("r2", "private, max-age=300")
    assert [index for index, _ in world.search.asked] == ["products-r2-0", "phrases-r2-0"]
    gone = client.get("/v1/search?q=milk&at=r1")
    assert (gone.status_code, gone.json()["type"]) == (410, "urn:shoplake:problem:index-gone")
    assert gone.json()["detail"] == "there is no index of receipt r1; there is one of r3, r2"
    assert gone.json()["errors"] == [
        {"field": "query.at", "value": "r1", "message": "its index is not kept", "allowed": ["r3", "r2"]}
    ]
    unknown = client.get("/v1/search?q=milk&at=r99")
    assert (unknown.status_code, unknown.json()["type"]) == (404, "urn:shoplake:problem:unknown-receipt")


def test_a_run_that_found_nothing_new_is_searched_as_the_one_that_published(client: TestClient, world: World) -> None:
    world.ledger.receipts["r2"] = receipt("r2", lake_commit=COMMITS["r1"], unchanged_since="r1")
    assert client.get("/v1/search?q=milk&at=r2").json()["receipt"] == "r1"


@pytest.mark.parametrize("path", ["/v1/search?q=milk", "/v1/search?q=milk&at=r1", "/v1/suggest?q=mi"])
def test_where_nothing_was_built_yet_it_says_so(client: TestClient, world: World, path: str) -> None:
    world.search.kept.clear()
    answer = client.get(path)
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:shoplake:problem:no-index")
    assert answer.headers["Retry-After"] == "2"


def test_an_index_that_is_removed_while_it_is_asked_is_looked_for_again(client: TestClient, world: World) -> None:
    def replace() -> None:
        world.search.before = lambda: None
        world.search.kept.clear()
        world.search.publish("r2")

    world.search.before = replace
    assert client.get("/v1/search?q=milk").json()["receipt"] == "r2"


def test_the_same_is_searched_once_and_an_index_built_again_is_asked_anew(client: TestClient, world: World) -> None:
    for _ in range(3):
        client.get("/v1/suggest?q=mi")
    assert len(world.search.asked) == 1
    world.search.publish("r1")
    client.get("/v1/suggest?q=mi")
    assert len(world.search.asked) == 2


def test_a_search_does_not_wait_for_those_who_ask_trino(client: TestClient, world: World) -> None:
    client.get("/v1/receipts")
    go_on = threading.Event()
    world.trino.before = lambda: None if go_on.wait(15) else pytest.fail("nobody went on")
    with ThreadPoolExecutor(8) as pool:
        slow = [pool.submit(client.get, f"/v1/products/{number}") for number in range(1, 8)]
        while len(world.trino.asked) < settings().api_questions:
            time.sleep(0.01)
        assert client.get("/v1/search?q=milk").status_code == 200
        assert not any(each.done() for each in slow)
        go_on.set()
        assert {each.result().status_code for each in slow} == {200}


def test_who_worked_an_answer_out_is_in_its_trace(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    provider, kept = TracerProvider(), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    monkeypatch.setattr(spans, "tracer", provider.get_tracer(spans.SCOPE))
    for path in ROOMS:
        assert client.get(path).status_code == 200
    made = kept.get_finished_spans()
    by_id = {each.context.span_id: each.name for each in made}
    assert [(each.name, by_id[each.parent.span_id]) for each in made if each.parent] == [
        ("search products", "GET /v1/search"),
        ("suggest phrases", "GET /v1/suggest"),
        ("read next_basket", "GET /v1/recommendations/customers/{customer_id}"),
        ("read bought_together", "GET /v1/recommendations/products/{product_id}"),
        ("read bought_together", "GET /v1/recommendations/baskets"),
    ]


# -- recommendations
def test_a_customer_gets_usual_products_first_each_with_its_why(client: TestClient) -> None:
    assert client.get(NEXT).json() == {
        **OF_R1, "customer_id": 1,
        "products": [
            {
                "product_id": 3, "slot": "usual", "rank": 1, "score": 0.75, "baskets": 3, "of_baskets": 4,
                "last_bought": "2026-11-20", "like_you": 7,
                "why": "in 3 of your 4 baskets, the last time on 2026-11-20",
            },
            {
                "product_id": 5, "slot": "new", "rank": 1, "score": 0.25, "baskets": 0, "of_baskets": 4,
                "last_bought": None, "like_you": 5, "why": "new to you; 5 of the customers most like you buy it",
            },
        ],
    }  # fmt: skip


def test_an_unknown_customer_is_told_so_or_gets_what_their_segment_buys(client: TestClient) -> None:
    unknown = client.get("/v1/recommendations/customers/77")
    assert (unknown.status_code, unknown.json()["type"]) == (404, "urn:shoplake:problem:unknown-customer")
    assert unknown.json()["errors"][0]["field"] == "path.customer_id"
    for segment, product in [("25-34", 5), ("of nobody", 3)]:
        told = client.get("/v1/recommendations/customers/77", params={"segment": segment}).json()
        assert [(one["slot"], one["product_id"]) for one in told["products"]] == [("start", product)]


def test_a_customer_who_was_removed_is_gone_though_the_version_stays(client: TestClient, world: World) -> None:
    assert client.get(NEXT).status_code == 200
    world.branch.remove(1)
    assert client.get(NEXT).status_code == 404


def test_what_goes_with_a_product_says_how_often(client: TestClient) -> None:
    told = client.get(f"{TOGETHER}?limit=1").json()
    assert told == {
        **OF_R1,
        "products": [
            {
                "product_id": 4, "with_product_id": 3, "baskets": 6, "support": 0.125, "confidence": 0.5, "lift": 2.5,
                "why": "in 6 baskets with product 3, 2.5 times as often as by chance",
            }
        ],
    }  # fmt: skip
    assert len(client.get(TOGETHER).json()["products"]) == 2


def test_a_product_that_nothing_goes_with_is_told_from_one_that_is_not_there(client: TestClient) -> None:
    assert client.get("/v1/recommendations/products/7").json() == {**OF_R1, "products": []}
    unknown = client.get("/v1/recommendations/products/99")
    assert (unknown.status_code, unknown.json()["type"]) == (404, "urn:shoplake:problem:unknown-product")


def test_what_goes_with_a_cart_is_not_in_it_and_its_order_does_not_count(client: TestClient, world: World) -> None:
    cart = "/v1/recommendations/baskets?product=3&product=4"
    assert [(one["product_id"], one["with_product_id"]) for one in client.get(cart).json()["products"]] == [(5, 4)]
    read = len(world.branch.reads)
    assert client.get("/v1/recommendations/baskets?product=4&product=3&product=3").status_code == 200
    assert len(world.branch.reads) == read


@pytest.mark.parametrize("path", ROOMS[2:])
def test_before_the_first_version_it_says_so(client: TestClient, world: World, path: str) -> None:
    world.branch.commits = 0
    answer = client.get(path)
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:shoplake:problem:no-recommendations")


@pytest.mark.parametrize("path", ROOMS)
def test_what_is_away_is_unavailable_and_not_named(
    client: TestClient, world: World, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.search.is_away = world.branch.is_away = True
    away = client.get(path)
    assert (away.status_code, away.json()["type"]) == (503, "urn:shoplake:problem:unavailable")
    assert "10.0.0" not in away.text
    world.search.is_away = world.branch.is_away = False

    def fail(*_: object) -> None:
        raise OSError("AWS Error at 10.0.0.8")

    with monkeypatch.context() as patch:
        patch.setattr(ops, "find", fail)
        if path in ROOMS[2:]:
            away = client.get(path)
            assert (away.status_code, away.json()["type"]) == (503, "urn:shoplake:problem:unavailable")
    assert client.get(path).status_code == 200
