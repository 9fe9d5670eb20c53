"""The way of the spans, as `lake up` starts it: what a process says in its spans is found by `lake trace`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import uuid
from typing import Any

import pytest

from lake.errors import LakeError
from lake.logs.span_folder import folder
from lake.observe.traces.find import find
from lake.observe.traces.tree import tree
from lake.settings import PROJECT
from tests.integration.runtime.conftest import soon

pytestmark = pytest.mark.thorough

TRACED = textwrap.dedent(
    """
    import sys
    from opentelemetry import trace
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from lake import tracing
    from lake.logs.span_files import FileSpans
    provider = TracerProvider(resource=Resource({"service.name": "airflow"}))
    provider.add_span_processor(BatchSpanProcessor(FileSpans()))
    trace.set_tracer_provider(provider)
    with trace.get_tracer("airflow").start_as_current_span("worker.extract"):
        tracing.note({"shoplake.run": sys.argv[1]})
        with tracing.several("read tables", service="mariadb") as told:
            for number in range(60):
                told.add(f"t{number}", 10**18, 10**18 + (number + 1) * 10**9)
        try:
            with tracing.span("commit"):
                raise ValueError("no such branch")
        except ValueError:
            pass
    provider.shutdown()
    """
)


@pytest.fixture
def run(logging: None) -> str:
    """Id of a run of which a process has told, among lines of nonsense."""
    run = f"run_{uuid.uuid4().hex[:8]}"
    folder().mkdir(parents=True, exist_ok=True)
    (folder() / f"spans-{run}.jsonl").write_text('{"resourceSpans": [{"scope\n\nno json\n')
    subprocess.run([sys.executable, "-c", TRACED, run], cwd=PROJECT, env=dict(os.environ), check=True, timeout=60)
    return run


def test_what_a_process_says_in_its_spans_is_found_by_its_run(run: str) -> None:
    def is_there() -> bool:
        try:
            return len(find(run).spans) == 53
        except LakeError:
            return False

    soon(is_there)
    root = tree(find(run).spans)
    assert (root.name, root.service) == ("worker.extract", "airflow")
    read, commit = sorted(root.children, key=lambda each: each.name, reverse=True)
    assert {each.name for each in read.children} == {f"t{number}" for number in range(10, 60)}
    assert read.fields["rest"]["shoplake.left_out"] == 10
    assert (commit.status, commit.message) == ("error", "ValueError: no such branch")
    assert said("trace", run)["trace_id"] == said("trace", find(run).trace_id)["trace_id"] == find(run).trace_id


def said(*arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "lake.commands", *arguments, "--json"]
    result = subprocess.run(command, cwd=PROJECT, env=dict(os.environ), check=True, capture_output=True, timeout=120)
    found: dict[str, Any] = json.loads(result.stdout)
    return found
