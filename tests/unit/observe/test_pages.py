"""The server behind the dashboards' page: what it hands on, and what it says when Prometheus does not answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs

import httpx
import pytest
from starlette.testclient import TestClient

from lake.errors import LakeError
from lake.observe import pages
from lake.observe.dashboards import dashboards

ANSWER = {"status": "success", "data": {"resultType": "vector", "result": []}}


class Prometheus:
    """Answers every question alike, and keeps them."""

    def __init__(self) -> None:
        self.asked: list[httpx.Request] = []
        self.fails: Exception | None = None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if self.fails:
            raise self.fails
        return httpx.Response(200, json=ANSWER)


@pytest.fixture
def prometheus() -> Prometheus:
    return Prometheus()


@pytest.fixture
def client(prometheus: Prometheus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    (tmp_path / "uPlot.iife.min.js").write_text("uPlot = null;")
    monkeypatch.setattr(pages, "_vendor", lambda: tmp_path)
    app = pages.application("http://prometheus.test", httpx.MockTransport(prometheus))
    with TestClient(app, base_url="http://127.0.0.1") as client:
        yield client


# -- the page
def test_the_overview_opens_by_itself(client: TestClient) -> None:
    answer = client.get("/")
    assert answer.url.path == "/d/shoplake-overview"
    assert "<script" in answer.text


def test_every_file_that_the_page_names_is_served(client: TestClient) -> None:
    page = client.get("/d/shoplake-overview").text
    for file in ("/page/page.css", "/page/main.js", "/page/icon.svg", "/vendor/uPlot.iife.min.js"):
        assert file in page
        assert client.get(file).status_code == 200, file


def test_dashboards_come_with_the_overview_first_and_then_by_title(client: TestClient) -> None:
    titles = [each["title"] for each in client.get("/dashboards").json()]
    assert titles == ["Overview", *sorted(titles[1:])]
    assert client.get("/dashboards/shoplake-lake").json()["title"] == "Lake"


@pytest.mark.parametrize("path", ["/d/lakee", "/dashboards/lakee"])
def test_a_dashboard_that_does_not_exist_is_told_with_those_that_do(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.text.startswith("there is no dashboard 'lakee'; there are shoplake-overview, ")


def test_nothing_from_elsewhere_may_be_loaded_and_no_other_name_leads_here(client: TestClient) -> None:
    answer = client.get("/d/shoplake-overview")
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert client.get("/dashboards", headers={"Host": "evil.test"}).status_code == 400


def test_other_pages_are_where_the_settings_say(client: TestClient) -> None:
    assert set(client.get("/links").json()) == {"Prometheus", "Alertmanager", "Airflow", "Trino"}


# -- questions
@pytest.mark.parametrize("path", ["/api/v1/query", "/api/v1/query_range"])
def test_a_question_is_handed_on_with_a_limit_and_the_answer_as_it_is(
    client: TestClient, prometheus: Prometheus, path: str
) -> None:
    assert client.post(path, data={"query": 'up{job="ä"}', "time": "1"}).json() == ANSWER
    (asked,) = prometheus.asked
    assert (asked.method, asked.url.path, asked.url.params["timeout"]) == ("POST", path, "30")
    assert parse_qs(asked.content.decode()) == {"query": ['up{job="ä"}'], "time": ["1"]}


def test_values_of_a_label_are_asked_for(client: TestClient, prometheus: Prometheus) -> None:
    client.post("/api/v1/label/source/values", data={"match[]": "shoplake_source_up"})
    (asked,) = prometheus.asked
    assert (asked.method, asked.url.path) == ("GET", "/api/v1/label/source/values")
    assert asked.url.params["match[]"] == "shoplake_source_up"


@pytest.mark.parametrize("path", ["/api/v1/admin/tsdb/delete_series", "/-/quit", "/api/v1/status/config"])
def test_nothing_else_of_prometheus_is_reached(client: TestClient, prometheus: Prometheus, path: str) -> None:
    assert client.post(path).status_code in (404, 405)
    assert prometheus.asked == []


@pytest.mark.parametrize(
    ("failure", "status", "said"),
    [
        (httpx.ConnectError("Connection refused"), 502, "cannot be asked: Connection refused"),
        (httpx.ReadTimeout("slow"), 504, "did not answer within 30 s"),
    ],
)
def test_a_prometheus_that_does_not_answer_is_told_in_its_own_form(
    client: TestClient, prometheus: Prometheus, failure: Exception, status: int, said: str
) -> None:
    prometheus.fails = failure
    answer = client.post("/api/v1/query", data={"query": "up"})
    assert answer.status_code == status
    assert answer.json()["status"] == "error" and said in answer.json()["error"]


def test_a_question_that_is_too_long_is_refused(client: TestClient, prometheus: Prometheus) -> None:
    answer = client.post("/api/v1/query", data={"query": "x" * 70_000})
    assert answer.status_code == 413 and "at most 65536" in answer.json()["error"]
    assert prometheus.asked == []


def test_it_is_ready_when_prometheus_is_and_alive_without(client: TestClient, prometheus: Prometheus) -> None:
    assert client.get("/readyz").status_code == 200
    prometheus.fails = httpx.ConnectError("refused")
    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 200


# -- what is wrong from the start
@pytest.mark.parametrize("text", ["{", "[]", json.dumps({"uid": "x", "title": "X"})])
def test_a_file_that_is_no_dashboard_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(LakeError, match=r"x\.json is not a dashboard"):
        dashboards(tmp_path)


def test_no_dashboards_at_all_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(LakeError, match="has no dashboards"):
        dashboards(tmp_path)
