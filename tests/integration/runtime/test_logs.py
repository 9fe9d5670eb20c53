"""The way of the logs, as `lake up` starts it: what is written into a file is found by `lake logs --search`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from lake.errors import ServiceError
from lake.observe.search import Asked, of_file, search
from lake.runtime import supervise
from lake.settings import PROJECT, settings
from tests.integration.runtime.conftest import soon

pytestmark = pytest.mark.thorough

AWAY_SECONDS = int(os.environ.get("LAKE_LOGS_AWAY_SECONDS", "15"))
"""How long OpenSearch is away; the promise is of 300, which takes as long."""

LINES_PER_SECOND = 200


@dataclass
class Writer:
    """A service that logs."""

    name: str
    file: Path
    written: int = 0

    def write(self, count: int, **fields: Any) -> None:
        with self.file.open("a") as stream:
            for number in range(self.written, self.written + count):
                line = {"timestamp": datetime.now(UTC).isoformat(), "level": "info", "event": f"line number{number}"}
                stream.write(json.dumps({**line, **fields}) + "\n")
        self.written += count

    def found(self, **only: str) -> int:
        return search(Asked(only={"service": self.name, **only}, most=1)).total


@pytest.fixture
def writer(logging: None) -> Iterator[Writer]:
    name = f"test-{uuid.uuid4().hex[:8]}"
    file = settings().home / "logs" / f"{name}.log"
    yield Writer(name, file)
    file.unlink(missing_ok=True)


def said(*arguments: str) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "lake.commands", "logs", *arguments]
    result = subprocess.run(command, cwd=PROJECT, env=dict(os.environ), check=True, capture_output=True, timeout=60)
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_line_is_found_by_its_words_its_run_and_its_service(writer: Writer) -> None:
    writer.write(3, run="run_of_a_test", table="orders")
    writer.write(1, level="error", event="the disk is full", exception="Traceback\nOSError: no space left on /data")
    soon(lambda: writer.found() == 4)
    newest = said("--search", '"disk is full"', "--service", writer.name, "--since", "10m")
    assert [each["event"] for each in newest] == ["the disk is full"]
    assert [each["event"] for each in said("--search", "OSError", "--service", writer.name)] == ["the disk is full"]
    assert [each["event"] for each in said("--run", "run_of_a_test", "--service", writer.name, "--lines", "2")] == [
        "line number1",
        "line number2",
    ]
    assert said("--search", "number1 | number2 -number2", "--table", "orders", "--service", writer.name)
    assert said("--search", "nowhere", "--service", writer.name) == []


READS = """
import json, sys
from task_logs import REMOTE_TASK_LOG
print(json.dumps(REMOTE_TASK_LOG.read(sys.argv[1], None)))
"""
"""As Airflow's page does for the log of a task, by the plug-in."""


def test_airflow_s_page_has_a_task_s_log_whose_file_is_gone(logging: None) -> None:
    base = settings().home / "data" / "airflow" / "logs"
    path = f"dag_id=some_dag/run_id=manual__{uuid.uuid4().hex}/task_id=clean/map_index=3/attempt=1.log"
    environment = {
        **os.environ,
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(base),
        "PYTHONPATH": f"{PROJECT}:{PROJECT}/infra/airflow/plugins",
    }

    def read() -> tuple[list[str], list[str] | None]:
        command = [sys.executable, "-c", READS, path]
        result = subprocess.run(command, env=environment, check=True, capture_output=True, timeout=60)
        sources, told = json.loads(result.stdout.splitlines()[-1])
        return sources, told

    assert read() == (["neither its file is here, nor has OpenSearch lines of it"], None)
    file = base / path
    file.parent.mkdir(parents=True)
    lines = [
        {"timestamp": f"2026-11-26T05:20:0{second}.5Z", "level": "info", "event": f"step {second}", "table": "orders"}
        for second in (1, 2)
    ]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    soon(lambda: of_file(path).total == 2)
    assert read() == ([], None)
    file.unlink()
    sources, told = read()
    assert sources == ["OpenSearch, which has 2 lines of it"]
    shown = [json.loads(line) for line in (told or [""])[0].splitlines()]
    assert [(line["event"], line["table"]) for line in shown] == [("step 1", "orders"), ("step 2", "orders")]


def test_nothing_is_lost_while_opensearch_is_away(writer: Writer) -> None:
    """Under load, counted at both ends; and nothing is there twice."""
    writer.write(100)
    soon(lambda: writer.found() == 100)
    ended = threading.Event()

    def load() -> None:
        while not ended.wait(1):
            writer.write(LINES_PER_SECOND)

    thread = threading.Thread(target=load)
    thread.start()
    try:
        os.kill(supervise.processes()["opensearch"].pid or 0, 9)
        supervise.stop_process("opensearch")
        with pytest.raises(ServiceError, match="does not answer"):
            writer.found()
        time.sleep(AWAY_SECONDS)
        supervise.start_process("opensearch")
        time.sleep(5)
    finally:
        ended.set()
        thread.join()
    assert writer.written > AWAY_SECONDS * LINES_PER_SECOND // 2

    def is_all_there() -> bool:
        try:
            return writer.found() >= writer.written
        except ServiceError:
            return False

    soon(is_all_there, 180)
    time.sleep(5)
    assert writer.found() == writer.written


def test_an_index_is_followed_by_a_new_one_and_goes(writer: Writer) -> None:
    url = settings().opensearch_url
    writer.write(1)
    soon(lambda: writer.found() == 1)
    before = httpx.get(f"{url}/_alias/logs", timeout=10).json()
    httpx.post(f"{url}/logs/_rollover", timeout=30).raise_for_status()
    writer.write(1)
    soon(lambda: writer.found() == 2)
    after = httpx.get(f"{url}/_alias/logs", timeout=10).json()
    (new,) = after.keys() - before.keys()
    assert after[new]["aliases"]["logs"]["is_write_index"] is True
    mapping = httpx.get(f"{url}/{new}/_mapping", timeout=10).json()[new]["mappings"]
    assert mapping["properties"]["run"]["type"] == "keyword" and mapping["dynamic"] == "false"
    httpx.delete(f"{url}/{min(before)}", timeout=30).raise_for_status()
    assert writer.found() <= 2
