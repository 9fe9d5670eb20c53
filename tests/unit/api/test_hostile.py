"""What nobody should send: each is told what is wrong, by a document that names the part, and nothing breaks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import APIRouter
from fastapi.testclient import TestClient
from pydantic import BaseModel

from lake.api.application import ROUTERS
from lake.api.gate import needs
from lake.api.guard import MOST_BODY_BYTES
from lake.api.problems import MEDIA_TYPE
from tests.unit.api.conftest import World

TEXTS = {
    "sql": "1; DROP TABLE curated.dim_product; --",
    "quote": "' OR '1'='1",
    "union": "x' UNION SELECT email FROM cleaned.customers --",
    "template": "{{ 7 * 7 }}${7*7}<%= 7 %>",
    "path": "../../../../etc/passwd",
    "null": "a\x00b",
    "long": "x" * 10_000,
    "emoji": "🥛🧀💥",
    "right-to-left": "‮حليب‬",
    "script": "<script>alert(1)</script>",
    "number": "1e309",
    "negative": "-1",
    "huge": str(2**70),
    "empty": "",
    "spaces": "   ",
    "newline": "a\r\nSet-Cookie: b=c",
}
PLACES = [
    "/v1/metrics/{}", "/v1/metrics?at={}", "/v1/metrics/revenue?by={}", "/v1/metrics/revenue?grain={}",
    "/v1/metrics/revenue?from={}", "/v1/metrics/revenue?to={}", "/v1/metrics/revenue?at={}", "/v1/products?limit={}",
    "/v1/products?cursor={}", "/v1/products?at={}", "/v1/products/{}", "/v1/products/1?at={}", "/v1/receipts/{}",
    "/v1/receipts?cursor={}", "/v1/receipts?limit={}", "/v1/products?{}=1", "/v1/{}", "/{}",
    "/v1/search?limit={}", "/v1/search?offset={}", "/v1/search?sort={}", "/v1/search?price_from={}",
    "/v1/search?price_to={}", "/v1/search?boosts={}", "/v1/search?facets={}", "/v1/search?at={}", "/v1/search?{}=1",
    "/v1/suggest?q=m&limit={}", "/v1/recommendations/customers/{}", "/v1/recommendations/products/{}",
    "/v1/recommendations/products/1?limit={}", "/v1/recommendations/baskets?product={}",
    "/v1/recommendations/baskets?product=1&limit={}", "/v1/recommendations/{}",
]  # fmt: skip
WORDS = [
    "/v1/search?q={}", "/v1/search?department={}", "/v1/search?category={}", "/v1/search?brand={}", "/v1/suggest?q={}",
    "/v1/recommendations/customers/77?segment={}",
]  # fmt: skip
"""Where any words are taken."""


def checked(answer: Any, *statuses: int) -> dict[str, Any]:
    """The document of an answer that is one."""
    assert answer.status_code in statuses, answer.text
    assert answer.headers["Content-Type"] == MEDIA_TYPE
    told: dict[str, Any] = answer.json()
    assert told["status"] == answer.status_code and told["type"].startswith("urn:shoplake:problem:")
    assert told["instance"].endswith(answer.headers["X-Request-Id"])
    assert "Traceback" not in answer.text and ".py" not in answer.text
    assert len(answer.text) < 12_000, "what was sent is not sent back"
    return told


@pytest.mark.parametrize("place", PLACES)
def test_a_hostile_text_anywhere_is_refused_by_a_document(client: TestClient, world: World, place: str) -> None:
    from urllib.parse import quote

    for name, text in TEXTS.items():
        path = place.format(quote(text, safe=""))
        answer = client.get(path)
        if place.endswith("/{}") and name in ("empty", "path"):
            continue  # which is another address
        told = checked(answer, 404, 422)
        if answer.status_code == 422:
            assert told["errors"] and told["errors"][0]["field"].split(".")[0] in ("path", "query"), (path, told)
    assert world.trino.asked == [], "none of them comes as far as the lake"


@pytest.mark.parametrize("place", WORDS)
def test_a_hostile_text_where_words_are_taken_is_looked_for_as_it_is(
    client: TestClient, world: World, place: str
) -> None:
    from urllib.parse import quote

    for name, text in TEXTS.items():
        answer = client.get(place.format(quote(text, safe="")))
        if name == "long" or (name == "empty" and "q=" not in place):
            assert checked(answer, 422)["errors"][0]["field"].startswith("query.")
        else:
            assert (answer.status_code, answer.json()["receipt"]) == (200, "r1"), (name, answer.text)
            assert "Set-Cookie" not in answer.headers
    assert world.trino.asked == []


def test_parameters_that_do_not_go_together_are_named(client: TestClient, world: World) -> None:
    for question, field in [
        ("offset=950&limit=51", "query.offset"),
        ("price_from=2.01&price_to=2", "query.price_from"),
        ("price_from=1.999", "query.price_from"),
        ("q=" + "m" * 201, "query.q"),
        ("&".join(f"brand=b{number}" for number in range(21)), "query.brand"),
    ]:
        (first, *_) = checked(client.get(f"/v1/search?{question}"), 422)["errors"]
        assert first["field"] == field
    cart = "&".join(f"product={number}" for number in range(101))
    (first,) = checked(client.get(f"/v1/recommendations/baskets?{cart}"), 422)["errors"]
    assert first["field"] == "query.product" and "at most 100" in first["message"]
    assert checked(client.get("/v1/recommendations/baskets"), 422)["errors"][0]["message"] == "it is missing"
    assert world.search.asked == []
    assert client.get("/v1/search?offset=950&limit=50&price_from=2&price_to=2").status_code == 200


@pytest.mark.parametrize("question", ["search?q=a&q=b", "recommendations/customers/1?segment=a&segment=b",
                                      "products?limit=1&limit=2"])  # fmt: skip
def test_a_parameter_that_is_given_twice_is_refused(client: TestClient, question: str) -> None:
    (first,) = checked(client.get(f"/v1/{question}"), 422)["errors"]
    assert first["message"] == "it is given twice" and first["field"] in ("query.q", "query.segment", "query.limit")


def test_another_address_is_no_way_to_a_file(client: TestClient) -> None:
    for path in (
        "/v1/receipts/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "/v1/products/..%2f..%2f",
        "//",
        "/v1//products",
        "/v1/",
    ):
        checked(client.get(path), 404, 422)


def test_a_misspelled_parameter_is_not_passed_over(client: TestClient) -> None:
    told = checked(client.get("/v1/metrics/revenue?gran=month"), 422)
    assert told["errors"] == [{"field": "query.gran", "value": "month", "message": "there is no such parameter"}]


@pytest.mark.parametrize(
    ("question", "field", "said"),
    [
        ("by=categry", "query.by", "did you mean category?"),
        ("by=category&by=category", "query.by", "it is named twice"),
        ("grain=hour", "query.grain", "'day', 'week', 'month', 'quarter' or 'year'"),
        ("from=2026-02-30", "query.from", "date"),
        ("from=2026-03-01&to=2026-02-01", "query.from", "lies after"),
        ("from=10000-01-01", "query.from", "date"),
        ("&".join(f"by=d{number}" for number in range(11)), "query.by", "at most 10"),
    ],
)
def test_a_question_that_a_metric_does_not_take_is_told_what_it_takes(
    client: TestClient, question: str, field: str, said: str
) -> None:
    (first, *_) = checked(client.get(f"/v1/metrics/revenue?{question}"), 422)["errors"]
    assert first["field"] == field and said in first["message"]


def test_a_metric_is_not_known_for_less_than_its_shortest_period(client: TestClient) -> None:
    (wrong,) = checked(client.get("/v1/metrics/churn_rate?grain=day"), 422)["errors"]
    assert (wrong["field"], wrong["allowed"]) == ("query.grain", ["month", "quarter", "year"])


def test_what_does_not_exist_is_told_with_what_does(client: TestClient) -> None:
    told = checked(client.get("/v1/metrics/revenu"), 404)
    assert "did you mean revenue?" in told["detail"]
    assert checked(client.get("/v1/products/99"), 404)["type"].endswith("unknown-product")
    assert checked(client.get("/v1/receipts/r99"), 404)["errors"][0]["field"] == "path.id"
    assert checked(client.get("/v1/products?at=r99"), 404)["errors"][0]["field"] == "query.at"
    checked(client.get("/nothing"), 404)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"])
def test_another_method_is_told_which_one_there_is(client: TestClient, method: str) -> None:
    answer = client.request(method, "/v1/products")
    checked(answer, 405)
    assert answer.headers["Allow"] == "GET"


@pytest.mark.parametrize("path", ["/v1/products", "/v1/metrics/revenue", "/nothing", "/healthz"])
def test_a_body_of_two_megabytes_is_refused_before_it_is_read(client: TestClient, path: str) -> None:
    for method in ("GET", "POST"):
        told = checked(client.request(method, path, content=b"x" * (2 << 20)), 413)
        assert f"{MOST_BODY_BYTES:,} bytes" in told["detail"]


def test_a_wrong_length_of_a_body_breaks_nothing(client: TestClient) -> None:
    for length in ("9" * 5000, "-1", "one", "1.5"):
        assert client.get("/v1/products/1", headers={"Content-Length": length}).status_code in (200, 413)


# -- what a router of another room has: a body
class Basket(BaseModel):
    products: list[int]


of_others = APIRouter(dependencies=needs("products"))


@of_others.post("/v1/baskets")
async def take_basket(basket: Basket) -> Basket:
    return basket


@of_others.get("/v1/broken")
async def break_() -> None:
    raise ZeroDivisionError("secret of the code")


@pytest.fixture
def extended(world: World) -> Iterator[TestClient]:
    """The API with another router."""
    routers = (*ROUTERS, of_others)
    with TestClient(world.application(routers), headers=world.bearer, raise_server_exceptions=False) as client:
        yield client


@pytest.mark.parametrize(
    ("body", "field", "said"),
    [
        (b"{", "body.1", "it is no JSON"),
        (b"", "body", "it is missing"),
        (b"[]", "body", "valid dictionary"),
        (b'{"products": "x"}', "body.products", "valid list"),
        (b'{"products": [1, "x"]}', "body.products.1", "valid integer"),
        (b"\xff\xfe", "body", ""),
        (b'{"products": [' + b"[" * 20_000, "body", ""),
    ],
)
def test_a_body_that_is_not_what_it_should_be_is_told_where(
    extended: TestClient, body: bytes, field: str, said: str
) -> None:
    answer = extended.post("/v1/baskets", content=body, headers={"Content-Type": "application/json"})
    told = checked(answer, 400, 422)
    if answer.status_code == 422:
        assert told["errors"][0]["field"].startswith(field) and said in told["errors"][0]["message"]


def test_a_body_that_does_not_say_how_long_it_is_may_not_be_longer(extended: TestClient) -> None:
    endless = (b"x" * 65_536 for _ in range(32))
    checked(extended.post("/v1/baskets", content=endless, headers={"Content-Type": "application/json"}), 413)


def test_a_mistake_of_ours_tells_nothing_of_the_code(extended: TestClient) -> None:
    answer = extended.get("/v1/broken")
    checked(answer, 500)
    assert "secret" not in answer.text and "ZeroDivision" not in answer.text
