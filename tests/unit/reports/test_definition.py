"""Report definitions: what a file may say, and how a mistake in it is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from lake.errors import LakeError
from lake.reports import definition

GOOD = """
name: sales
title: Sales
description: How it goes.
currency: EUR
figures:
  - {name: revenue, title: Revenue, kind: line, query: SELECT $as_of}
"""


def test_the_business_report_is_well_formed() -> None:
    assert definition.names() == ["business"]
    kinds = [figure.kind for figure in definition.load("business").figures]
    assert kinds == ["tiles", "line", "bar", "bar", "heatmap", "table", "table", "table"]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("kind: line", "kind: pie", "figures.0.kind: Input should be 'tiles'"),
        ("$as_of", "$today", "figures.0.query: Value error, the only parameter is $as_of, not today"),
        ("currency: EUR", "", "currency: Field required"),
        ("name: sales", "name: other", "holds the report 'other'"),
        ("figures:", "figures: [", "is not YAML"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, old: str, new: str, told: str) -> None:
    (tmp_path / "sales.yml").write_text(GOOD.replace(old, new, 1))
    with pytest.raises(LakeError) as caught:
        definition.load("sales", tmp_path)
    assert "sales.yml" in caught.value.what
    assert told in caught.value.what
    assert caught.value.fix


def test_an_unknown_report_is_told_which_there_are() -> None:
    with pytest.raises(LakeError, match="reports are: business"):
        definition.load("sales")
