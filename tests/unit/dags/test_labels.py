"""Labels of mapped tasks: short whatever they hold."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

# Airflow puts the folder of its DAG files on the path; so does this.
sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "dags"))
from labels import LONGEST, label


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("shop", "shop"),
        (["customers"], "customers"),
        ([], "no tables"),
        (["customers", "orders"], "2 tables: customers, orders"),
        ([f"table_{number:02}" for number in range(72)], "72 tables: table_00, table_01, table_02, table_03, …"),
        ("Größe" * 40, "Größe" * 11 + "Größ…"),
        (["a" * 200], "a" * 59 + "…"),
        (["a" * 200, "b"], "2 tables: " + "a" * 49 + "…"),
        (["a" * 38, "b" * 9], "2 tables: " + "a" * 38 + ", " + "b" * 9),
    ],
)
def test_a_label(names: str | list[str], expected: str) -> None:
    assert label(names) == expected
    assert 0 < len(expected) <= LONGEST


def test_what_is_counted_can_be_said() -> None:
    assert label(["a", "b", "c"], "reports") == "3 reports: a, b, c"
