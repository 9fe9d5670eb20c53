"""A rule of the shop that names what there is not is refused with its place and the nearest name."""

from __future__ import annotations

from pathlib import Path

import pytest

from lake.metrics import definitions
from lake.observe.lint import shop_rules
from lake.settings import settings


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "metric: revenue",
            "metric: revenu",
            "rule revenue_of_yesterday: there is no metric 'revenu'; did you mean revenue?",
        ),
        (
            "by: department",
            "by: departments",
            "rule department_falls: metric revenue has no dimension 'departments'; did you mean department?",
        ),
        (
            "metric: sessions",
            "metric: customers",
            "rule sessions_missing: metric customers cannot be judged day by day",
        ),
    ],
)
def test_a_wrong_name(tmp_path: Path, old: str, new: str, told: str) -> None:
    text = settings().alert_rules.read_text()
    file = tmp_path / "rules.yml"
    file.write_text(text.replace(old, new, 1))
    [problem] = shop_rules.check(file, definitions.load())
    assert str(problem).startswith(f"{file}:")
    assert "metric:" in file.read_text().splitlines()[problem.line - 1]
    assert told in problem.what


def test_the_rules_that_come_with_the_lake_are_sound() -> None:
    assert list(shop_rules.check(settings().alert_rules, definitions.load())) == []
