"""Airflow is told of its pools when there is something new to tell: each time takes seconds."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lake.errors import ServiceError
from lake.runtime import pools
from lake.settings import settings

TAKES = 'import sys, pathlib; pathlib.Path(sys.argv[3] + ".told").write_text(" ".join(sys.argv[1:3]))'
REFUSES = 'import sys; sys.exit("no database")'


@pytest.fixture(autouse=True)
def sized(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LAKE_SPARK_SLOTS", "7")
    settings.cache_clear()
    yield
    monkeypatch.undo()
    settings.cache_clear()


def _ensure(folder: Path, airflow: str) -> bool:
    """Whether Airflow was told."""
    told = folder / "pools.new.json.told"
    told.unlink(missing_ok=True)
    pools.ensure(folder / "pools.json", [sys.executable, "-c", airflow], {})
    return told.exists() and told.read_text() == "pools import"


def test_pools_are_made_once_and_again_when_their_size_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert json.loads(pools.wanted())["spark"]["slots"] == 7
    assert _ensure(tmp_path, TAKES)
    assert not _ensure(tmp_path, TAKES)
    monkeypatch.setenv("LAKE_SPARK_SLOTS", "8")
    settings.cache_clear()
    assert _ensure(tmp_path, TAKES)


def test_what_airflow_refused_is_told_to_it_again(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="pools could not be made:\nno database"):
        _ensure(tmp_path, REFUSES)
    assert _ensure(tmp_path, TAKES)
