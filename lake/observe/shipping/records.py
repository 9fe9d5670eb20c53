"""What the collector hands on, as documents.

It speaks OTLP/HTTP in JSON: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding. Of a record's attributes
those become fields that ``infra/opensearch/logs/template.json`` knows; the others are kept and not searched.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lake.run import PREFIX, run_id_of

FIELDS = {
    "service": "service",
    "logger": "logger",
    "run": "run",
    "source": "source",
    "table": "table",
    "task": "task",
    "try": "try",
    "trace_id": "trace_id",
    "dag_id": "dag",
    "log.file.path": "file",
    "log.file.record_offset": "offset",
}
"""Attributes that a document has as fields of these names."""

OF_AIRFLOW = {"task_id": "task", "try_number": "try"}
"""What Airflow calls otherwise; where both are there, ours holds."""

ERRORS = ("exception", "error_detail", "stack")
DROPPED = {"event", "timestamp", "level", "msg", "ts", "time", "log.file.name"}
"""Attributes that a document has already, under another name."""

LEVELS = ((21, "critical"), (17, "error"), (13, "warning"), (9, "info"), (1, "debug"))
"""From which of OTLP's numbers on a level is called so."""

ALSO_CALLED = {"warn": "warning", "err": "error", "fatal": "critical", "panic": "critical", "trace": "debug"}
"""Other words for a level, by those who are asked for no number. A word that is none of these is nothing grave."""

LONGEST_REST = 16_384
ROTATED = re.compile(r"(?<=\.log)\.\d+$")
PIPELINE = "shop_lake"
"""The DAG whose runs are the lake's."""

BRANCH = re.compile(rf"\b{PREFIX}([a-z][a-z0-9_]*?_\d{{8}}t\d{{6}}(?:_\d{{1,6}})?)(?![a-z0-9])")
"""A run's branch, or a catalog that is called by it: by that name Trino, Spark and Nessie tell what they work on."""

NAMES_BRANCHES = ("event", "thread")
"""Where it stands in their lines."""


@dataclass(frozen=True)
class Document:
    """A line of a log.

    Attributes:
        id: the same whenever the same line is handed on.
    """

    id: str
    fields: dict[str, Any]


def documents(request: Mapping[str, Any]) -> Iterator[Document]:
    """The lines of one request.

    Raises:
        ValueError: it is no such request.
    """
    try:
        for resource in request["resourceLogs"]:
            for scope in resource["scopeLogs"]:
                for record in scope["logRecords"]:
                    yield _document(record)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"this is no OTLP request with logs: {type(error).__name__}: {error}") from error


def _document(record: Mapping[str, Any]) -> Document:
    attributes = {each["key"]: _value(each["value"]) for each in record.get("attributes", ())}
    body = _value(record.get("body", {}))
    nanoseconds = int(record.get("timeUnixNano") or 0) or int(record.get("observedTimeUnixNano") or 0)
    fields: dict[str, Any] = {
        "timestamp": _instant(nanoseconds),
        "level": _level(int(record.get("severityNumber") or 0), attributes),
        "event": str(attributes.get("event", attributes.get("msg", body))),
    }
    named = {**OF_AIRFLOW, **FIELDS}
    fields |= {named[key]: value for key, value in attributes.items() if key in named and value not in (None, "")}
    if record.get("traceId"):
        fields["trace_id"] = record["traceId"]
    if "run" not in fields and attributes.get("dag_id") == PIPELINE and attributes.get("run_id"):
        fields["run"] = run_id_of(str(attributes["run_id"]))
    if "run" not in fields and (found := BRANCH.search(" ".join(_texts(fields, attributes)))):
        fields["run"] = found[1]
    if error := "\n".join(filter(None, (_error(attributes.get(name)) for name in ERRORS))):
        fields["error"] = error
    rest = {key: value for key, value in attributes.items() if key not in {*named, *ERRORS, *DROPPED}}
    if rest:
        fields["rest"] = rest if len(str(rest)) <= LONGEST_REST else {"cut": str(rest)[:LONGEST_REST]}
    # The file is called otherwise once it is rotated.
    file = ROTATED.sub("", str(fields.get("file", "")))
    place = (file, fields.get("offset", ""), nanoseconds if record.get("timeUnixNano") else 0, body, fields["event"])
    return Document(hashlib.sha256(repr(place).encode("utf-8", "replace")).hexdigest()[:32], fields)


def _texts(*lines: Mapping[str, Any]) -> Iterator[str]:
    return (str(line[name]) for line in lines for name in NAMES_BRANCHES if name in line)


def _value(value: Mapping[str, Any]) -> Any:
    """A value of OTLP, which names the type of each."""
    for kind, inner in value.items():
        match kind:
            case "kvlistValue":
                return {each["key"]: _value(each["value"]) for each in inner.get("values", ())}
            case "arrayValue":
                return [_value(each) for each in inner.get("values", ())]
            case "intValue":
                return int(inner)
            case _:
                return inner
    return None


def _instant(nanoseconds: int) -> str:
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def _level(number: int, attributes: Mapping[str, Any]) -> str:
    said = str(attributes.get("level", "")).lower()
    known = {name: name for _, name in LEVELS} | ALSO_CALLED
    return next((name for least, name in LEVELS if number >= least), known.get(said, "info"))


def _error(told: Any) -> str:
    """A traceback as text; of Airflow's parts, the kind and what it says, in the order in which they were raised."""
    if isinstance(told, Sequence) and not isinstance(told, str):
        parts = [each for each in told if isinstance(each, Mapping)]
        return "\n".join(f"{each.get('exc_type', '')}: {each.get('exc_value', '')}" for each in parts)
    return str(told) if told else ""
