"""Values and instants as OTLP writes them in JSON: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

LONGEST_REST = 16_384


def attributes(listed: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Attributes by their names."""
    return {each["key"]: value(each["value"]) for each in listed}


def value(typed: Mapping[str, Any]) -> Any:
    """A value of OTLP, which names the type of each."""
    for kind, inner in typed.items():
        match kind:
            case "kvlistValue":
                return attributes(inner.get("values", ()))
            case "arrayValue":
                return [value(each) for each in inner.get("values", ())]
            case "intValue":
                return int(inner)
            case _:
                return inner
    return None


def instant(nanoseconds: int) -> str:
    """An instant as OpenSearch takes it; of nanoseconds since 1970."""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def bounded(rest: dict[str, Any]) -> dict[str, Any]:
    """What is kept without being searched, as far as it is not too long."""
    return rest if len(str(rest)) <= LONGEST_REST else {"cut": str(rest)[:LONGEST_REST]}
