"""A tracer of its own for each test, beside that of the process, of which there can be but one."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from lake.tracing import spans

Spans = Callable[[], dict[str, ReadableSpan]]


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> Iterator[Spans]:
    """Work below a span ``task``, as code does that Airflow runs; gives the spans that have ended, by name."""
    provider, exporter = TracerProvider(), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(spans, "tracer", provider.get_tracer(spans.SCOPE))
    with provider.get_tracer("airflow").start_as_current_span("task"):
        yield lambda: {each.name: each for each in exporter.get_finished_spans()}
