"""Prometheus' rules: promtool takes them, each alert has its two cases and its runbook, and the cases hold."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from lake.alerts import kinds
from lake.runtime.artifacts import artifacts
from lake.settings import PROJECT

PROMETHEUS = PROJECT / "infra" / "prometheus"
RULES = sorted((PROMETHEUS / "rules").glob("*.yml"))
CASES = sorted((PROMETHEUS / "tests").glob("*.yml"))
HEADINGS = ["What it means", "What is affected", "Look", "Do", "How it ends"]


def _rules() -> list[dict[str, Any]]:
    return [rule for file in RULES for group in yaml.safe_load(file.read_text())["groups"] for rule in group["rules"]]


ALERTS = {rule["alert"]: rule for rule in _rules() if "alert" in rule}
assert len(ALERTS) > 20
PAGES = sorted((PROJECT / "docs" / "runbooks").glob("*.md"))


@pytest.fixture(scope="module")
def promtool() -> Path:
    """The program of the pinned Prometheus."""
    part = artifacts()["prometheus"]
    if not part.is_installed:
        pytest.skip("missing part: prometheus is not installed; `make setup` says why")
    return part.folder / "usr" / "bin" / "promtool"


def _ask(promtool: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [promtool, *arguments], capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL, check=False
    )


def test_promtool_takes_the_rules(promtool: Path) -> None:
    said = _ask(promtool, "check", "rules", "--lint-fatal", *RULES)
    assert said.returncode == 0, said.stdout + said.stderr
    assert said.stdout.count("SUCCESS") == len(RULES)


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
def test_each_case_comes_out_as_written(promtool: Path, file: Path) -> None:
    said = _ask(promtool, "test", "rules", file)
    assert said.returncode == 0, said.stdout + said.stderr
    assert "SUCCESS" in said.stdout


def test_every_alert_has_a_case_that_fires_and_one_that_does_not() -> None:
    fires: set[str] = set()
    silent: set[str] = set()
    for file in CASES:
        document = yaml.safe_load(file.read_text())
        assert document["rule_files"] == [f"../rules/{file.name}"]
        for case in document["tests"]:
            assert case["input_series"], case["name"]
            (name,) = {asked["alertname"] for asked in case["alert_rule_test"]}
            assert case["name"].startswith(f"{name}: ")
            is_told = [bool(asked["exp_alerts"]) for asked in case["alert_rule_test"]]
            (fires if any(is_told) else silent).add(name)
            # Where it has to last, it is silent before.
            assert not any(is_told) or not ALERTS[name].get("for") or is_told == [False, True], case["name"]
    assert fires == silent == set(ALERTS)


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_what_is_wrong_what_to_do_and_where_to_read_on(name: str) -> None:
    rule = ALERTS[name]
    assert set(rule["labels"]) == {"severity", "team"}
    assert rule["labels"]["severity"] in ("critical", "warning") or name == "Watchdog"
    assert set(rule["annotations"]) == {"summary", "way_out", "runbook"}
    assert (PROJECT / rule["annotations"]["runbook"]).is_file()
    names_the_thing = "{{ $labels." in rule["annotations"]["summary"]
    assert names_the_thing or name in ("ChecksFailing", "Watchdog"), "of which there is one"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_runbook_has_its_parts_and_its_links_lead_somewhere(page: Path) -> None:
    text = page.read_text()
    assert text.startswith(f"# {page.stem}\n")
    parts = dict(zip(re.findall(r"^## (.*)$", text, re.M), re.split(r"^## .*$", text, flags=re.M)[1:], strict=True))
    assert list(parts) == HEADINGS
    assert all(part.strip() for part in parts.values())
    for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
        assert (page.parent / link).is_file(), link


def test_no_runbook_is_of_an_alert_that_is_not_there() -> None:
    of_ours = {Path(kinds.runbook(name)).stem for name in [*kinds.KINDS, "any_rule"]}
    of_prometheus = {Path(rule["annotations"]["runbook"]).stem for rule in ALERTS.values()}
    assert {page.stem for page in PAGES} == of_ours | of_prometheus
