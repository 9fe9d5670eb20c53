"""`lake logs`: the end of a file, or what is found in all of them, as a person types it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lake.commands.main import app
from lake.errors import LakeError
from lake.observe.search import span
from lake.settings import settings
from tests import played
from tests.played import LINE, OpenSearch


@pytest.fixture
def opensearch(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[OpenSearch]:
    with played.opensearch() as server:
        monkeypatch.setenv("LAKE_OPENSEARCH_PORT", str(server.server_port))
        monkeypatch.setenv("LAKE_HOME", str(tmp_path))
        settings.cache_clear()
        yield server
    settings.cache_clear()


def said(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["logs", *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def test_a_search_asks_for_words_and_fields_and_prints_json_where_no_person_reads(opensearch: OpenSearch) -> None:
    found = said("--search", "disk full", "--run", "r1", "--service", "trino", "--since", "1h", "--lines", "5")
    assert json.loads(found) == LINE
    (asked,) = opensearch.asked
    conditions = asked["query"]["bool"]
    assert conditions["must"][0]["simple_query_string"]["query"] == "disk full"
    assert {"terms": {"run": ["r1"]}} in conditions["filter"]
    assert {"terms": {"service": ["trino"]}} in conditions["filter"]
    assert {"range": {"timestamp": {"gte": "now-3600s"}}} in conditions["filter"]
    assert len(conditions["filter"]) == 3 and asked["size"] == 5


def test_a_saved_search_is_narrower_by_what_else_is_asked(opensearch: OpenSearch) -> None:
    assert json.loads(said("--saved", "held", "--search", "orders")) == LINE
    conditions = opensearch.asked[0]["query"]["bool"]
    assert conditions["must"][0]["simple_query_string"]["query"] == '("held back") + (orders)'
    assert conditions["filter"] == [{"terms": {"service": ["airflow-task"]}}]


def test_people_read_text(opensearch: OpenSearch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKE_LOG", "plain")
    settings.cache_clear()
    assert said("--run", "r1") == "2026-11-26T05:20:00Z [error] trino: disk full run=r1\n"


def test_what_is_left_out_and_what_is_not_found_is_said(opensearch: OpenSearch) -> None:
    opensearch.total = 0
    assert said("--search", "x") == "no line was found\n"
    opensearch.total = 7
    assert said("--search", "x").endswith("the last 1 of 7 lines: --lines shows more\n")


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ((), "whose log?"),
        (("--search", "x", "--since", "soon"), "'soon' is no span of time"),
        (("--search", "x", "--follow"), "a search cannot be followed"),
        (("nobody",), "no service 'nobody'"),
        (("minio",), "minio has written no log yet"),
    ],
)
def test_what_cannot_be_done_is_told_with_the_way_out(
    opensearch: OpenSearch, arguments: tuple[str, ...], what: str
) -> None:
    with pytest.raises(LakeError, match=what.replace("?", r"\?")) as caught:
        said(*arguments)
    assert caught.value.fix


def test_an_opensearch_that_is_away_or_empty_is_told(opensearch: OpenSearch, monkeypatch: pytest.MonkeyPatch) -> None:
    opensearch.status = 404
    with pytest.raises(LakeError, match="has no logs yet"):
        said("--search", "x")
    monkeypatch.setenv("LAKE_OPENSEARCH_PORT", "1")
    settings.cache_clear()
    with pytest.raises(LakeError, match="does not answer") as caught:
        said("--search", "x")
    assert "lake up observe" in caught.value.fix


def test_the_end_of_a_service_s_log(opensearch: OpenSearch, tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "minio.log").write_bytes(b"one\ntwo \xff\n" + json.dumps(LINE).encode() + b"\n")
    assert said("minio", "--lines", "2") == f"two �\n{json.dumps(LINE)}\n"


def test_spans() -> None:
    assert (span("90s"), span("7d")) == (timedelta(seconds=90), timedelta(days=7))
