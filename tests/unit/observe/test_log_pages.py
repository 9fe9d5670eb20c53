"""The page of the logs, asked as a browser asks it, beside an OpenSearch that is played."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from lake.observe.log_pages import routes
from lake.observe.searches import searches
from lake.settings import settings
from tests import played
from tests.played import LINE, OpenSearch


@pytest.fixture
def opensearch(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenSearch]:
    with played.opensearch() as server:
        monkeypatch.setenv("LAKE_OPENSEARCH_PORT", str(server.server_port))
        settings.cache_clear()
        yield server
    settings.cache_clear()


@pytest.fixture
def client(opensearch: OpenSearch) -> TestClient:
    return TestClient(Starlette(routes=routes()))


def test_what_is_asked_is_looked_for(client: TestClient, opensearch: OpenSearch) -> None:
    opensearch.total = 7
    query = {"text": "full", "service": "trino", "since": "1h", "lines": "5", "level": ""}
    assert client.get("/logs/found", params=query).json() == {"lines": [LINE], "total": 7}
    (asked,) = opensearch.asked
    assert asked["size"] == 5
    assert asked["query"]["bool"]["filter"] == [
        {"terms": {"service": ["trino"]}},
        {"range": {"timestamp": {"gte": "now-3600s"}}},
    ]


def test_a_saved_search_is_asked_with_what_makes_it_narrower(client: TestClient, opensearch: OpenSearch) -> None:
    client.get("/logs/found", params={"saved": "errors", "run": "r1"})
    assert opensearch.asked[0]["query"]["bool"]["filter"] == [
        {"terms": {"level": ["error", "critical"]}},
        {"terms": {"run": ["r1"]}},
    ]
    assert [each["name"] for each in client.get("/logs/saved").json()] == list(searches())


def test_values_are_offered(client: TestClient, opensearch: OpenSearch) -> None:
    opensearch.values = ["trino", "spark"]
    assert client.get("/logs/values").json()["service"] == ["trino", "spark"]
    assert [each["aggs"]["values"]["terms"]["field"] for each in opensearch.asked] == ["service", "level"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"lines": "0"}, "lines=0 is no number of lines"),
        ({"lines": "1e9"}, "lines=1e9"),
        ({"lines": "9" * 5000}, "is no number of lines"),
        ({"since": "soon"}, "'soon' is no span of time"),
        ({"saved": "erors"}, "no saved search 'erors'"),
        ({"words": "x"}, "a search has no words"),
    ],
)
def test_what_is_no_search_is_refused_with_the_way_out(client: TestClient, query: dict[str, str], said: str) -> None:
    answer = client.get("/logs/found", params=query)
    assert answer.status_code == 400
    assert said in answer.json()["error"] and answer.json()["fix"]


def test_an_opensearch_that_is_away_is_told(client: TestClient, opensearch: OpenSearch) -> None:
    opensearch.status = 500
    answer = client.get("/logs/found")
    assert answer.status_code == 503 and "OpenSearch answers 500" in answer.json()["error"]
    assert client.get("/logs/values").status_code == 503
