#!/usr/bin/env python
"""Whether a part of Airflow is healthy, as Airflow's own API tells: ``airflow_healthy.py scheduler``.

Without anything but the standard library: it runs every few seconds in four containers.
"""

from __future__ import annotations

import json
import os
import sys
from urllib.request import ProxyHandler, build_opener


def main(part: str) -> None:
    """End with 1 and the reason while the part is not healthy."""
    address = f"http://{os.environ['LAKE_AIRFLOW_HOST']}:{os.environ['LAKE_AIRFLOW_PORT']}/api/v2/monitor/health"
    with build_opener(ProxyHandler({})).open(address, timeout=5) as answer:
        found = json.load(answer)[part]
    if not found or found["status"] != "healthy":
        raise SystemExit(f"Airflow says of {part}: {found}")


if __name__ == "__main__":
    main(*sys.argv[1:])
