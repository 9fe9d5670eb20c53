"""Every alert that is shipped is struck, stands on the page, and has a runbook; shortened rules are the rules."""

from __future__ import annotations

import re
from typing import Any

import promql_parser as promql
import pytest
import yaml

from lake.runtime import receivers, scrape
from lake.settings import PROJECT
from tests.stress import shorten
from tests.stress.catalogue import PAGE, ROWS, Shown, page, written


def _rules() -> list[dict[str, Any]]:
    files = (yaml.safe_load(file.read_text()) for file in sorted(scrape.RULES.glob("*.yml")))
    return [rule for document in files for group in document["groups"] for rule in group["rules"]]


ALERTS = {rule["alert"]: rule for rule in _rules() if "alert" in rule}
assert len(ALERTS) > 20


def test_every_alert_that_is_shipped_is_struck() -> None:
    assert set(ROWS) == set(ALERTS)


def test_the_page_has_a_row_for_every_alert_as_it_is_struck_now() -> None:
    rows = written(PAGE.read_text())
    assert list(rows) == list(ROWS)
    for name, row in rows.items():
        assert row.startswith(f"| `{name}` | {ROWS[name].fault} |"), "`make stress` writes it anew"
        assert f" | {ROWS[name].receiver} | " in row


def test_the_page_was_written_by_runs_in_which_all_were_heard_of() -> None:
    for name, row in written(PAGE.read_text()).items():
        assert re.search(r"\| \d+ \| \d+ \| \w+ \| yes \| \d+ \|$", row), name


@pytest.mark.parametrize("name", ROWS)
def test_a_struck_alert_has_a_runbook(name: str) -> None:
    assert (PROJECT / ALERTS[name]["annotations"]["runbook"]).is_file()


def test_a_run_writes_what_it_has_struck_and_leaves_the_rest() -> None:
    text = PAGE.read_text()
    once = page(text, {"HostDown": Shown(1, 2, 3), "DiskFull": Shown(4, 5, 6)})
    again = page(once, {"DiskFull": Shown(problems=("was not heard of",))})
    assert written(again)["HostDown"].endswith("| 1 | 2 | page | yes | 3 |")
    assert "**was not heard of**" in written(again)["DiskFull"]
    assert again.partition("<!--")[0] == text.partition("<!--")[0]
    assert again.rpartition("-->")[2] == text.rpartition("-->")[2]


@pytest.mark.parametrize("rule", _rules(), ids=lambda rule: rule.get("alert") or rule["record"])
def test_a_shortened_expression_differs_in_its_durations_alone(rule: dict[str, Any]) -> None:
    shipped = promql.parse(rule["expr"]).prettify()
    short = shorten.expression(rule["expr"])
    assert promql.parse(shorten.expression(short, 1 / shorten.FACTOR)).prettify() == shipped
    durations = r"\[[0-9a-z:]+\]|offset [0-9a-z]+"
    assert (short != shipped) == bool(re.search(durations, shipped))
    assert _flat(re.sub(durations, "", short)) == _flat(re.sub(durations, "", shipped))


def _flat(text: str) -> str:
    """Without line breaks, which depend on the length of a line."""
    return re.sub(r"\s", "", text)


def test_ranges_offsets_and_subqueries_are_shortened() -> None:
    text = "max_over_time(rate(x[5m] offset 1h)[30m:1m] offset 15m) > 300"
    assert _flat(shorten.expression(text)) == _flat("max_over_time((rate(x[30s] offset 6m))[3m:6s] offset 1m30s) > 300")
    assert shorten.duration("10s") == "1s"


def test_rules_routes_and_scrapes_are_shortened_as_a_whole() -> None:
    document = shorten.rules({"groups": [{"rules": [dict(ALERTS["ReplicaStopped"])]}]})
    (rule,) = document["groups"][0]["rules"]
    assert rule == {**ALERTS["ReplicaStopped"], "for": "12s"}

    route = yaml.safe_load(receivers.BASE.read_text())["route"]
    shorten.routes(route)
    assert (route["group_wait"], route["group_interval"], route["repeat_interval"]) == ("1s", "6s", "1h12m")
    assert route["routes"][0]["group_interval"] == "6s"

    document = yaml.safe_load(scrape.BASE.read_text())
    shorten.scrapes(document)
    lake = next(job for job in document["scrape_configs"] if job["job_name"] == "lake")
    assert document["global"]["evaluation_interval"] == "1s500ms"
    assert (lake["scrape_interval"], lake["scrape_timeout"]) == ("3s", "3s")
