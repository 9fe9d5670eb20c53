"""Spans go to files, as logs do: a task does not wait for who takes them on, and what nobody has taken is not lost.

A line is a request of OTLP in JSON (https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/) with one span.
All processes append to the file of the day; each line is one write to a file that is opened for appending, which Linux
does at its end and in one piece. (OpenTelemetry's own exporter to files keeps the stream open and writes through a
buffer of 8 KB, so that lines of several processes would end up in each other.)

It stands here and not beside what makes spans, because Airflow's scheduler loads it, and with it this package alone:
tasks, which are forked from it, shall read everything else anew.

Airflow loads it by the name under which the package registers it (``OTEL_TRACES_EXPORTER=shoplake_file``). Who would
have spans sent elsewhere names another one there, as OpenTelemetry's own variables have it.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from opentelemetry.exporter.otlp.json.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from lake.logs.safe import redact
from lake.logs.span_folder import ENDING, folder

log = logging.getLogger(__name__)

LARGEST_MIB = 256
"""Of a day's file: a hundred times what a run over 2,000 tables each hour writes. What is more is not kept."""

_TOLD = ("name", "attributes", "events", "status")
"""What of a span may hold a secret; an id may not be touched."""


class FileSpans(SpanExporter):
    """Appends spans to the file of the day (UTC)."""

    def __init__(self) -> None:
        self._is_broken = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Write some spans; whatever is wrong with the disk is logged once, and stops nobody."""
        try:
            _append(folder() / f"spans-{datetime.now(UTC):%Y-%m-%d}{ENDING}", [_line(each) for each in spans])
        except OSError as error:
            if not self._is_broken:
                log.warning("spans are not kept: %s", error)
            self._is_broken = True
            return SpanExportResult.FAILURE
        self._is_broken = False
        return SpanExportResult.SUCCESS


def _append(file: Path, lines: Sequence[bytes]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    # Opened each time: a process may be forked, and outlive the day.
    written = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        if os.fstat(written).st_size > LARGEST_MIB << 20:
            raise OSError(f"{file} has more than {LARGEST_MIB} MiB")
        for line in lines:
            os.write(written, line)
    finally:
        os.close(written)


def _line(span: ReadableSpan) -> bytes:
    request: dict[str, Any] = encode_spans([span]).to_dict()
    for resource in request["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            scope["spans"] = [each | redact(None, "", _part(each)) for each in scope["spans"]]
    return (json.dumps(request, ensure_ascii=False, separators=(",", ":")) + "\n").encode("utf-8", "replace")


def _part(span: dict[str, Any]) -> dict[str, Any]:
    return {name: span[name] for name in _TOLD if name in span}
