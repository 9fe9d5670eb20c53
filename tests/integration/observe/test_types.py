"""The dashboards and Grafana's own TypeScript types."""

from __future__ import annotations

import shutil
from typing import Any

import pytest

from infra.grafana import typed
from infra.grafana.write import made


@pytest.fixture(autouse=True)
def npm() -> None:
    if shutil.which("npm") is None:
        pytest.skip("missing part: npm is not on this machine")


def test_every_dashboard_fits() -> None:
    assert typed.problems(made()) == ""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"options": {"graphMode": "curve"}}, """Type '"curve"' is not assignable to type"""),
        ({"gridPos": {"x": 0, "y": 0, "w": "wide", "h": 4}}, "Type 'string' is not assignable to type 'number'"),
        ({"tilte": "Up"}, '"tilte"'),
    ],
)
def test_what_does_not_fit_is_named(change: dict[str, Any], said: str) -> None:
    overview = made()["shoplake-overview.json"]
    panel = next(each for each in overview["panels"] if each["type"] == "stat")
    panel |= change
    assert said in typed.problems({"overview": overview})
