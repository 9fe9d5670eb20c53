"""Sets up the tracer of the API's process: its spans go where those of runs go (docs/tracing.md)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter

from lake.settings import settings

SERVICE = "api"


@contextmanager
def spans() -> Iterator[None]:
    """Keep spans for the length of the block; what is left of them at its end is written."""
    exporter = _exporter()
    if exporter is None:
        yield
        return
    provider = TracerProvider(resource=Resource.create({"service.name": SERVICE}))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    try:
        yield
    finally:
        provider.shutdown()


def _exporter() -> SpanExporter | None:
    match settings().traces:
        case "files":
            from lake.logs.span_files import FileSpans

            return FileSpans()
        case "otlp":
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

            return OTLPSpanExporter()
        case _:
            return None
