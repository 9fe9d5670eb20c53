"""What a service reads when it starts belongs to what it is: when that changes, it is another."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lake.runtime.service import Service
from lake.runtime.services import services
from lake.settings import PROJECT, settings

INFRA = PROJECT / "infra"


def _service(folder: Path, *reads: Path) -> Service:
    return Service("a", "", (), ("true",), lambda: None, folder, env={"PORT": "1"}, reads=reads)


def test_a_file_that_changes_changes_the_environment(tmp_path: Path) -> None:
    (tmp_path / "catalog").mkdir()
    deep = tmp_path / "catalog" / "lake.properties"
    deep.write_text("a=1")
    service = _service(tmp_path, tmp_path)
    before = service.full_environment
    assert service.full_environment == before and before["PORT"] == "1"
    deep.write_text("a=2")
    assert service.full_environment != before
    deep.write_text("a=1")
    assert service.full_environment == before
    deep.rename(tmp_path / "catalog" / "other.properties")
    assert service.full_environment != before


def test_one_that_reads_nothing_has_its_environment_alone(tmp_path: Path) -> None:
    assert _service(tmp_path).full_environment == {"PORT": "1"}


@pytest.mark.parametrize("server", ["mariadb", "mysql"])
def test_whoever_is_started_with_a_file_of_ours_says_that_it_reads_it(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAKE_HOME", str(tmp_path))
    monkeypatch.setenv("LAKE_SHOP_SERVER", server)
    settings.cache_clear()
    unsaid = [
        (service.name, file)
        for service in services().values()
        for file in re.findall(rf"{re.escape(str(INFRA))}/[^\s,]+", " ".join(service.command))
        if not any(Path(file).is_relative_to(read) for read in service.reads)
    ]
    settings.cache_clear()
    assert unsaid == []
