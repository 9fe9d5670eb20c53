"""A lake of its own over the running services: another state directory and another folder of contracts."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def own_lake(platform: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Folder of a lake that knows no source but the shop, and has no contract."""
    from lake.settings import settings

    settings.cache_clear()
    for file in settings().home.glob("*.env"):
        shutil.copy(file, tmp_path)
    monkeypatch.setenv("LAKE_TRINO_CA_FILE", str(settings().trino_ca))
    monkeypatch.setenv("LAKE_HOME", str(tmp_path))
    monkeypatch.setenv("LAKE_CONTRACTS", str(tmp_path / "contracts"))
    settings.cache_clear()
    yield tmp_path
    monkeypatch.undo()
    settings.cache_clear()
