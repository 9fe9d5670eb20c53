"""The dashboards as a person sees them, in headless Chromium: at a desk and on a phone, by day and by night."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from lake.observe.dashboards import dashboards
from lake.settings import settings
from tests import played
from tests.integration.alerts.conftest import free_port
from tests.integration.observe.conftest import Page
from tests.played import LINE, OpenSearch

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Route
    from playwright.sync_api import Page as Tab

UIDS = list(dashboards())
DESK, PHONE = (1440, 900), (390, 844)
DAY, NIGHT = (DESK, "light"), (PHONE, "dark")
LOOKS = [
    *((uid, *(DAY, NIGHT)[place % 2]) for place, uid in enumerate(UIDS)),
    *(pytest.param(uid, *(NIGHT, DAY)[place % 2], marks=pytest.mark.thorough) for place, uid in enumerate(UIDS)),
    *((UIDS[0], size, scheme) for size, scheme in ((DESK, "dark"), (PHONE, "light"))),
]
"""Every dashboard at a desk by day and on a phone by night; the first one the other way round as well."""


@contextmanager
def opened(browser: Browser, url: str, size: tuple[int, int] = DESK, scheme: str = "light") -> Iterator[Tab]:
    """A page when all of its panels have their answers; an error in it fails the test."""
    troubles: list[str] = []
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme="dark" if scheme == "dark" else "light"
    )
    tab = context.new_page()
    tab.on("pageerror", lambda error: troubles.append(str(error)))
    tab.on("console", lambda said: troubles.append(said.text) if said.type == "error" else None)
    tab.on("requestfailed", lambda request: troubles.append(f"{request.url}: {request.failure}"))
    try:
        tab.goto(url)
        answered(tab, 1)
        yield tab
        assert troubles == []
    finally:
        context.close()


def answered(tab: Tab, times: int) -> None:
    """Wait until all panels were asked so often."""
    for each in range(1, times + 1):
        tab.wait_for_selector(f"body[data-asked]:not([data-asked='{each - 1}'])", timeout=60_000)


def states(tab: Tab) -> dict[str, str]:
    """How each panel is, by its title, with what it says."""
    found = tab.eval_on_selector_all(
        ".panel",
        "all => all.map(each => [each.dataset.title, each.dataset.state + ': ' + "
        "(each.querySelector('.said')?.textContent ?? '')])",
    )
    return dict(found)


def blank(tab: Tab) -> list[str]:
    """Titles of panels that say they have drawn, and show nothing: no word, or no ink in the colour of a series."""
    found: list[str] = tab.eval_on_selector_all(
        ".panel[data-state=drawn]",
        """all => all.filter(each => {
          const body = each.querySelector(".body");
          const box = body.getBoundingClientRect();
          if (box.height < 40 || box.width < 80) return true;
          const canvas = each.querySelector(".plot canvas");
          if (!canvas) return !body.textContent.trim();
          const hues = [...each.querySelectorAll(".legend i")].map(mark =>
            mark.style.background.match(/\\d+/g).map(Number));
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          const near = (hue, at) => hue.every((value, part) => Math.abs(value - data[at + part]) < 25);
          for (let at = 0; at < data.length; at += 4) {
            if (data[at + 3] > 150 && hues.some(hue => near(hue, at))) return false;
          }
          return true;
        }).map(each => each.dataset.title)""",
    )
    return found


# -- every dashboard
@pytest.mark.parametrize(
    ("uid", "size", "scheme"), LOOKS, ids=lambda value: f"{value[0]} px" if isinstance(value, tuple) else value
)
def test_every_panel_is_drawn(browser: Browser, page: str, uid: str, size: tuple[int, int], scheme: str) -> None:
    with opened(browser, f"{page}/d/{uid}", size, scheme) as tab:
        found = states(tab)
        assert len(found) == sum(panel["type"] != "row" for panel in dashboards()[uid].model["panels"])
        assert {title: state for title, state in found.items() if not re.match("drawn|fine", state)} == {}
        assert blank(tab) == []
        assert tab.evaluate("() => document.documentElement.scrollWidth") <= size[0], "it scrolls sideways"
        assert not tab.is_visible("#trouble")


def test_dashboards_lead_to_each_other_and_to_other_pages(browser: Browser, page: str) -> None:
    with opened(browser, f"{page}/d/shoplake-overview?from=now-1h&to=now") as tab:
        hrefs = tab.eval_on_selector_all("#boards a", "all => all.map(each => each.getAttribute('href'))")
        assert hrefs == [*(f"/d/{uid}?from=now-1h&to=now" for uid in UIDS), "/logs", "/docs/monitoring.md"]
        assert tab.locator("#links a").all_inner_texts() == ["Prometheus", "Alertmanager", "Airflow", "Trino"]
        tab.click("[data-title='Age of the lake'] a.more")
        tab.wait_for_selector("#boards a[aria-current]:has-text('Lake')")
        assert "from=now-1h" in tab.url


@pytest.mark.parametrize(("size", "scheme"), [(DESK, "light"), (PHONE, "dark")], ids=["desk", "phone"])
def test_an_alert_leads_to_its_runbook(browser: Browser, page: str, size: tuple[int, int], scheme: str) -> None:
    with opened(browser, f"{page}/d/shoplake-overview", size, scheme) as tab:
        tab.click("[data-title='Which alerts fire?'] a:has-text('TableHeld')")
        tab.wait_for_selector("article h1:has-text('TableHeld')")
        answered(tab, 1)
        assert tab.evaluate("() => document.documentElement.scrollWidth") <= size[0], "it scrolls sideways"


def test_a_panel_tells_what_it_means_and_leads_to_prometheus(browser: Browser, page: str) -> None:
    with opened(browser, f"{page}/d/shoplake-overview") as tab:
        panel = tab.locator("[data-title='Stale tables']")
        panel.locator("button.info").click()
        assert "further back than their limit" in panel.locator(".about").inner_text()
        assert "/graph?g0.expr=count" in (panel.locator(".about a").get_attribute("href") or "")


# -- what a person chooses
def test_another_time_is_asked_for_and_stands_in_the_address(browser: Browser, page: str) -> None:
    with opened(browser, f"{page}/d/shoplake-host") as tab:
        with tab.expect_request(lambda request: "query_range" in request.url) as asked:
            tab.select_option("#range", "now-1h")
        form = dict(pair.split("=") for pair in (asked.value.post_data or "").split("&"))
        assert 3400 < int(form["end"]) - int(form["start"]) <= 3600
        assert "from=now-1h" in tab.url


def test_a_source_is_chosen_and_only_it_is_shown(browser: Browser, page: str) -> None:
    with opened(browser, f"{page}/d/shoplake-replication") as tab:
        panel = tab.locator("[data-title='Does it apply?']")
        assert panel.locator("small").all_inner_texts() == ["crm", "shop"]
        tab.locator("#choices option[value=crm]").wait_for(state="attached")
        tab.select_option("#choices select", "crm")
        panel.locator(".figure").nth(1).wait_for(state="detached")
        assert panel.locator("small").all_inner_texts() == ["crm"]
        assert "var-source=crm" in tab.url


def test_it_asks_again_by_itself(browser: Browser, page: str) -> None:
    with opened(browser, f"{page}/d/shoplake-airflow?refresh=10s") as tab:
        tab.wait_for_selector("body[data-asked='2']", timeout=60_000)


def test_a_table_is_sorted_filtered_and_turned(browser: Browser, page: str) -> None:
    with opened(browser, f"{page}/d/shoplake-lake") as tab:
        panel = tab.locator("[data-title='Which tables are oldest?']")
        names = panel.locator("tbody td:nth-child(2)")
        first = names.all_inner_texts()
        panel.get_by_label("Next page").click()
        assert set(names.all_inner_texts()).isdisjoint(first)
        panel.locator("thead button", has_text="Table").click()
        panel.get_by_label("Page before").click()
        assert names.all_inner_texts() == sorted(names.all_inner_texts())
        panel.get_by_role("searchbox").fill("coupon")
        assert names.all_inner_texts() == ["coupon_redemptions", "coupons"]


# -- when something is missing
def test_a_panel_without_data_says_why(browser: Browser, page: str) -> None:
    a_year_ago = "from=1600000000000&to=1600003600000"
    with opened(browser, f"{page}/d/shoplake-database?{a_year_ago}") as tab:
        found = states(tab)
        assert {state.split(":")[0] for state in found.values()} == {"empty"}
        assert found["Threads at work"] == (
            "empty: Prometheus does not look at the part “mysql” at this time."
            "There is no mysql_global_status_threads_running."
        )


def test_nothing_known_is_not_shown_as_nothing_wrong(browser: Browser, page: str) -> None:
    """A table that says "none known" where all is well, and a count of what is none."""
    with opened(browser, f"{page}/d/shoplake-overview?from=1600000000000&to=1600003600000") as tab:
        found = states(tab)
        assert {state.split(":")[0] for state in found.values()} == {"empty"}
        assert found["Which alerts fire?"].startswith("empty: Prometheus does not look at")


def test_what_could_not_be_collected_is_not_taken_for_none(browser: Browser, page: str) -> None:
    """The exporter answers, and could not ask Airflow which tasks are at work."""
    failing = {"metric": {"collector": "airflow"}, "value": [0, "0"]}

    def answer(route: Route) -> None:
        asked = route.request.post_data or ""
        if "shoplake_task_running_seconds" in asked:
            route.fulfill(json={"status": "success", "data": {"resultType": "vector", "result": []}})
        elif "shoplake_exporter_up+%3D%3D+0" in asked:
            route.fulfill(json={"status": "success", "data": {"resultType": "vector", "result": [failing]}})
        else:
            route.continue_()

    with opened(browser, f"{page}/d/shoplake-pipeline") as tab:
        tab.route("**/api/v1/query", answer)
        tab.click("#again")
        tab.wait_for_selector("[data-title='Which tasks are at work?'][data-state=empty]")
        assert states(tab)["Which tasks are at work?"] == (
            "empty: The lake's exporter could not collect airflow.There is no shoplake_task_running_seconds."
        )


def test_a_prometheus_that_is_away_is_told_once_and_in_every_panel(browser: Browser) -> None:
    with Page(f"http://127.0.0.1:{free_port()}") as url:
        context = browser.new_context()
        tab = context.new_page()
        tab.goto(f"{url}/d/shoplake-overview")
        answered(tab, 1)
        assert "Prometheus does not answer" in tab.inner_text("#trouble")
        assert all("cannot be asked" in state for state in states(tab).values())
        context.close()


# -- the logs
STRANGE = {**LINE, "event": "<script>alert(1)</script> " + "x" * 5_000, "error": "Traceback\n  OSError: <b>no</b>"}


@pytest.fixture
def logs(page: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenSearch]:
    """What the page of the logs asks."""
    with played.opensearch() as server:
        server.lines, server.total, server.values = [STRANGE, LINE], 300, ["trino", "spark"]
        monkeypatch.setenv("LAKE_OPENSEARCH_PORT", str(server.server_port))
        settings.cache_clear()
        yield server
    settings.cache_clear()


@pytest.mark.parametrize(("size", "scheme"), [(DESK, "light"), (PHONE, "dark")], ids=["desk", "phone"])
def test_lines_are_looked_for_and_opened(
    browser: Browser, page: str, logs: OpenSearch, size: tuple[int, int], scheme: str
) -> None:
    with opened(browser, f"{page}/logs?saved=errors", size, scheme) as tab:
        assert tab.locator("#saved [aria-current]").inner_text() == "Errors"
        assert tab.locator("#lines li").count() == 2
        assert "300 lines" in tab.inner_text("#told")
        tab.locator("#lines summary").first.click()
        assert "OSError: <b>no</b>" in tab.inner_text("#lines dl")
        assert tab.evaluate("() => document.documentElement.scrollWidth") <= size[0], "it scrolls sideways"
        tab.fill("#text", "disk")
        tab.locator("#asked [name=service] option[value=spark]").wait_for(state="attached")
        tab.select_option("#asked [name=service]", "spark")
        tab.click("#asked button")
        answered(tab, 2)
        assert "text=disk" in tab.url and "service=spark" in tab.url
        asked = next(each for each in reversed(logs.asked) if each["size"])["query"]["bool"]
        assert {"terms": {"service": ["spark"]}} in asked["filter"]
        assert {"terms": {"level": ["error", "critical"]}} in asked["filter"]


def test_more_lines_are_asked_for(browser: Browser, page: str, logs: OpenSearch) -> None:
    with opened(browser, f"{page}/logs") as tab:
        tab.click("#more button")
        answered(tab, 2)
        assert max(each["size"] for each in logs.asked) == 1000
