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
    assert definition.names() == ["business", "daily", "monthly", "weekly"]
    kinds = [figure.kind for figure in definition.load("business").figures]
    assert kinds == ["tiles", "line", "bar", "bar", "heatmap", "table", "table", "table"]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("kind: line", "kind: lines", "sales.yml:7: figures.0: there is no kind 'lines'; did you mean line?"),
        (
            "kind: line",
            "kind: line, unit: mony",
            "sales.yml:7: figures.0.unit: 'mony' is none of them; did you mean mone",
        ),
        ("title: Revenue", "titel: Revenue", "sales.yml:7: figures.0.titel: it has no 'titel'; did you mean title?"),
        ("$as_of", "$today", "sales.yml:7: figures.0.query: the only parameter is $as_of, not today"),
        ("currency: EUR", "", "sales.yml:1: currency: Field required"),
        (
            "currency: EUR",
            "currency: EUR\nperiod: moth",
            "sales.yml:6: period: 'moth' is none of them; did you mean month?",
        ),
        (
            "currency: EUR",
            "currency: EUR\nowner: finanse",
            "sales.yml:6: owner: 'finanse' is none of them; did you mean finance?",
        ),
        ("name: sales", "name: other", "sales.yml:2: holds the report 'other'; name it 'sales', like its file"),
        ("kind: line, query: SELECT $as_of", "kind: trend, metric: revenue", "shows metrics: name the report's period"),
        ("figures:", "figures: [", "sales.yml:7: not YAML"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, old: str, new: str, told: str) -> None:
    (tmp_path / "sales.yml").write_text(GOOD.replace(old, new, 1))
    with pytest.raises(LakeError) as caught:
        definition.load("sales", tmp_path)
    assert told in caught.value.what
    assert caught.value.fix


def test_an_unknown_report_is_told_which_there_are() -> None:
    with pytest.raises(LakeError, match="reports are: business"):
        definition.load("sales")
