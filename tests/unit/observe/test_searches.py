"""Searches that have a name: what their file holds, and what becomes of one that is asked for more."""

from __future__ import annotations

from pathlib import Path

import pytest

from lake.errors import LakeError
from lake.observe.search import Asked
from lake.observe.searches import search_named, searches


def test_each_says_what_it_is_for_and_asks_for_something() -> None:
    for each in searches().values():
        assert each.title and each.about.endswith("."), each.name
        assert each.text or each.only, each.name


def test_one_is_made_narrower() -> None:
    asked = Asked("disk", {"run": "r1", "level": "", "service": "trino"}, most=5)
    narrow = search_named("held").narrowed(asked)
    assert narrow.text == '("held back") + (disk)'
    assert narrow.only == {"service": "trino", "run": "r1"}
    assert narrow.most == 5
    assert search_named("errors").narrowed(Asked()).only == {"level": ("error", "critical")}


def test_a_name_that_is_mistyped() -> None:
    with pytest.raises(
        LakeError, match=r"no saved search 'eror'; there are errors, [^\n]*\n  -> did you mean errors\?"
    ):
        search_named("eror")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[search]]\nname = "a"\ntitle = "A"\nabout = "b"\nservise = ["x"]\n', "servise"),
        ('[[search]]\nname = "a"\n', "title"),
        ("[[search]\n", "does not hold searches"),
        ("", "'search'"),
        ('[[search]]\nname = "a"\ntitle = "A"\nabout = "b"\n' * 2, "several searches named a"),
    ],
)
def test_a_file_that_is_wrong_says_where(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "searches.toml").write_text(text)
    with pytest.raises(LakeError, match=said):
        searches(tmp_path / "searches.toml")
