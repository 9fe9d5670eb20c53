"""Airflow's logs go by age, and its database by its own command, which gets what a task's environment lacks."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lake.errors import ServiceError
from lake.maintenance import trim
from lake.settings import settings

NOW = datetime(2026, 7, 15, tzinfo=UTC)


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of logs, one of them old; the environment is that of a task."""
    for name, days in (("dag_id=a/run_id=old/1.log", 40), ("dag_id=a/run_id=new/1.log", 3)):
        file = tmp_path / name
        file.parent.mkdir(parents=True)
        file.write_text("words")
        at = (NOW - timedelta(days=days)).timestamp()
        os.utime(file, (at, at))
    monkeypatch.setenv(trim.LOGS, str(tmp_path))
    monkeypatch.setenv(trim.DATABASE, "airflow-db-not-allowed:///")
    return tmp_path


def ran(monkeypatch: pytest.MonkeyPatch, code: int = 0) -> list[tuple[list[str], dict[str, str]]]:
    """Takes the place of Airflow's command; what it was called with."""
    calls: list[tuple[list[str], dict[str, str]]] = []

    def run(command: list[str], env: dict[str, str], **options: Any) -> subprocess.CompletedProcess[str]:
        assert options["timeout"] == trim.CLEAN_SECONDS
        calls.append((command, env))
        return subprocess.CompletedProcess(command, code, "", "table log: locked")

    monkeypatch.setattr(trim.subprocess, "run", run)
    return calls


def test_old_logs_go_with_their_folders(logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = ran(monkeypatch)
    told, spans = trim.trim(NOW, is_dry=True)
    assert (told.kind, told.count, told.bytes) == ("logs", 1, 5)
    assert (spans.kind, spans.count) == ("spans", 0)
    assert not calls
    assert trim.trim(NOW) == [told, spans]
    assert [path.name for path in sorted((logs / "dag_id=a").iterdir())] == ["run_id=new"]
    ((command, environment),) = calls
    assert command[:5] == [sys.executable, "-m", "airflow", "db", "clean"]
    assert command[command.index("--clean-before-timestamp") + 1] == "2026-06-14T00:00:00+00:00"
    assert environment[trim.DATABASE].startswith("postgresql+psycopg2://airflow:")


def test_spans_go_when_opensearch_would_not_keep_them(
    logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran(monkeypatch)
    folder = tmp_path / "traces"
    folder.mkdir()
    monkeypatch.setattr(trim.span_folder, "folder", lambda: folder)
    kept = settings().kept_logs_days
    for name, days in (("spans-old.jsonl", kept + 1), ("spans-new.jsonl", kept - 1)):
        (folder / name).write_text("{}")
        at = (NOW - timedelta(days=days)).timestamp()
        os.utime(folder / name, (at, at))
    _, spans = trim.trim(NOW)
    assert (spans.kind, spans.count, spans.bytes) == ("spans", 1, 2)
    assert [file.name for file in folder.iterdir()] == ["spans-new.jsonl"]


def test_a_command_that_fails_says_why_and_no_log_goes(logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran(monkeypatch, code=1)
    with pytest.raises(ServiceError, match="table log: locked"):
        trim.trim(NOW)
    assert (logs / "dag_id=a/run_id=old/1.log").exists()
