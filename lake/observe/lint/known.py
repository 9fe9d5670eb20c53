"""What there is to name: metrics with their labels, jobs, and the alerts that are told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

from lake.alerts import kinds
from lake.observe.metrics import METRICS

SEVERITIES = frozenset({"critical", "warning", "info"})
TEAMS = frozenset({kinds.DATA, kinds.DATABASE, kinds.PLATFORM})
OWN_JOB = "lake"
"""The job that asks `lake exporter`."""
EVERY_TARGET = frozenset({"job", "instance", "host"})
"""Labels that any target may have. Who has several machines gives each target the one that it is on (`host`)."""
OF_SCRAPES = ("up", "scrape_duration_seconds", "scrape_samples_scraped")
"""What Prometheus itself says of each target: https://prometheus.io/docs/concepts/jobs_instances/."""
OF_AIRFLOW = Path("_shared") / "observability" / "metrics" / "metrics_template.yaml"
"""Airflow's own list of its metrics, in its package."""


@dataclass(frozen=True)
class Known:
    """Names that may be used.

    Attributes:
        metrics: labels of each.
        jobs: names of the jobs of Prometheus.
    """

    metrics: Mapping[str, frozenset[str]]
    jobs: frozenset[str]

    def with_metric(self, name: str, labels: Iterable[str]) -> Known:
        """With what a rule records."""
        return replace(self, metrics={**self.metrics, name: frozenset(labels)})


def known(prometheus: Path) -> Known:
    """What Prometheus can be asked for, by its folder under ``infra/``.

    Its scrape configuration says which jobs there are and which labels their targets have; ``metrics/<job>.txt``, what
    each job's targets tell; `lake.observe.metrics`, what the lake's exporter does; Airflow's own list, what it does.
    """
    targets = _labels_of_targets(yaml.safe_load((prometheus / "prometheus.yml").read_text()))
    found = {name: frozenset().union(*targets.values()) for name in OF_SCRAPES}
    for file in sorted((prometheus / "metrics").glob("*.txt")):
        for name, labels in listed(file).items():
            found[name] = labels | targets.get(file.stem, EVERY_TARGET)
    for name, labels in airflow().items():
        found[name] = labels | targets.get("airflow", EVERY_TARGET)
    for metric in METRICS:
        found[metric.name] = frozenset(metric.labels) | targets.get(OWN_JOB, EVERY_TARGET)
    return Known(found, frozenset(targets))


def airflow() -> dict[str, frozenset[str]]:
    """Airflow's metrics with their labels, called as statsd_exporter calls them."""
    package = find_spec("airflow")  # which takes seconds to import
    assert package is not None and package.origin is not None
    found = {}
    for metric in yaml.safe_load((Path(package.origin).parent / OF_AIRFLOW).read_text())["metrics"]:
        name = f"airflow_{metric['name'].replace('.', '_').replace('-', '_')}"
        for ending in ("_sum", "_count") if metric["type"] == "timer" else ("",):
            found[name + ending] = frozenset(metric["name_variables"])
    return found


def listed(file: Path, only: str = "") -> dict[str, frozenset[str]]:
    """The metrics of a list: a name and its labels a line, ``name{label,label}``; from ``#`` on it is said who has it.

    Args:
        only: leave out what another one has alone.
    """
    found = {}
    for line in file.read_text().splitlines():
        text, _, alone = (part.strip() for part in line.partition("#"))
        if text and not (only and alone and alone != only):
            name, _, labels = text.rstrip("}").partition("{")
            found[name] = frozenset(filter(None, labels.split(",")))
    return found


def _labels_of_targets(configuration: dict[str, Any]) -> dict[str, frozenset[str]]:
    return {
        job["job_name"]: EVERY_TARGET.union(*(group.get("labels", {}) for group in job.get("static_configs", [])))
        for job in configuration["scrape_configs"]
    }
