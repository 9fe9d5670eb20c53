"""``lake exporter``: the lake's metrics, for Prometheus."""

from __future__ import annotations

import signal
import threading
from types import FrameType

from lake import logs
from lake.settings import settings


def exporter() -> None:
    """Serve the lake's metrics to Prometheus at /metrics, and /healthz and /readyz, until it is ended."""
    from lake.observe.collectors import collectors
    from lake.observe.exporter import Exporter, serving

    ended = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        ended.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    with logs.of_service(), serving(Exporter(collectors()), settings().exporter_host, settings().exporter_port):
        ended.wait()
