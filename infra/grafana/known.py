"""The metrics that dashboards may ask for: what the exporters really serve.

``metrics/`` holds names as the exporters served them, one a line; ours stand in `lake.observe.metrics`. Airflow's are
taken from its own list of metrics, named as statsd_exporter names them.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import yaml

from lake.observe.metrics import METRICS

FOLDER = Path(__file__).parent / "metrics"
AIRFLOW = Path("_shared") / "observability" / "metrics" / "metrics_template.yaml"
"""Its list of metrics, in its package."""

ADDED = frozenset({"job", "instance"})
"""Labels that Prometheus adds to every series."""

OF_PROMETHEUS = frozenset(
    {"up", "scrape_duration_seconds", "ALERTS", "prometheus_tsdb_head_series", "process_resident_memory_bytes"}
)
"""What it makes by itself, and what its Go client serves wherever it is used."""


@lru_cache(maxsize=1)
def metrics() -> dict[str, frozenset[str] | None]:
    """Labels of every known metric; None where they are not known."""
    found: dict[str, frozenset[str] | None] = dict.fromkeys(OF_PROMETHEUS | _of_airflow())
    for name in ("node_exporter", "mysqld_exporter"):
        found |= dict.fromkeys(_names(name))
    return found | {metric.name: frozenset(metric.labels) for metric in METRICS}


def _names(exporter: str) -> list[str]:
    lines = (FOLDER / f"{exporter}.txt").read_text().splitlines()
    # Behind a name stands the one kind of server that has it.
    return [line.split()[0] for line in lines if not line.startswith("#")]


def _of_airflow() -> set[str]:
    package = find_spec("airflow")  # which takes seconds to import
    assert package is not None and package.origin is not None
    found = set()
    for metric in yaml.safe_load((Path(package.origin).parent / AIRFLOW).read_text())["metrics"]:
        name = f"airflow_{metric['name'].replace('.', '_').replace('-', '_')}"
        found |= {f"{name}_sum", f"{name}_count"} if metric["type"] == "timer" else {name}
    return found
