"""The page that Prometheus reads: what all collectors know, by metric."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector as Registered

from lake.observe.collector import Observer
from lake.observe.metrics import METRICS, Sample


class Page(Registered):
    """All metrics in their order; one of which nothing is known is left out.

    Args:
        observers: the collectors at work.
    """

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._observers = observers

    def describe(self) -> Iterable[Family]:
        """Nothing: the names are our own, and the registry must not collect to learn them."""
        return ()

    def collect(self) -> Iterator[Family]:
        """What is known now."""
        return families(sample for observer in self._observers for sample in observer.samples())


def families(samples: Iterable[Sample]) -> Iterator[Family]:
    """Samples in families, as the client library writes them; several of one series would make the page invalid, so the
    last one stands for all."""
    by_metric: dict[str, dict[tuple[str, ...], float]] = defaultdict(dict)
    for sample in samples:
        by_metric[sample.metric.name][sample.labels] = sample.value
    for metric in METRICS:
        if metric.name in by_metric:
            kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
            family = kind(metric.name, metric.help, labels=metric.labels)
            for labels, value in by_metric[metric.name].items():
                family.add_metric(labels, value)
            yield family
