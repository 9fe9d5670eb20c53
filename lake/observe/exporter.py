"""`lake exporter`: a process that serves the lake's metrics at /metrics, and how it is at /healthz and /readyz."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app

from lake.errors import ServiceError
from lake.observe.collector import Collector, Observer
from lake.observe.exposition import Page

log = logging.getLogger(__name__)

REPLY_SECONDS = 10
"""How long a client may take to ask, and to take the answer."""

Start = Callable[[str, list[tuple[str, str]]], Any]


class Exporter:
    """The collectors at work, and what is answered of them.

    Args:
        collectors: each begins to collect when the exporter is started.
    """

    def __init__(self, collectors: Sequence[Collector]) -> None:
        self._observers = [Observer(collector) for collector in collectors]
        registry = CollectorRegistry(auto_describe=False)
        registry.register(Page(self._observers))
        # A machine asks itself: to make the page small would cost more than writing it.
        self._metrics = make_wsgi_app(registry, disable_compression=True)

    def start(self) -> None:
        """Let every collector begin."""
        for observer in self._observers:
            observer.start()

    def stop(self) -> None:
        """Let no collector begin another collection."""
        for observer in self._observers:
            observer.stop()

    def __call__(self, environment: dict[str, Any], start: Start) -> Iterable[bytes]:
        """Answer a request, as WSGI has it."""
        match environment["PATH_INFO"]:
            case "/metrics":
                answer: Iterable[bytes] = self._metrics(environment, start)
                return answer
            case "/healthz":
                dead = [observer.collector.name for observer in self._observers if not observer.is_alive]
                return _said(start, not dead, f"collectors that have ended: {', '.join(dead)}" if dead else "well")
            case "/readyz":
                waiting = [observer.collector.name for observer in self._observers if not observer.has_answered]
                said = f"not every collector has been through: {', '.join(waiting)}" if waiting else "ready"
                return _said(start, not waiting, said)
        start("404 Not Found", [("Content-Type", "text/plain; charset=utf-8")])
        return [b"there are /metrics, /healthz and /readyz\n"]


def _said(start: Start, is_well: bool, text: str) -> list[bytes]:
    start("200 OK" if is_well else "503 Service Unavailable", [("Content-Type", "text/plain; charset=utf-8")])
    return [f"{text}\n".encode()]


class _Server(ThreadingMixIn, WSGIServer):
    """A thread for each request: one slow reader keeps no other from the page."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that says nothing, or hangs up in the middle, is left; what fails in here is answered with 500."""
        log.debug("%s was left", client_address, exc_info=True)


class _Handler(WSGIRequestHandler):
    timeout = REPLY_SECONDS

    def log_message(self, format: str, *arguments: Any) -> None:
        """A scrape every few seconds is no news."""


@contextmanager
def serving(exporter: Exporter, host: str, port: int) -> Iterator[int]:
    """Let an exporter collect and answer for the length of the block; gives the port.

    Args:
        port: 0 for any that is free.

    Raises:
        ServiceError: the port is taken, or the address is none of this machine's.
    """
    try:
        server = make_server(host, port, exporter, _Server, _Handler)
    except (OSError, OverflowError) as error:
        raise ServiceError(
            f"the exporter cannot listen on {host}:{port}: {error}",
            "end what listens there, or set another LAKE_EXPORTER_PORT",
        ) from error
    exporter.start()
    thread = threading.Thread(target=server.serve_forever, name="serve", daemon=True)
    thread.start()
    log.info("metrics are at http://%s:%s/metrics", host, server.server_port)
    try:
        yield server.server_port
    finally:
        exporter.stop()
        server.shutdown()
        server.server_close()
        thread.join(REPLY_SECONDS)
