"""``lake alerts``: what a rule comes to on a day, when rules fired, and a chart that is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from pyarrow import fs
from typer.testing import CliRunner

from lake.alerts import chart, history
from lake.alerts.finding import Finding, State
from lake.alerts.rules import QueryRule, load
from lake.commands import printing
from lake.commands.main import app
from lake.errors import LakeError
from lake.platform import sql, storage
from lake.settings import settings

RULES = """
rules:
  - name: sales
    description: Too few.
    severity: critical
    query: SELECT sold AS value, usual AS reference FROM marts.made_up WHERE day < $as_of
    condition: {min_ratio: 0.5}
"""

Command = Callable[..., Result]


@pytest.fixture
def alerts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Command]:
    """The command, with a rule of its own, a folder for an object store, and room for a line."""
    (tmp_path / "rules.yml").write_text(RULES)
    monkeypatch.setenv("LAKE_ALERT_RULES", str(tmp_path / "rules.yml"))
    monkeypatch.setenv("LAKE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    settings.cache_clear()
    for place in (history.PLACE, f"{chart.PLACE}/r1"):
        (tmp_path / storage.path_of(place)).mkdir(parents=True)
    store = fs.SubTreeFileSystem(str(tmp_path), fs.LocalFileSystem())
    monkeypatch.setattr(storage, "filesystem", lambda: store)
    monkeypatch.setattr(printing.console, "width", 250)
    yield lambda *arguments: CliRunner().invoke(app, ["alerts", *arguments], catch_exceptions=True)
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the lake is asked, which always answers 40 beside 100."""
    found: list[str] = []

    def rows(query: str, catalog: str) -> list[dict[str, Any]]:
        found.append(query)
        return [{"value": Decimal(40), "reference": Decimal(100)}]

    monkeypatch.setattr(sql, "rows", rows)
    return found


def refused(result: Result) -> LakeError:
    assert isinstance(result.exception, LakeError), result.output
    return result.exception


def test_a_rule_is_tried_on_a_day(alerts: Command, asked: list[str]) -> None:
    said = alerts("test", "sales", "--at", "2026-11-24")
    assert said.exit_code == 0, said.exception
    assert said.stdout == "firing   40 should be at least 50 (0.5 times the reference 100)\n"
    # The day after is the first that is not over.
    assert asked == ["SELECT sold AS value, usual AS reference FROM marts.made_up WHERE day < DATE '2026-11-25'"]


def test_a_rule_is_tried_on_yesterday(alerts: Command, asked: list[str]) -> None:
    before = datetime.now(UTC).date()
    alerts("test", "sales")
    days = {f"DATE '{before}'", f"DATE '{before + timedelta(days=1)}'"}
    assert any(asked[0].endswith(day) for day in days), asked


def test_what_is_no_rule_or_no_day_is_named(alerts: Command, asked: list[str]) -> None:
    wrong = refused(alerts("test", "sale"))
    assert "there is no rule 'sale' in " in wrong.what
    assert "sales" in wrong.fix
    assert "--at 'monday' is not a day" in refused(alerts("test", "sales", "--at", "monday")).what
    assert asked == []


def keep(run_id: str, days_ago: int, state: State) -> None:
    [rule] = load(settings().alert_rules)
    assert isinstance(rule, QueryRule)
    finding = Finding(rule, state, f"[bold] {run_id}", Decimal(1))
    history.keep([finding], run_id, datetime.now(UTC) - timedelta(days=days_ago))


def test_when_rules_fired(alerts: Command) -> None:
    assert alerts("history").stdout == "No rule fired in the last 30 days; they were evaluated at 0 receipts.\n"
    keep("r1", 40, "firing")
    keep("r2", 9, "firing")
    keep("r3", 8, "holds")
    keep("r4", 2, "firing")
    head, *lines = [line.split() for line in alerts("history").stdout.splitlines()]
    assert head == ["rule", "segment", "since", "(UTC)", "until", "what", "why"]
    now = datetime.now(UTC)
    assert [(line[1], line[3:]) for line in lines] == [
        (f"{now - timedelta(days=2):%Y-%m-%d}", ["now", "[bold]", "r4"]),
        (f"{now - timedelta(days=9):%Y-%m-%d}", [*f"{now - timedelta(days=8):%Y-%m-%d %H:%M}".split(), "[bold]", "r2"]),
    ]
    assert len(alerts("history", "--days", "60").stdout.splitlines()) == 3, "r1 goes on until it holds, at r3"


def test_a_chart_is_fetched_from_where_it_is_kept(alerts: Command, tmp_path: Path) -> None:
    place = f"{chart.PLACE}/r1/sales.png"
    storage.put(place, b"picture", chart.PNG)
    said = alerts("chart", place)
    file = tmp_path / "home" / "reports" / "alert-charts" / "r1" / "sales.png"
    assert said.stdout == f"file     {file}\n"
    assert file.read_bytes() == b"picture"
    for elsewhere in (place.replace("r1", "r2"), "s3://receipts/x", f"{chart.PLACE}/../alerts/x"):
        assert f"nothing is kept at {elsewhere!r}" in refused(alerts("chart", elsewhere)).what
