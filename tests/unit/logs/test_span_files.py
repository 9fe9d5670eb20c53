"""Spans in files: whole lines from however many processes, without secrets, and nobody stopped by a disk."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult

from lake.logs import span_files
from lake.logs.span_files import FileSpans
from lake.settings import settings

PROCESSES, SPANS = 4, 50


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(span_files, "folder", lambda: tmp_path / "traces")
    return tmp_path / "traces"


def told(folder: Path) -> Iterator[dict[str, Any]]:
    """The spans in the files."""
    for file in sorted(folder.iterdir()):
        for line in file.read_text().splitlines():
            (resource,) = json.loads(line)["resourceSpans"]
            (scope,) = resource["scopeSpans"]
            yield from scope["spans"]


def provider() -> TracerProvider:
    found = TracerProvider()
    found.add_span_processor(SimpleSpanProcessor(FileSpans()))
    return found


def work(number: int) -> None:
    tracer = provider().get_tracer("lake")
    for each in range(SPANS):
        # Longer than what is written at once through a buffer.
        tracer.start_span(f"{number}-{each}", attributes={"text": "x" * 20_000}).end()


def test_airflow_finds_it_by_its_name() -> None:
    (found,) = entry_points(group="opentelemetry_traces_exporter", name="shoplake_file")
    assert found.load() is FileSpans


def test_several_processes_write_whole_lines_into_one_file(folder: Path) -> None:
    forks = multiprocessing.get_context("fork")
    processes = [forks.Process(target=work, args=(number,)) for number in range(PROCESSES)]
    for each in processes:
        each.start()
    for each in processes:
        each.join(60)
    assert len([*folder.iterdir()]) == 1
    assert {each["name"] for each in told(folder)} == {
        f"{one}-{two}" for one in range(PROCESSES) for two in range(SPANS)
    }


def test_no_secret_is_in_a_span_whoever_made_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings(), "alert_smtp_password", type(settings().s3_secret_key)("geheim-5"))
    with pytest.raises(ValueError), provider().get_tracer("airflow").start_as_current_span("geheim-5") as span:
        span.set_attributes({"address": "mysql://u:pass5@h/x", "listed": ["a", "geheim-5"], "count": 5})
        raise ValueError("it was geheim-5")
    text = "".join(file.read_text() for file in folder.iterdir())
    assert "geheim" not in text and "pass5" not in text
    (one,) = told(folder)
    assert {"key": "address", "value": {"stringValue": "mysql://u:***@h/x"}} in one["attributes"]
    assert {"key": "count", "value": {"intValue": "5"}} in one["attributes"]
    listed = {"values": [{"stringValue": "a"}, {"stringValue": "***"}]}
    assert {"key": "listed", "value": {"arrayValue": listed}} in one["attributes"]
    assert len(one["traceId"]) == 32 and one["status"]["message"] == "ValueError: it was ***"


def test_a_disk_that_takes_nothing_stops_nobody_and_is_told_once(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder.write_text("a file where the folder should be")
    exporter = FileSpans()
    assert [exporter.export([]) for _ in range(3)] == [SpanExportResult.FAILURE] * 3
    assert len(caplog.records) == 1
    folder.unlink()
    assert exporter.export([]) is SpanExportResult.SUCCESS


def test_a_day_s_file_does_not_grow_for_ever(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(span_files, "LARGEST_MIB", 0)
    tracer = provider().get_tracer("lake")
    for number in range(5):
        tracer.start_span(str(number)).end()
    assert [each["name"] for each in told(folder)] == ["0"]
