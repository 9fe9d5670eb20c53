"""Serves the API until it is ended: ``python -m lake.api``."""

from __future__ import annotations

from typing import Any

import uvicorn

from lake import logs
from lake.api import traced
from lake.api.application import application
from lake.settings import settings

KEEP_ALIVE_SECONDS = 30
END_SECONDS = 20
"""For requests that are being answered when it is told to end."""


def serve() -> None:
    """Serve until told to stop; what is being answered is finished first."""
    config = settings()
    # Its loggers are ours: it would set up others, which write text. `Guard` tells of requests.
    options: dict[str, Any] = {"log_config": None, "log_level": "warning", "access_log": False}
    with traced.spans():
        uvicorn.run(
            application(),
            host=config.api_host,
            port=config.api_port,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=END_SECONDS,
            server_header=False,
            **options,
        )


if __name__ == "__main__":
    with logs.of_service():
        serve()
