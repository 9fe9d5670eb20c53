"""How a log is shown to people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def readable(text: str) -> str:
    """A line of JSON as people read it; anything else as it is."""
    try:
        line = json.loads(text)
    except ValueError:
        return text
    if not isinstance(line, dict) or not isinstance(line.get("event"), str):
        return text
    return written(line)


def written(line: Mapping[str, Any]) -> str:
    """A line of a log for people: when, how grave, what, and the fields that are left."""
    rest = dict(line)
    moment, level = str(rest.pop("timestamp", "")), str(rest.pop("level", ""))
    logger, event = str(rest.pop("logger", "")), str(rest.pop("event", ""))
    traces = [str(rest.pop(name)) for name in ("exception", "stack") if isinstance(rest.get(name), str)]
    fields = " ".join(f"{name}={_short(value)}" for name, value in rest.items() if value not in (None, ""))
    head = " ".join(
        filter(None, (moment, f"[{level}]" if level else "", event, f"({logger})" if logger else "", fields))
    )
    return "\n".join([head, *traces])


def _short(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
