"""What boards.yml may say, and what is made of it."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlglot
import yaml

from infra.superset import generate, listed
from infra.superset.declared import COLUMNS, MOST_CHARTS, Board, marts_of, read
from infra.superset.exported import named
from infra.superset.files import normal, written
from infra.superset.statements import dataset_of, expression
from lake.errors import LakeError
from lake.metrics.definitions import Metrics
from lake.settings import PROJECT

Declare = Callable[[str], list[Board]]


@pytest.fixture(scope="module")
def files(metrics: Metrics) -> dict[str, str]:
    return generate.files(metrics)


@pytest.fixture
def declare(metrics: Metrics, tmp_path: Path) -> Declare:
    """Called with the rows of a dashboard: what is read of it."""

    def declared(rows: str) -> list[Board]:
        file = tmp_path / "boards.yml"
        file.write_text(f"[{{slug: one, title: One, about: It., period: Last 90 days, rows: {rows}}}]")
        return read(metrics, file)

    return declared


def test_a_chart_is_a_line(declare: Declare) -> None:
    ((chart, _),) = declare("[[{line: revenue, by: channel, grain: week}, {number: orders}]]")[0].rows
    assert (chart.name, chart.title, chart.width) == ("one_line_revenue_channel", "Revenue by channel", 6)
    assert chart.command == "lake metric revenue --by channel --grain week"
    assert "Sales value after discounts" in chart.description and chart.command in chart.description


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (
            "[[{number: revenu}, {number: orders}]]",
            "dashboard one: there is no metric 'revenu'\n  -> did you mean revenue?",
        ),
        (
            "[[{lines: revenue, grain: week, width: 6}, {number: orders}]]",
            "there is no form 'lines'\n  -> did you mean line?",
        ),
        (
            "[[{bars: revenue, by: chanel, width: 6}, {number: orders}]]",
            "has no dimension 'chanel'\n  -> did you mean channel?",
        ),
        ("[[{bars: revenue, width: 6}, {number: orders}]]", "it is drawn by nothing"),
        ("[[{line: revenue, width: 6}, {number: orders}]]", "it has no grain"),
        (
            "[[{line: revenue, grain: weak, width: 6}, {number: orders}]]",
            "there is no grain 'weak'\n  -> did you mean week?",
        ),
        ("[[{line: churn_rate, grain: week, width: 6}, {number: orders}]]", "it is known by month, not by week"),
        (
            "[[{number: customers, width: 6}, {number: orders}]]",
            "what it is in parts of a period does not make up the whole",
        ),
        ("[[{number: revenue}, {number: orders, width: 3}]]", "a row is 9 columns wide"),
        ("[[{number: revenue, width: 5}, {number: orders}]]", "it is 5 columns wide"),
        ("[[{number: revenue}, {number: revenue}]]", "more than one chart one_number_revenue"),
        ("[[{number: revenue, colour: red, width: 6}, {number: orders}]]", "there is no 'colour'"),
        ("[[{listed: freshnes, width: 6}, {number: orders}]]", "there is no such check\n  -> did you mean freshness?"),
        (f"[{'[{number: revenue}, {number: orders}],' * (MOST_CHARTS // 2 + 1)}]", f"has {MOST_CHARTS + 2} charts"),
    ],
)
def test_what_is_wrong_is_told_with_the_nearest_name(declare: Declare, rows: str, told: str) -> None:
    with pytest.raises(LakeError, match=re.escape(told)):
        declare(rows)


def test_every_chart_names_a_metric_or_a_check(metrics: Metrics) -> None:
    boards = read(metrics)
    assert [board.slug for board in boards] == [
        "overview", "sales", "customers", "products", "marketing", "behaviour", "quality",
    ]  # fmt: skip
    for chart in (chart for board in boards for chart in board.charts):
        assert (chart.metric is None) == (chart.form == "listed") == bool(chart.check)


# -- the SQL
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("revenue", "SUM(revenue)"),
        ("net_revenue", "SUM(revenue) - SUM(refunds)"),
        ("discount_rate", "CAST(SUM(discount) AS DECIMAL(38, 6)) / NULLIF(SUM(gross_revenue), 0)"),
        ("customers", "MAX(customers)"),
    ],
)
def test_a_figure_is_computed_as_the_metric_is_defined(metrics: Metrics, name: str, expected: str) -> None:
    assert expression(metrics, metrics.get(name)) == expected


def test_a_chart_asks_for_its_metric_s_sums(metrics: Metrics, files: dict[str, str]) -> None:
    datasets = {name: yaml.safe_load(text) for name, text in files.items() if name.startswith("datasets/")}
    for board in read(metrics):
        for chart in board.charts:
            dataset = datasets[f"datasets/Shoplake/{dataset_of(metrics, chart)}.yaml"]
            query = sqlglot.parse_one(dataset["sql"], dialect="trino")
            tables = {f"{table.db}.{table.name}" for table in query.find_all(sqlglot.exp.Table)}
            if chart.metric is None:
                # Iceberg's own tables about a table are called after it.
                assert all(name.startswith("marts.") for name in tables) or tables == {"audit.check_results"}
                assert listed.columns_of(dataset["sql"]) == query.named_selects
                continue
            assert tables == set(chart.metric.tables), chart.name
            assert (
                chart.metric.label in dataset["description"]
                and f"lake metric {chart.metric.name}" in dataset["description"]
            )
            columns = {column["column_name"] for column in dataset["columns"]}
            assert {"period_start", chart.by} - {""} <= columns
            needed = {
                column.name
                for metric in dataset["metrics"]
                for column in sqlglot.parse_one(metric["expression"], dialect="trino").find_all(sqlglot.exp.Column)
            }
            assert needed <= set(query.named_selects)


# -- what is listed
def test_freshness_is_asked_of_every_mart_that_a_dashboard_draws_from(
    metrics: Metrics, declare: Declare, files: dict[str, str]
) -> None:
    behind = marts_of(read(metrics))
    assert {"sales_by_day", "campaign_uplift"} < set(behind)
    text = yaml.safe_load(files["datasets/Shoplake/freshness.yaml"])["sql"]
    asked = {table.name for table in sqlglot.parse_one(text, dialect="trino").find_all(sqlglot.exp.Table)}
    assert asked == {f"{mart}$snapshots" for mart in behind}
    few = marts_of(declare("[[{number: sessions, width: 6}, {number: searches, width: 6}]]"))
    assert few == ["searches", "sessions"]
    assert listed.sql_of("freshness", few).count("UNION ALL") == 1


def test_a_table_is_sorted_as_its_query_says(files: dict[str, str]) -> None:
    params = yaml.safe_load(files["charts/quality_listed_quarantine.yaml"])["params"]
    assert params["order_by_cols"] == ['["Waiting", false]']
    assert listed.order_of('SELECT 1 AS "A"\nORDER BY "A"') == [("A", True)]


@pytest.mark.parametrize("name", listed.names())
def test_what_is_listed_is_counts_alone(name: str) -> None:
    """No column of a table's own is shown: what they hold may be a person's."""
    query = sqlglot.parse_one(listed.sql_of(name, ["sales_by_day"]), dialect="trino")
    known = {"name", "rows_now", "written_at", "newest", "run_id", "checked_at", "table_name", "observed"}
    assert {column.name for each in query.expressions for column in each.find_all(sqlglot.exp.Column)} <= {
        *known, "layer", "is_passed", "check_name", "current_date", "current_timestamp",
    }  # fmt: skip


# -- the header
def test_a_header_leads_to_the_other_dashboards_and_to_the_guides(metrics: Metrics, files: dict[str, str]) -> None:
    slugs = [board.slug for board in read(metrics)]
    for slug in slugs:
        position = yaml.safe_load(files[f"dashboards/{slug}.yaml"])["position"]
        links = re.findall(r"\]\(([^)]+)\)", position[f"MARKDOWN-{slug}"]["meta"]["code"])
        boards = [link for link in links if link.startswith("/superset/")]
        assert boards == [f"/superset/dashboard/{other}/" for other in slugs if other != slug]
        guides = [link.removeprefix("/shoplake/") for link in links if link not in boards]
        assert guides == ["docs/metrics.md", "docs/reports.md", "docs/dashboards.md"]
        assert all((PROJECT / guide).is_file() for guide in guides)


# -- the files
def test_the_files_are_up_to_date(metrics: Metrics) -> None:
    assert generate.problems(metrics=metrics) == []


def test_a_stale_file_is_told(metrics: Metrics, files: dict[str, str], tmp_path: Path) -> None:
    generate.write(tmp_path, metrics)
    assert len(list(tmp_path.rglob("*.yaml"))) == len(files)
    (tmp_path / "charts" / "overview_number_revenue.yaml").write_text("changed by hand")
    (tmp_path / "charts" / "of_old.yaml").write_text("no more")
    assert [problem.split(" is stale")[0] for problem in generate.problems(tmp_path, metrics)] == [
        "infra/superset/assets/charts/of_old.yaml",
        "infra/superset/assets/charts/overview_number_revenue.yaml",
    ]


def test_the_grid_holds_every_chart_and_fits(files: dict[str, str]) -> None:
    charts = {yaml.safe_load(text)["uuid"] for name, text in files.items() if name.startswith("charts/")}
    placed = []
    for text in (text for name, text in files.items() if name.startswith("dashboards/")):
        position = yaml.safe_load(text)["position"]
        for row in position["GRID_ID"]["children"]:
            children = [position[child] for child in position[row]["children"]]
            assert sum(child["meta"]["width"] for child in children) == COLUMNS
            assert len({child["meta"]["height"] for child in children}) == 1
            placed += [child["meta"]["uuid"] for child in children if child["type"] == "CHART"]
    assert sorted(placed) == sorted(charts)


def test_no_address_of_a_machine_is_in_the_files(files: dict[str, str]) -> None:
    assert f'TRINO_PLACE = "{generate.TRINO}"' in (generate.HERE / "boot.py").read_text("utf-8")
    assert yaml.safe_load(files["databases/Shoplake.yaml"])["sqlalchemy_uri"] == generate.TRINO
    assert not [name for name, text in files.items() if "127.0.0.1" in text]


def test_an_export_of_the_same_is_the_same(files: dict[str, str]) -> None:
    """As Superset exports them: under names and with numbers of its own, columns in its own order."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for number, (name, text) in enumerate(files.items()):
            document: dict[str, Any] = yaml.safe_load(text)
            for child in document.get("position", {}).values():
                if isinstance(child, dict) and child["type"] == "CHART":
                    child["meta"]["chartId"] = number
            if "columns" in document:
                document["columns"] = [{**column, "extra": None} for column in reversed(document["columns"])]
            if "params" in document:
                document["params"] |= {"slice_id": number, "dashboards": [number], "datasource": f"{number}__table"}
            if name.startswith("databases/"):
                document["sqlalchemy_uri"] = "trino://dashboards@127.0.0.1:28080/lake"
            told = name if name == "metadata.yaml" else name.replace(".yaml", f"_{number}.yaml")
            archive.writestr(told, yaml.safe_dump(document | {"timestamp": "2026-01-01"}))
    assert named(held.getvalue()) == files


def test_what_a_person_has_changed_is_seen(files: dict[str, str]) -> None:
    changed = yaml.safe_load(files["charts/overview_number_revenue.yaml"])
    changed["params"]["y_axis_format"] = "SMART_NUMBER"
    assert written(changed) != files["charts/overview_number_revenue.yaml"]


def test_a_normal_form_is_its_own(files: dict[str, str]) -> None:
    for text in files.values():
        assert normal(yaml.safe_load(text)) == yaml.safe_load(text)
