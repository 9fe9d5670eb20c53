"""What the collector hands on, as documents.

It speaks OTLP/HTTP in JSON: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding. All of it are records of
logs, for it reads nothing but files; the body of one that it has marked with ``signal=span`` is a line of spans.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lake.observe.shipping import otlp, records, spans
from lake.observe.shipping.document import Document, Kind

log = logging.getLogger(__name__)

SIGNAL = "signal"


@dataclass(frozen=True)
class HandedOn:
    """The documents of a request, by kind, and how many lines of each there are that make none."""

    documents: dict[Kind, list[Document]] = field(default_factory=dict)
    refused: Counter[Kind] = field(default_factory=Counter)


def read(request: Mapping[str, Any]) -> HandedOn:
    """The lines and spans of one request.

    Raises:
        ValueError: it is no such request.
    """
    found = HandedOn()
    try:
        for record in _records(request):
            if _signal(record) != "span":
                found.documents.setdefault("logs", []).append(records.document(record))
                continue
            try:
                found.documents.setdefault("spans", []).extend(spans.documents(otlp.value(record["body"])))
            except ValueError as error:  # of a line that was cut off when the disk was full, say
                log.warning("a line that is no span: %s", error)
                found.refused["spans"] += 1
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"this is no OTLP request with logs: {type(error).__name__}: {error}") from error
    return found


def _records(request: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for resource in request["resourceLogs"]:
        for scope in resource["scopeLogs"]:
            yield from scope["logRecords"]


def _signal(record: Mapping[str, Any]) -> Any:
    return next((otlp.value(each["value"]) for each in record.get("attributes", ()) if each["key"] == SIGNAL), None)
