"""The dashboards as Grafana gets them, held against its own model, and against what a person needs to read one."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import defaultdict
from itertools import combinations
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from infra.grafana import check, write
from infra.grafana.expressions import Asked, asked, filled
from lake.observe.lint.known import Known
from lake.settings import PROJECT, Settings

FILES = sorted(write.FOLDER.glob("*.json"))
PROVISIONING = PROJECT / "infra" / "grafana" / "provisioning"
PAGE = PROJECT / "lake" / "observe" / "page"
SHOWN = {"lake", "node", "mysql", "airflow", "prometheus"}
"""Jobs of whose metrics the dashboards show more than whether they answer."""
NAMES = {"overview", "business", "database", "replication", "pipeline", "lake", "airflow", "host"}

Panel = dict[str, Any]


def read(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def panels(dashboard: dict[str, Any]) -> list[Panel]:
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


ALL = [pytest.param(panel, id=f"{file.stem}: {panel['title']}") for file in FILES for panel in panels(read(file))]
QUESTIONS = [question for file in FILES for question in asked(read(file))]


def test_there_is_a_dashboard_for_each_subject() -> None:
    assert {file.stem.removeprefix("shoplake-") for file in FILES} == NAMES
    assert all(read(file)["uid"] == file.stem for file in FILES)
    assert len(ALL) > 80


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_grafana_s_own_model_reads_it_and_loses_nothing(file: Path) -> None:
    register_default_plugins()
    assert json.loads(JSONEncoder().encode(Dashboard.from_json(read(file)))) == read(file)


# -- every panel
@pytest.mark.parametrize("panel", ALL)
def test_a_panel_says_what_it_shows(panel: Panel) -> None:
    assert re.fullmatch(r"[A-Z][^.!]{2,60}", panel["title"])
    assert len(panel["description"]) >= 20 and panel["description"].endswith(".")
    assert all(target["legendFormat"] for target in panel["targets"]), "a legend for every query"
    assert len({target["legendFormat"] for target in panel["targets"]}) == len(panel["targets"])
    assert all(target["datasource"] == {"type": "prometheus", "uid": "prometheus"} for target in panel["targets"])


@pytest.mark.parametrize("panel", ALL)
def test_its_unit_is_set_and_our_page_knows_it(panel: Panel) -> None:
    known = set(re.findall(r"^  (\w+): (?:plain|duration|\()", (PAGE / "format.js").read_text(), re.MULTILINE))
    assert {"none", "s", "bytes", "percentunit"} <= known
    units = [panel["fieldConfig"]["defaults"]["unit"]]
    for override in panel["fieldConfig"]["overrides"]:
        units += [each["value"] for each in override["properties"] if each["id"] == "unit"]
    assert set(units) <= known
    if panel["type"] == "table":
        columns = {override["matcher"]["options"] for override in panel["fieldConfig"]["overrides"]}
        assert columns == {target["legendFormat"] for target in panel["targets"]}, "a unit for every column"


@pytest.mark.parametrize("panel", ALL)
def test_it_stays_readable_with_two_thousand_tables(panel: Panel) -> None:
    """What is asked by table is turned in pages, or the first few of it."""
    if panel["type"] == "table":
        assert panel["options"]["footer"]["enablePagination"]
        return
    for target in panel["targets"]:
        if "{{table}}" in target["legendFormat"]:
            assert re.match(r"topk\(\d{1,2},", target["expr"]), target["expr"]
        if re.search(r"shoplake_(table|quarantine|parity)_", target["expr"]):
            assert re.match(r"\(?(topk|count|sum|max|time\(\) - max|avg)\b", target["expr"]), target["expr"]


def test_no_two_panels_answer_one_question() -> None:
    questions: dict[str, list[str]] = defaultdict(list)
    for file in FILES:
        titles = [panel["title"] for panel in panels(read(file))]
        assert len(set(titles)) == len(titles), file.stem
        for panel in panels(read(file)):
            exprs = sorted(re.sub(r"\s+", "", target["expr"]) for target in panel["targets"])
            questions[" | ".join(exprs)].append(f"{file.stem}: {panel['title']} ({panel['type']})")
    twice = [who for who in questions.values() if len(who) > 1]
    # A figure now and its course are two questions.
    assert [who for who in twice if len({each.rpartition("(")[2] for each in who}) < len(who)] == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_panels_do_not_lie_on_each_other(file: Path) -> None:
    places = [panel["gridPos"] for panel in read(file)["panels"]]
    assert all(place["x"] + place["w"] <= 24 for place in places)
    for one, other in combinations(places, 2):
        apart = (
            one["x"] + one["w"] <= other["x"]
            or other["x"] + other["w"] <= one["x"]
            or one["y"] + one["h"] <= other["y"]
            or other["y"] + other["h"] <= one["y"]
        )
        assert apart, (one, other)


# -- links
def test_every_link_leads_to_a_dashboard_that_there_is() -> None:
    leads_to: set[str] = set()
    for file in FILES:
        dashboard = read(file)
        (to_all,) = dashboard["links"]
        assert to_all["type"] == "dashboards" and to_all["keepTime"]
        assert all(set(to_all["tags"]) <= set(read(other)["tags"]) for other in FILES)
        urls = [link["url"] for panel in panels(dashboard) for link in panel.get("links", [])]
        found = [re.fullmatch(r"/d/([\w-]+)\?\$\{__url_time_range\}", url) for url in urls]
        assert all(found), urls
        leads_to |= {link[1] for link in found if link}
    assert leads_to <= {file.stem for file in FILES}
    assert leads_to >= {"shoplake-lake", "shoplake-pipeline", "shoplake-replication", "shoplake-host"}


# -- expressions
@pytest.mark.parametrize("question", QUESTIONS, ids=lambda each: f"{each.dashboard}: {each.panel}")
def test_an_expression_parses_and_asks_for_something(question: Asked) -> None:
    assert "$" not in filled(question.expr)
    assert promql_parser.parse(filled(question.expr))


def test_variables_are_those_of_the_dashboard() -> None:
    for file in FILES:
        dashboard = read(file)
        variables = dashboard.get("templating", {}).get("list", [])
        used = {name for question in asked(dashboard) for name in re.findall(r"\$(\w+)", question.expr)}
        assert used - {"__rate_interval", "__interval", "__range"} == {each["name"] for each in variables}, file.stem
        for variable in variables:
            assert re.fullmatch(rf"label_values\(\w+, {variable['name']}\)", variable["query"])
            assert variable["includeAll"] and variable["current"]["value"] == "$__all"


# -- what lint refuses
def test_the_committed_files_are_what_the_boards_make() -> None:
    assert check.problems() == []


def test_a_stale_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write, "FOLDER", tmp_path)
    monkeypatch.setattr(check, "FOLDER", tmp_path)
    write.write()
    changed = tmp_path / "shoplake-host.json"
    changed.write_text(changed.read_text().replace("percentunit", "percent"))
    (tmp_path / "shoplake-old.json").write_text("{}")
    assert check.problems() == [
        f"{tmp_path}/{name}: is not what infra/grafana/boards makes -> python -m infra.grafana"
        for name in ("shoplake-host.json", "shoplake-old.json")
    ]
    write.write()
    assert check.problems() == []


@pytest.mark.parametrize(
    ("expr", "said"),
    [
        ("max(mysql_upp)", "Up: no metric mysql_upp: did you mean mysql_up?"),
        ('shoplake_source_up{sauce="shop"}', "Up: no label sauce in shoplake_source_up: did you mean source?"),
        ("sum by (taks_id) (shoplake_task_running_seconds)", "Up: no label taks_id in shoplake_task_running_seconds: "),
        ("sum(up", "Up: not PromQL: "),
    ],
)
def test_an_unknown_metric_or_label_is_refused_with_the_nearest_name(
    expr: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel = {"title": "Up", "targets": [{"expr": expr}]}
    monkeypatch.setattr(check, "stale", list)
    monkeypatch.setattr(check, "made", lambda: {"x": {"uid": "shoplake-database", "panels": [panel]}})
    (problem,) = check.problems()
    place, _, rest = problem.partition(": ")
    assert Path(place.split(":")[0]).name == "database.py"
    assert rest.startswith(said)


def test_a_problem_names_the_line_where_the_panel_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.grafana.check.rules.served", lambda project: Known({}, frozenset()))
    problem = next(each for each in check.problems() if "mysql_binlog_size_bytes" in each)
    file, line, panel, _ = problem.split(":", 3)
    assert panel.strip() in Path(file).read_text().splitlines()[int(line) - 1]


def test_the_command_tells_what_it_takes() -> None:
    command = [sys.executable, "-m", "infra.grafana", "--chekc"]
    said = subprocess.run(command, check=False, cwd=PROJECT, capture_output=True, text=True, timeout=60)
    assert said.returncode == 2 and said.stderr == "usage: python -m infra.grafana [--check]\n"


# -- provisioning
def test_provisioning_has_the_data_sources_that_the_dashboards_name() -> None:
    sources = yaml.safe_load((PROVISIONING / "datasources" / "shoplake.yml").read_text())["datasources"]
    assert {(each["uid"], each["type"]) for each in sources} == {
        ("prometheus", "prometheus"),
        ("opensearch", "grafana-opensearch-datasource"),
    }
    (prometheus,) = (each for each in sources if each.get("isDefault"))
    assert prometheus["url"] == f"http://prometheus:{Settings.model_fields['prometheus_port'].default}"


def test_the_shortest_rate_is_over_two_scrapes_of_the_slowest_target() -> None:
    scrapes = yaml.safe_load((PROJECT / "infra" / "prometheus" / "prometheus.yml").read_text())
    shown = [job for job in scrapes["scrape_configs"] if job["job_name"] in SHOWN]
    assert len(shown) == len(SHOWN)
    intervals = [scrapes["global"], *shown]
    longest = max(int(each["scrape_interval"].removesuffix("s")) for each in intervals if "scrape_interval" in each)
    sources = yaml.safe_load((PROVISIONING / "datasources" / "shoplake.yml").read_text())["datasources"]
    assert sources[0]["jsonData"]["timeInterval"] == f"{longest}s"
    assert f"const SCRAPE_SECONDS = {longest};" in (PAGE / "query.js").read_text()


def test_the_provider_reads_the_folder_that_compose_mounts() -> None:
    (provider,) = yaml.safe_load((PROVISIONING / "dashboards" / "shoplake.yml").read_text())["providers"]
    grafana = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())["services"]["dashboards"]
    assert f"./infra/grafana/dashboards:{provider['options']['path']}:ro" in grafana["volumes"]
