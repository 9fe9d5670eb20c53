"""The lineage of a checkout is read once."""

from __future__ import annotations

from pathlib import Path

import pytest

from lake.lineage import queries, remembered
from lake.lineage.model import Made, lake_table
from lake.settings import settings

KNOWN = {lake_table("raw", "t"): ("a", "b")}
MADE = [queries.read(lake_table("marts", "m"), "dbt.m", "select sum(a) as x, 1 as y from raw.t group by b", KNOWN)]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(settings(), "home", tmp_path / "state")
    return tmp_path / "state" / "lineage.json"


def _unread() -> list[Made]:
    raise AssertionError("it was read again")


def test_it_comes_back_as_it_was_read(file: Path) -> None:
    assert remembered.made("now", lambda: MADE) == MADE
    assert remembered.made("now", _unread) == MADE


def test_that_of_something_else_is_read_anew(file: Path) -> None:
    remembered.made("before", lambda: [])
    assert remembered.made("now", lambda: MADE) == MADE
    assert remembered.made("now", _unread) == MADE


def test_a_broken_file_is_read_anew_and_mended(file: Path) -> None:
    file.parent.mkdir()
    file.write_bytes(b"\x00 broken")
    assert remembered.made("now", lambda: MADE) == MADE
    assert remembered.made("now", _unread) == MADE


def test_a_folder_that_cannot_be_written_hinders_nobody(file: Path) -> None:
    file.parent.write_text("a file where the folder should be")
    assert remembered.made("now", lambda: MADE) == MADE
