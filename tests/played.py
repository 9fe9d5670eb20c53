"""Services that are played, where what is tested is who asks them."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LINE = {
    "timestamp": "2026-11-26T05:20:00Z",
    "level": "error",
    "service": "trino",
    "event": "disk full",
    "run": "r1",
}


class OpenSearch(ThreadingHTTPServer):
    """Answers every search alike, and keeps what it was asked.

    Attributes:
        asked: the searches.
        lines: what it finds, the newest first.
        total: how many it says there are; it finds no more.
        values: of whatever field it is asked for.
        status: of its answers.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.asked: list[dict[str, Any]] = []
        self.lines: list[dict[str, Any]] = [LINE]
        self.total, self.status = 1, 200
        self.values: list[str] = []


class _Answers(BaseHTTPRequestHandler):
    server: OpenSearch

    def do_POST(self) -> None:
        played = self.server
        played.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        told = {
            "timed_out": False,
            "_shards": {"failed": 0},
            "hits": {
                "total": {"value": played.total},
                "hits": [{"_source": line} for line in played.lines[: played.total]],
            },
            "aggregations": {"values": {"buckets": [{"key": value} for value in played.values]}},
        }
        body = json.dumps(told).encode()
        self.send_response(played.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nobody reads it."""


@contextmanager
def opensearch() -> Iterator[OpenSearch]:
    """One that answers, until the block is left."""
    with OpenSearch() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
