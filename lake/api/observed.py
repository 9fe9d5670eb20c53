"""The metrics that the API serves at /metrics: the one place that says what each is called and labelled with.

Each application has a registry of its own. `docs/api.md` shows the table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.metrics import MetricWrapperBase

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20)
CACHE = ("memory", "hit", "miss", "shared", "away")

M = TypeVar("M", bound=MetricWrapperBase)


@dataclass(frozen=True)
class Counted:
    """What is counted.

    Attributes:
        name: as Prometheus knows it; of a histogram, what its series begin with.
    """

    name: str
    labels: tuple[str, ...]
    help: str


class Observed:
    """What the API counts of itself."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self._counted: list[Counted] = []
        self.requests = self._new(
            Counter, "requests_total", "Requests that were answered.", ("route", "method", "status")
        )
        self.seconds = self._new(Histogram, "request_seconds", "How long requests took.", ("route",))
        self.in_flight = self._new(Gauge, "requests_in_flight", "Requests that are being answered.")
        self.cache = self._new(
            Counter,
            "cache_total",
            "Questions about the lake, by how they were answered: from the memory of the process (memory), from the "
            "cache (hit), by waiting for another request that works it out (shared), worked out (miss), or worked out "
            "because the cache is away (away).",
            ("outcome",),
        )
        self.cache_up = self._new(
            Gauge, "cache_up", "1 while the cache answers, 0 while it is away and the API is slower for that."
        )
        self.asked = self._new(Histogram, "question_seconds", "How long questions took that were worked out.")
        self.looked = self._new(
            Gauge, "lake_seen_timestamp_seconds", "When it was last seen which lake is published, as Unix time."
        )
        self.published = self._new(
            Gauge, "published_timestamp_seconds", "When the lake was published that is answered from, as Unix time."
        )
        for outcome in CACHE:
            self.cache.labels(outcome)

    def counted(self) -> list[Counted]:
        """All metrics of ours."""
        return [*self._counted]

    def _new(self, kind: type[M], name: str, help: str, labels: tuple[str, ...] = ()) -> M:
        full = f"shoplake_api_{name}"
        self._counted.append(Counted(full, labels, help))
        more: dict[str, Any] = {"buckets": SECONDS} if kind is Histogram else {}
        return kind(full, help, labels, registry=self.registry, **more)
