"""The dashboards as a person of the shop sees them: signed in as the viewer, in headless Chromium.

No chart may fail or be empty, and what is shown is what `lake metric` says of the same days.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import yaml

from infra.superset import drawn
from infra.superset.declared import Board, Chart, read
from lake.metrics.ask import Question, ask
from lake.metrics.compiler import Compiler
from lake.metrics.definitions import load
from lake.metrics.series import NAMELESS
from lake.runtime import bi
from lake.settings import settings
from tests.end_to_end.driving import lake
from tests.integration.observe.conftest import browser  # noqa: F401

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, Response

pytestmark = pytest.mark.thorough

METRICS = load()
BOARDS = read(METRICS)
# High, since a chart is only asked for when it comes into view.
DESK, PHONE = (1280, 2600), (390, 5200)
CHART_SECONDS = 180
CLOSE = Decimal("1e-9")
"""How far a figure may be off, of itself: JSON has no decimals."""


@dataclass
class Seen:
    """A dashboard in a browser.

    Attributes:
        answers: of Superset by the chart's title: a list of results each.
        failures: what the page itself complained of.
    """

    tab: Page
    answers: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def superset(request: pytest.FixtureRequest) -> str:
    """Address of a Superset on a published lake."""
    if not os.environ.get("LAKE_TEST_HOME"):
        request.getfixturevalue("published")
        lake("up", "superset")
        settings.cache_clear()
    return settings().superset_url


@pytest.fixture(scope="module")
def signed_in(browser: Browser, superset: str) -> Iterator[BrowserContext]:  # noqa: F811
    """A browser in which the viewer has signed in, through the page that a person sees."""
    context = browser.new_context(timezone_id="UTC", locale="en-US")
    tab = context.new_page()
    tab.set_default_timeout(CHART_SECONDS * 1000)
    tab.goto(f"{superset}/login/")
    tab.fill("input#username", settings().superset_user)
    tab.fill("input#password", settings().superset_password.get_secret_value())
    tab.click("button[type=submit]")
    tab.wait_for_url(lambda url: "/login" not in url)
    tab.close()
    yield context
    context.close()


@pytest.fixture(scope="module")
def compiler() -> Compiler:
    return Compiler(METRICS.manifest)


def opened(context: BrowserContext, superset: str, board: Board, size: tuple[int, int]) -> Seen:
    """A dashboard when every chart has been asked for and drawn."""
    tab = context.new_page()
    tab.set_viewport_size({"width": size[0], "height": size[1]})
    seen = Seen(tab)
    told: list[Response] = []
    tab.on("response", lambda response: told.append(response) if "/api/v1/chart/data" in response.url else None)
    tab.on("pageerror", lambda error: seen.failures.append(str(error)))
    tab.goto(f"{superset}/superset/dashboard/{board.slug}/")
    titles = [chart.title for chart in board.charts]
    deadline = time.monotonic() + CHART_SECONDS
    while len(told) < len(titles) or tab.locator("[data-test='loading-indicator'], .loading").count():
        assert time.monotonic() < deadline, f"{board.slug}: {len(told)} of {len(titles)} charts were answered"
        tab.wait_for_timeout(500)
    tab.wait_for_timeout(1500)  # charts come in with a movement
    by_id = {each["id"]: each["slice_name"] for each in _charts(tab, superset, board)}
    for response in told:
        asked = json.loads(response.request.post_data or "{}")
        title = by_id[asked["form_data"]["slice_id"]]
        if response.status != 200:
            seen.failures.append(f"{title}: {response.status} {response.text()[:300]}")
        else:
            seen.answers[title] = response.json()["result"]
    return seen


def _charts(tab: Page, superset: str, board: Board) -> list[dict[str, Any]]:
    answer = tab.request.get(f"{superset}/api/v1/dashboard/{board.slug}/charts")
    found: list[dict[str, Any]] = answer.json()["result"]
    return found


def undrawn(tab: Page) -> dict[str, str]:
    """Charts that show nothing, or something else than their figures, by title, with what they say."""
    found: dict[str, str] = tab.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll(".dashboard-component-chart-holder")]
          .filter(holder => !holder.closest(".dashboard-markdown") && !holder.querySelector(".dashboard-markdown"))
          .map(holder => {
          const title = holder.querySelector("[data-test='editable-title'], .header-title")?.textContent ?? "?";
          const body = holder.querySelector(".chart-container, [data-test='chart-container']");
          const figure = body?.querySelector("canvas, svg, table tbody tr, .header-line");
          const wrong = body?.querySelector(".ant-alert-error, [role=alert], .ant-empty, .missing-chart-container");
          const box = body?.getBoundingClientRect();
          const bad = !figure || wrong || !box || box.height < 40 || box.width < 80;
          return [title, bad ? (body?.innerText || "nothing at all") : ""];
        }).filter(([, said]) => said))"""
    )
    return found


def days_of(result: dict[str, Any]) -> tuple[date, date]:
    """First and last day that an answer is about."""
    first, end = (datetime.fromtimestamp(result[name] / 1000, UTC) for name in ("from_dttm", "to_dttm"))
    assert first.time() == end.time() == datetime.min.time(), "a period is of whole days"
    return first.date(), end.date() - timedelta(days=1)


def is_close(shown: Any, expected: Any) -> bool:
    if shown is None or expected is None:
        return shown is expected
    one, other = Decimal(str(shown)), Decimal(str(expected))
    return abs(one - other) <= CLOSE * max(abs(one), abs(other), Decimal(1))


def written(value: Decimal, metric_format: str) -> str:
    """A figure as d3 writes it in the few formats that are in use."""
    decimals = int(re.findall(r"\.(\d)", metric_format)[0])
    sign = ("-" if value < 0 else "") + ("$" if metric_format.startswith("$") else "")
    if metric_format.endswith("%"):
        return f"{sign}{abs(value) * 100:,.{decimals}f}%"
    return f"{sign}{abs(value):,.{decimals}f}"


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.slug)
def test_every_chart_is_drawn_and_says_what_the_metric_says(
    signed_in: BrowserContext, superset: str, board: Board, compiler: Compiler
) -> None:
    seen = opened(signed_in, superset, board, DESK)
    try:
        assert seen.failures == []
        assert sorted(seen.answers) == sorted(chart.title for chart in board.charts)
        assert undrawn(seen.tab) == {}
        empty = [title for title, results in seen.answers.items() if not all(each["rowcount"] for each in results)]
        assert empty == []
        differing = [told for chart in board.charts for told in _differences(chart, seen, compiler)]
        assert differing == []
        assert any(chart.form == "number" for chart in board.charts)
    finally:
        seen.tab.close()


def _differences(chart: Chart, seen: Seen, compiler: Compiler) -> Iterator[str]:
    results = seen.answers[chart.title]
    if chart.metric is None or chart.form not in ("number", "bars"):
        return
    name = chart.metric.name
    first, last = days_of(results[0])
    by = (chart.by,) if chart.by else ()
    rows = ask(compiler, Question(chart.metric, by, "", first, last)).rows
    if chart.form == "number":
        ((expected,),) = rows
        (whole,) = (value for each in results[1]["data"] for value in each.values())
        if not is_close(whole, expected):
            yield f"{chart.name}: {whole}, and lake metric says {expected}"
        holder = seen.tab.locator(".dashboard-component-chart-holder").filter(has_text=chart.title)
        said = holder.locator(".header-line").first.inner_text()
        if said != written(Decimal(str(expected)), drawn.figure_format(chart.metric)):
            yield f"{chart.name}: {said} is shown of {expected}"
        return
    expected_by = {NAMELESS if value is None else str(value): figure for value, figure in rows}
    for row in results[0]["data"]:
        label = str(row[chart.by])
        figure = next(value for key, value in row.items() if key != chart.by)
        if not is_close(figure, expected_by[label]):
            yield f"{chart.name}, {label}: {figure}, and lake metric {name} says {expected_by[label]}"
    if len(results[0]["data"]) != min(chart.top, len(expected_by)):
        yield f"{chart.name}: {len(results[0]['data'])} bars of {len(expected_by)}"


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.slug)
def test_every_chart_is_drawn_on_a_phone(signed_in: BrowserContext, superset: str, board: Board) -> None:
    seen = opened(signed_in, superset, board, PHONE)
    try:
        assert seen.failures == []
        assert undrawn(seen.tab) == {}
        assert sorted(seen.answers) == sorted(chart.title for chart in board.charts)
        assert seen.tab.evaluate("() => document.documentElement.scrollWidth") <= PHONE[0], "it scrolls sideways"
    finally:
        seen.tab.close()


def test_the_viewer_looks_and_does_nothing_else(signed_in: BrowserContext, superset: str) -> None:
    """No SQL of one's own, no list of databases, no chart that no dashboard shows."""
    asked = signed_in.request
    assert asked.get(f"{superset}/api/v1/dashboard/").json()["count"] == len(BOARDS)
    for path in ("/api/v1/database/", "/api/v1/security/users/", "/sqllab/"):
        answer = asked.get(f"{superset}{path}", max_redirects=0)
        assert answer.status in (302, 401, 403, 404), f"{path}: {answer.status}"


def test_nobody_gets_in_without_a_password(superset: str) -> None:
    answer = httpx.get(f"{superset}/superset/dashboard/overview/", timeout=60)
    assert answer.status_code in (302, 401, 403) or "/login" in str(answer.url)
    data = httpx.get(f"{superset}/api/v1/dashboard/overview/charts", timeout=60)
    assert data.status_code in (401, 403, 404)


def test_what_is_declared_no_more_goes_and_what_people_made_stays(superset: str, tmp_path: Path) -> None:
    """As if a chart, with a dataset of its own, had been in boards.yml once."""
    once = shutil.copytree(bi.SOURCES, tmp_path / "superset")
    chart, dataset = (
        yaml.safe_load((once / "assets" / name).read_text("utf-8"))
        for name in ("charts/overview_number_revenue.yaml", "datasets/Shoplake/revenue.yaml")
    )
    dataset |= {"uuid": str(uuid.uuid5(uuid.NAMESPACE_URL, "dataset")), "table_name": "of_old"}
    chart |= {"uuid": str(uuid.uuid5(uuid.NAMESPACE_URL, "chart")), "slice_name": "Of old"}
    chart |= {"dataset_uuid": dataset["uuid"]}
    (once / "assets" / "charts" / "of_old.yaml").write_text(yaml.safe_dump(chart))
    (once / "assets" / "datasets" / "Shoplake" / "of_old.yaml").write_text(yaml.safe_dump(dataset))
    booted(once)
    with admin(superset) as asked:
        assert {"Of old", "Revenue"} < names(asked, "chart", "slice_name")
        assert "of_old" in names(asked, "dataset", "table_name")
        source = asked.get("/api/v1/dataset/").json()["result"][0]["id"]
        mine = {"slice_name": "Mine", "datasource_id": source, "datasource_type": "table", "viz_type": "table"}
        made = asked.post("/api/v1/chart/", json=mine).raise_for_status().json()["id"]
        try:
            before = names(asked, "chart", "slice_name") - {"Of old"}
            booted(bi.SOURCES)
            assert names(asked, "chart", "slice_name") == before > {"Mine", "Revenue"}
            assert "of_old" not in names(asked, "dataset", "table_name")
            assert len(names(asked, "dashboard", "slug")) == len(BOARDS)
        finally:
            asked.delete(f"/api/v1/chart/{made}")


def booted(folder: Path) -> None:
    """Let a folder like infra/superset be brought in."""
    command = (bi.python(), folder / "boot.py")
    subprocess.run(command, env=bi.command_environment(), check=True, timeout=bi.BOOT_SECONDS)


@contextmanager
def admin(superset: str) -> Iterator[httpx.Client]:
    """Superset's API, as the administrator."""
    config = settings()
    login = {"username": config.superset_admin, "password": config.superset_admin_password.get_secret_value()}
    with httpx.Client(base_url=superset, timeout=120, headers={"Referer": superset}) as client:
        token = client.post("/api/v1/security/login", json={**login, "provider": "db"}).raise_for_status().json()
        client.headers["Authorization"] = f"Bearer {token['access_token']}"
        client.headers["X-CSRFToken"] = client.get("/api/v1/security/csrf_token/").raise_for_status().json()["result"]
        yield client


def names(asked: httpx.Client, kind: str, column: str) -> set[str]:
    found = asked.get(f"/api/v1/{kind}/", params={"q": "(page_size:500)"}).raise_for_status().json()["result"]
    return {str(each[column]) for each in found}


@pytest.mark.parametrize("guide", ["metrics", "reports", "dashboards"])
def test_guides_are_for_whoever_is_signed_in(signed_in: BrowserContext, superset: str, guide: str) -> None:
    tab = signed_in.new_page()
    tab.set_viewport_size({"width": PHONE[0], "height": 800})
    tab.goto(f"{superset}/shoplake/docs/{guide}.md")
    assert tab.locator("h1").count() == 1
    assert tab.evaluate("() => document.documentElement.scrollWidth") <= PHONE[0], "it scrolls sideways"
    tab.close()
    refused = httpx.get(f"{superset}/shoplake/docs/{guide}.md", timeout=60)
    assert refused.status_code == 302 and "login" in refused.headers["location"]
    assert signed_in.request.get(f"{superset}/shoplake/docs/../../pyproject.toml").status == 404


def test_exported_files_are_those_that_were_brought_in(superset: str, tmp_path: Any) -> None:
    from infra.superset.exported import export
    from infra.superset.generate import files

    export(tmp_path)
    exported = {str(file.relative_to(tmp_path)): file.read_text("utf-8") for file in tmp_path.rglob("*.yaml")}
    assert exported == files(METRICS)
