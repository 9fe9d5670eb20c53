"""A web server that takes what it is sent, as a receiver of alerts does."""

from __future__ import annotations

import contextlib
import json
import threading
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from typing import Any


@dataclass(frozen=True)
class Hook:
    """A web server that takes what it is sent.

    Attributes:
        url: its root; each path below it has a queue of its own.
    """

    url: str
    _sent: dict[str, Queue[Any]]

    def sent(self, path: str) -> Queue[Any]:
        """What was posted to a path."""
        return self._sent[path]


@contextlib.contextmanager
def listening() -> Iterator[Hook]:
    """One on a free port of this machine."""
    sent: dict[str, Queue[Any]] = defaultdict(Queue)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent[self.path].put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"ok")  # Slack's word for it

        def log_message(self, *_: Any) -> None:
            """Nothing of it is of interest."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield Hook(f"http://127.0.0.1:{server.server_port}", sent)
    finally:
        server.shutdown()
        server.server_close()
