"""What stands on either side of the shipper: requests as the collector makes them, an OpenSearch that is played, and
spans as it keeps them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

INSTANT = 1_795_670_400_123_456_789
BEGAN = datetime(2026, 11, 26, tzinfo=UTC)


def typed(value: Any) -> dict[str, Any]:
    """A value as OTLP writes it."""
    match value:
        case int():
            return {"intValue": str(value)}
        case dict():
            return {"kvlistValue": {"values": [{"key": key, "value": typed(inner)} for key, inner in value.items()]}}
        case list():
            return {"arrayValue": {"values": [typed(inner) for inner in value]}}
        case _:
            return {"stringValue": value}


def handed_on(*records: dict[str, Any]) -> dict[str, Any]:
    """A request with some lines: attributes, and beside them `body` and `severity`."""
    written = [
        {
            "timeUnixNano": str(INSTANT),
            "severityNumber": each.pop("severity", 9),
            "body": typed(each.pop("body", "")),
            "attributes": [{"key": key, "value": typed(value)} for key, value in each.items()],
        }
        for each in records
    ]
    return {"resourceLogs": [{"scopeLogs": [{"logRecords": written}]}]}


class OpenSearch(httpx.MockTransport):
    """Takes documents as OpenSearch does, as far as the shipper sees it."""

    def __init__(self) -> None:
        super().__init__(self.answer)
        self.kept: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []
        self.indexes: set[str] = set()
        self.is_away = False
        self.status: Callable[[dict[str, Any]], int] = lambda document: 201

    def answer(self, request: httpx.Request) -> httpx.Response:
        if self.is_away:
            raise httpx.ConnectError("refused")
        path = request.url.path
        self.asked.append(f"{request.method} {path}")
        if request.method == "HEAD":
            return httpx.Response(200 if self.indexes else 404)
        if path in ("/logs/_bulk", "/spans/_bulk"):
            return (
                httpx.Response(200, json={"items": list(self._items(request))}) if self.indexes else httpx.Response(404)
            )
        if request.method == "PUT" and path.startswith("/logs-"):
            self.indexes.add(path[1:])
        return httpx.Response(200, json=[] if "_cat" in path else {})

    def _items(self, request: httpx.Request) -> Iterator[dict[str, Any]]:
        lines = [json.loads(line) for line in request.content.decode().splitlines()]
        for action, document in zip(lines[::2], lines[1::2], strict=True):
            id_ = action["create"]["_id"]
            status = 409 if id_ in self.kept else self.status(document)
            if status == 201:
                self.kept[id_] = document
            why = {"error": {"type": "kind", "reason": "why"}} if status >= 300 else {}
            yield {"create": {"status": status, **why}}


def span(name: str, start: float, end: float, below: str = "", **more: Any) -> dict[str, Any]:
    """A document; its id is its name, unless `id` is given."""
    return {
        "span_id": more.pop("id", name),
        "name": name,
        "timestamp": (BEGAN + timedelta(seconds=start)).isoformat(),
        "seconds": end - start,
        "service": "airflow",
        "status": "ok",
        **({"parent_id": below} if below else {}),
        **more,
    }
