"""The log of a task, as Airflow's own code writes it in the process that watches over the task."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from dotenv import dotenv_values

from lake.settings import PROJECT

SECRET = "sesame-open-now"

WRITES = """
import airflow.settings
from airflow.sdk.execution_time import supervisor

log, file = supervisor._configure_logging("dag_id=a/attempt=1.log", None)
log.info("from the watcher sesame-open-now", blob="x" * 10_000_000)
# What the task's own process sends, a line at a time.
task = supervisor.process_log_messages_from_subprocess((log,))
next(task)
line = b'{"timestamp":"2026-11-26T03:47:26.962980Z","level":"info","event":"%s","run":"r1","source":"shop"}'
task.send(line % b"from the task sesame-open-now")
task.send(b'{"level":"error","event":"failed","exception":[{"exc_type":"E","exc_value":"sesame-open-now","frames":[]}]}')
printed = supervisor.forward_to_log((log,), logger="task.stdout", level=20)
next(printed)
printed.send(b"printed \\xff sesame-open-now")
file.flush()
"""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The lines of a task's log, with Airflow set up as it is everywhere."""
    folder = tmp_path_factory.mktemp("airflow")
    own = {
        "AIRFLOW_HOME": folder / "home",
        "AIRFLOW__CORE__PLUGINS_FOLDER": PROJECT / "infra" / "airflow" / "plugins",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{folder}/airflow.db",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": folder / "logs",
        "LAKE_HOME": folder / "lake",
        "LAKE_SOURCE_PASSWORD": SECRET,
        "PYTHONPATH": PROJECT,
    }
    static = {name: value or "" for name, value in dotenv_values(PROJECT / "infra/airflow/airflow.env").items()}
    subprocess.run(
        [sys.executable, "-c", WRITES],
        env={**os.environ, **static, **{name: str(value) for name, value in own.items()}},
        check=True,
        capture_output=True,
        timeout=120,
    )
    text = (folder / "logs" / "dag_id=a" / "attempt=1.log").read_text()
    assert SECRET not in text
    return [json.loads(line) for line in text.splitlines()]


def test_it_holds_no_secret_and_what_the_steps_have_bound(written: list[dict[str, Any]]) -> None:
    assert [line["event"] for line in written] == [
        "from the watcher ***",
        "from the task ***",
        "failed",
        "printed � ***",
    ]
    assert (written[1]["run"], written[1]["source"]) == ("r1", "shop")


def test_an_error_keeps_its_form_for_those_who_read_its_class(written: list[dict[str, Any]]) -> None:
    assert written[2]["error_detail"] == [{"exc_type": "E", "exc_value": "***", "frames": []}]


def test_a_long_line_is_cut(written: list[dict[str, Any]]) -> None:
    assert written[0]["cut_characters"] == 10_000_000 - 32 * 1024
    assert len(written[0]["blob"]) < 33 * 1024
