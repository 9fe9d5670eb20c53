"""Spans as documents.

Of a span's attributes those become fields that ``infra/opensearch/spans/template.json`` knows; the others are kept and
not searched.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from lake.observe.shipping.document import Document
from lake.observe.shipping.otlp import attributes as named_values
from lake.observe.shipping.otlp import bounded, instant
from lake.observe.shipping.runs import run_of
from lake.tracing import names
from lake.tracing.spans import SCOPE

FIELDS = {
    names.RUN: "run",
    names.SOURCE: "source",
    names.TABLE: "table",
    "airflow.dag_id": "dag",
    "airflow.dag_run.run_id": "dag_run",
    "airflow.task_id": "task",
    "airflow.task_instance.try_number": "try",
}
"""Attributes that a document has as fields of these names."""

STATUS = ("unset", "ok", "error")
"""By OTLP's numbers."""

TRACE, SPAN = re.compile(r"[0-9a-f]{32}"), re.compile(r"[0-9a-f]{16}")
LATEST = 4_102_444_800_000_000_000
"""Nanoseconds since 1970: of the year 2100, behind which only nonsense lies."""


def documents(line: Any) -> Iterator[Document]:
    """The spans of one line of a file.

    Raises:
        ValueError: it holds something else, or a span that is none.
    """
    try:
        found = []
        for resource in json.loads(line)["resourceSpans"]:
            service = named_values(resource.get("resource", {}).get("attributes", ())).get("service.name", "")
            for scope in resource["scopeSpans"]:
                is_ours = scope.get("scope", {}).get("name") == SCOPE
                found += [_document(each, SCOPE if is_ours else str(service)) for each in scope["spans"]]
    except (LookupError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error
    yield from found


def _document(span: Mapping[str, Any], service: str) -> Document:
    trace_id, span_id, parent = _id(span, "traceId", TRACE), _id(span, "spanId", SPAN), span.get("parentSpanId")
    started, ended = int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])
    if not 0 < started <= LATEST or not 0 < ended <= LATEST:
        raise ValueError(f"span {span_id} is from {started} to {ended} ns since 1970")
    attributes = named_values(span.get("attributes", ()))
    status = span.get("status") or {}
    fields: dict[str, Any] = {
        "timestamp": instant(started),
        "ended": instant(ended),
        # The clock may have jumped.
        "seconds": max(ended - started, 0) / 1e9,
        "trace_id": trace_id,
        "span_id": span_id,
        "name": str(span["name"]),
        "service": str(attributes.pop(names.SERVICE, service)),
        "status": STATUS[int(status.get("code") or 0)],
    }
    fields |= {"parent_id": _id(span, "parentSpanId", SPAN)} if parent else {}
    fields |= {"message": str(status["message"])} if status.get("message") else {}
    fields |= {field: attributes.pop(name) for name, field in FIELDS.items() if attributes.get(name) not in (None, "")}
    if "run" not in fields and (run := run_of(fields.get("dag"), fields.get("dag_run"))):
        fields["run"] = run
    events = [{"name": each.get("name"), **named_values(each.get("attributes", ()))} for each in span.get("events", ())]
    rest = attributes | ({"events": events} if events else {})
    fields |= {"rest": bounded(rest)} if rest else {}
    # With its start, for Airflow gives the span of each try of a task the same id.
    return Document(f"{trace_id}-{span_id}-{started:x}", fields)


def _id(span: Mapping[str, Any], name: str, form: re.Pattern[str]) -> str:
    text = str(span[name]).lower()
    if not form.fullmatch(text) or not int(text, 16):
        raise ValueError(f"{name} is {text!r}")
    return text
