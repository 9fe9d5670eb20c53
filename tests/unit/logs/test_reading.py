"""How a log is shown to people."""

from __future__ import annotations

import json

import pytest

from lake.logs import readable


def test_a_line_reads_as_text_with_its_fields_behind() -> None:
    line = {"timestamp": "2026-11-26T03:47:26Z", "level": "info", "logger": "lake.x", "event": "5 rows", "run": "r1"}
    assert readable(json.dumps(line)) == "2026-11-26T03:47:26Z [info] 5 rows (lake.x) run=r1"


def test_a_traceback_keeps_its_lines() -> None:
    line = {"level": "error", "event": "failed", "exception": "Traceback:\n  here", "error_detail": [{"a": 1}]}
    assert readable(json.dumps(line)) == '[error] failed error_detail=[{"a": 1}]\nTraceback:\n  here'


@pytest.mark.parametrize(
    "line", ["", "plain text", '{"event": 5}', '{"no": "event"}', "[1, 2]", '{"event": "cut', "5", '"event"']
)
def test_what_is_no_line_of_ours_stays_as_it_is(line: str) -> None:
    assert readable(line) == line
