"""What is wrong with the dashboards: what is stale, is not PromQL, or asks for what nobody serves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from infra.grafana.expressions import asked, filled
from infra.grafana.write import FOLDER, made, stale
from lake.observe.lint import promql, rules
from lake.observe.lint.known import Known
from lake.settings import PROJECT

BOARDS = Path(__file__).parent / "boards"


def problems() -> list[str]:
    """One line each, with the place and the way out."""
    old = [f"{FOLDER / name}: is not what infra/grafana/boards makes -> python -m infra.grafana" for name in stale()]
    names = rules.served(PROJECT)
    return [*old, *(problem for dashboard in made().values() for problem in _of(dashboard, names))]


def _of(dashboard: dict[str, Any], names: Known) -> Iterator[str]:
    for question in asked(dashboard):
        _, said = promql.check(filled(question.expr), names)
        for each in said:
            yield f"{_place(question.dashboard, question.panel)}: {question.panel}: {each}"


def _place(dashboard: str, panel: str) -> str:
    """File and line where a panel begins: where its title stands, in the dashboard's own module."""
    own = BOARDS / f"{dashboard.removeprefix('shoplake-')}.py"
    for number, line in enumerate(own.read_text().splitlines(), start=1):
        if f'"{panel}"' in line:
            return f"{own}:{number}"
    return str(own)
