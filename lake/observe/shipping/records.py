"""Lines of logs as documents.

Of a record's attributes those become fields that
``infra/opensearch/logs/template.json`` knows; the others are kept and not searched.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lake.observe.shipping.document import Document
from lake.observe.shipping.otlp import attributes as named_values
from lake.observe.shipping.otlp import bounded, instant, value
from lake.observe.shipping.runs import run_named_in, run_of

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

CALLED = {
    **{name: name for _, name in LEVELS},
    **{"warn": "warning", "err": "error", "fatal": "critical", "panic": "critical", "trace": "debug"},
}
"""Words for a level, by those who give no number. A word that is none of these is nothing grave."""

ROTATED = re.compile(r"(?<=\.log)\.\d+$")

NAMES_BRANCHES = ("event", "thread")
"""Where the lines of Trino, Spark and Nessie have the branch that they work on."""


def document(record: Mapping[str, Any]) -> Document:
    """A line of a log, of a record that says so."""
    attributes = named_values(record.get("attributes", ()))
    body = value(record.get("body", {}))
    nanoseconds = int(record.get("timeUnixNano") or 0) or int(record.get("observedTimeUnixNano") or 0)
    fields: dict[str, Any] = {
        "timestamp": instant(nanoseconds),
        "level": _level(int(record.get("severityNumber") or 0), attributes),
        "event": str(attributes.get("event", attributes.get("msg", body))),
    }
    named = {**OF_AIRFLOW, **FIELDS}
    fields |= {named[key]: value for key, value in attributes.items() if key in named and value not in (None, "")}
    if record.get("traceId"):
        fields["trace_id"] = record["traceId"]
    if "run" not in fields and (run := run_of(attributes.get("dag_id"), attributes.get("run_id"))):
        fields["run"] = run
    if "run" not in fields and (run := run_named_in(*_texts(fields, attributes))):
        fields["run"] = run
    if error := "\n".join(filter(None, (_error(attributes.get(name)) for name in ERRORS))):
        fields["error"] = error
    rest = {key: value for key, value in attributes.items() if key not in {*named, *ERRORS, *DROPPED}}
    if rest:
        fields["rest"] = bounded(rest)
    # The file is called otherwise once it is rotated.
    file = ROTATED.sub("", str(fields.get("file", "")))
    place = (file, fields.get("offset", ""), nanoseconds if record.get("timeUnixNano") else 0, body, fields["event"])
    return Document(hashlib.sha256(repr(place).encode("utf-8", "replace")).hexdigest()[:32], fields)


def _texts(*lines: Mapping[str, Any]) -> Iterator[str]:
    return (str(line[name]) for line in lines for name in NAMES_BRANCHES if name in line)


def _level(number: int, attributes: Mapping[str, Any]) -> str:
    said = str(attributes.get("level", "")).lower()
    return next((name for least, name in LEVELS if number >= least), CALLED.get(said, "info"))


def _error(told: Any) -> str:
    """A traceback as text; of Airflow's parts, the kind and what it says, in the order in which they were raised."""
    if isinstance(told, Sequence) and not isinstance(told, str):
        parts = [each for each in told if isinstance(each, Mapping)]
        return "\n".join(f"{each.get('exc_type', '')}: {each.get('exc_value', '')}" for each in parts)
    return str(told) if told else ""
