"""Every panel's expression, asked of a Prometheus: of the made-up day, and of a platform after a run."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from lake.observe.dashboards import Dashboard, dashboards
from lake.settings import PROJECT, settings
from tests.integration.observe.conftest import ask
from tests.parts import part

Answer = Callable[[str], list[object]]

NOT_EVERYWHERE = {
    # Orders of this very minute and day: the shop of a test does not live.
    "shoplake-overview: Revenue today",
    "shoplake-overview: Orders a minute",
    "shoplake-business: How does revenue of today grow?",
    # What nobody has refused or verified, what grew for a day, what failed: not in a lake that is well and minutes old.
    "shoplake-lake: Which tables were not verified for longest?",
    "shoplake-lake: Which tables grow fastest?",
    "shoplake-lake: How fast does it grow?",
    "shoplake-lake: Drift",
    "shoplake-lake: Why are rows refused?",
    "shoplake-pipeline: Which errors are there?",
}
"""Panels that may have nothing to show after one run, and then say why."""

PATIENCE_SECONDS = 1500
"""A mean of an hour is known from the second event on, and the watch alone runs by schedule, every ten minutes."""


def panels() -> list[tuple[Dashboard, dict[str, Any]]]:
    return [
        (dashboard, panel)
        for dashboard in dashboards().values()
        for panel in dashboard.model["panels"]
        if panel["type"] != "row"
    ]


def filled(expr: str) -> str:
    for variable, value in (("$__rate_interval", "2m"), ("$__interval", "2m"), ("$__range", "6h")):
        expr = expr.replace(variable, value)
    for variable in ("$source", "$server", "$role", "$dag_id"):
        expr = expr.replace(variable, ".*")
    return expr


def empty_panels(answer: Answer) -> set[str]:
    """Panels none of whose expressions has an answer, but for those that say that this is well."""
    return {
        f"{dashboard.uid}: {panel['title']}"
        for dashboard, panel in panels()
        if not panel["fieldConfig"]["defaults"].get("noValue")
        and not any(answer(filled(target["expr"])) for target in panel["targets"])
    }


def test_every_panel_has_data_of_a_made_up_day(made_up: str) -> None:
    assert empty_panels(lambda expr: ask(made_up, expr)) == set()


def test_every_expression_has_data_of_a_made_up_day(made_up: str) -> None:
    """Not only one of a panel's: each."""
    silent = {
        target["expr"]
        for _, panel in panels()
        if not panel["fieldConfig"]["defaults"].get("noValue")
        for target in panel["targets"]
        if not ask(made_up, filled(target["expr"]))
    }
    assert silent == set()


@pytest.mark.slow
def test_every_panel_has_data_of_a_platform_after_a_run(platform: None) -> None:
    """With `LAKE_TEST_HOME` the platform that is up is asked as it is; it must have had a run."""
    part("prometheus")
    if not os.environ.get("LAKE_TEST_HOME"):
        _lake("up", "observe")
        _lake("shop", "load")
        _lake("run")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (empty := empty_panels(lambda expr: ask(settings().prometheus_url, expr)) - NOT_EVERYWHERE) and (
        time.monotonic() < deadline
    ):
        time.sleep(15)
    assert empty == set()


def _lake(*arguments: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "lake.commands", *arguments],
        cwd=PROJECT,
        check=True,
        timeout=1800,
        start_new_session=True,
    )
