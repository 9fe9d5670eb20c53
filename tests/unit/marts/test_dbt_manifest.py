"""The dbt project is parsed once, and what was parsed serves every run's catalog."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lake.layers import dbt_manifest, marts


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A state folder, the same for all tests: to parse the project takes seconds."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dbt_manifest, "settings", lambda: SimpleNamespace(home=folder))
        yield folder


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The dbt commands that were run."""
    called, run = [], marts._called

    def noting(command: list[str], *arguments: Any) -> Any:
        called.append(" ".join(word for word in command if word in ("parse", "compile")))
        return run(command, *arguments)

    monkeypatch.setattr(marts, "_called", noting)
    return called


def test_a_second_command_does_not_parse_and_compiles_the_same(home: Path, commands: list[str]) -> None:
    shutil.rmtree(home / "dbt", ignore_errors=True)
    first, second = (marts.compiled(home / name) for name in ("first", "second"))
    assert commands == ["parse", "compile", "compile"]
    assert first == second
    assert '"main"."curated"."fct_orders"' in {model.name: model.query for model in second}["daily_revenue"]


def test_a_run_has_every_table_in_its_own_catalog(home: Path) -> None:
    marts.compiled(home / "target")
    found = dbt_manifest.manifest(marts.DBT, "run_7", parse=_never)
    nodes = [*found.nodes.values(), *found.sources.values()]
    assert {node.database for node in nodes} == {"run_7"}
    assert {node.relation_name.split(".")[0] for node in nodes if node.relation_name} == {'"run_7"'}


@pytest.mark.thorough
def test_what_was_remembered_by_half_is_parsed_anew(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    marts.compiled(home / "target")
    (remembered,) = (home / "dbt").glob("*.msgpack")
    whole = remembered.read_bytes()
    remembered.write_bytes(whole[:1000])
    assert dbt_manifest.manifest(marts.DBT, "run_7", parse=lambda: dbt_manifest.Parsed(whole, b"{}")).nodes
    assert "parsed anew" in caplog.text
    assert remembered.read_bytes() == whole


def test_the_metrics_are_asked_for_without_parsing_again(home: Path, commands: list[str]) -> None:
    shutil.rmtree(home / "dbt", ignore_errors=True)
    marts.compiled(home / "target")
    commands.clear()
    metrics = json.loads(marts.semantic_manifest(home / "metrics"))["metrics"]
    assert "revenue" in {metric["name"] for metric in metrics}
    assert commands == []


@pytest.mark.parametrize(
    "edit",
    [
        lambda project: (project / "models" / "marts" / "sales" / "daily_revenue.sql").write_text("select 1 as x"),
        lambda project: (project / "models" / "another.sql").write_text("select 1 as x"),
        lambda project: (project / "profiles.yml").unlink(),
    ],
    ids=["a model", "a new model", "the profile"],
)
def test_an_edited_project_is_another(tmp_path: Path, edit: Callable[[Path], object]) -> None:
    project = Path(shutil.copytree(marts.DBT, tmp_path / "dbt"))
    before = dbt_manifest.fingerprint(project)
    assert before == dbt_manifest.fingerprint(marts.DBT)
    edit(project)
    assert dbt_manifest.fingerprint(project) != before


def _never() -> bytes:
    raise AssertionError("the project was parsed")
