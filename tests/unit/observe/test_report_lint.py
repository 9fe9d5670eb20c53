"""A report that names what there is not is refused with line and nearest name, by `make lint` and when it is made."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lake.errors import LakeError
from lake.metrics import definitions
from lake.observe.lint import of_reports
from lake.reports import measured, subscriptions
from lake.reports.definition import DEFINITIONS, load
from lake.settings import PROJECT

SALES = """name: sales
title: Sales
description: How it goes.
currency: EUR
period: week
figures:
  - name: headline
    title: The week
    kind: metrics
    metrics:
      - revenue
      - orders
  - {name: by_channel, title: By channel, kind: breakdown, metric: revenue, by: channel}
"""


@pytest.mark.parametrize(
    ("old", "new", "line", "told"),
    [
        ("- orders", "- oders", 12, "figure headline: there is no metric 'oders'; did you mean orders?"),
        (
            "metric: revenue",
            "metric: revenu",
            13,
            "figure by_channel: there is no metric 'revenu'; did you mean revenue?",
        ),
        ("by: channel", "by: chanel", 13, "metric revenue has no dimension 'chanel'; did you mean channel?"),
        ("- orders", "- churn_rate", 12, "figure headline: metric churn_rate is known by month, not by week"),
    ],
)
def test_a_name_that_there_is_not(
    tmp_path: Path, metrics: definitions.Metrics, old: str, new: str, line: int, told: str
) -> None:
    file = tmp_path / "sales.yml"
    file.write_text(SALES)
    assert list(of_reports.check(tmp_path, metrics)) == []
    file.write_text(SALES.replace(old, new))
    [problem] = of_reports.check(tmp_path, metrics)
    assert str(problem).startswith(f"{file}:{line}: report sales: ")
    assert problem.what.endswith(told)

    with pytest.raises(LakeError) as caught:
        measured.check(load("sales", tmp_path), metrics, tmp_path)
    assert caught.value.what.startswith(f"{file}:{line}: ")
    assert told in caught.value.what


def test_a_mistake_of_shape_has_its_line_too(tmp_path: Path, metrics: definitions.Metrics) -> None:
    (tmp_path / "sales.yml").write_text(SALES.replace("period: week", "period: wek"))
    [problem] = of_reports.check(tmp_path, metrics)
    assert (problem.line, problem.what) == (5, "report sales: period: 'wek' is none of them; did you mean week?")


def test_the_reports_that_come_with_the_lake_are_sound(metrics: definitions.Metrics) -> None:
    assert list(of_reports.check(DEFINITIONS, metrics)) == []


def test_the_report_and_the_subscriptions_of_the_documentation_are_sound(
    tmp_path: Path, metrics: definitions.Metrics
) -> None:
    web, subscribed = re.findall(r"```yaml\n(.*?)```", (PROJECT / "docs" / "reports.md").read_text(), re.DOTALL)
    (tmp_path / "web.yml").write_text(web)
    measured.check(load("web", tmp_path), metrics, tmp_path)
    (tmp_path / "subscriptions.yml").write_text(subscribed)
    told = [(one.report, one.every) for one in subscriptions.load(tmp_path / "subscriptions.yml")]
    assert told == [("daily", "day"), ("weekly", "week"), ("monthly", "month")]
