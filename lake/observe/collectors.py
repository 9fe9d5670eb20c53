"""The collectors of `lake exporter`, each at an interval that fits what it asks. Another metric is a function more."""

from __future__ import annotations

from lake.observe import branches, demo_shop, files, freshness, parity, published, shop_alerts
from lake.observe.audited import Audits
from lake.observe.business import latest
from lake.observe.business.latest import Business
from lake.observe.collector import Collector
from lake.observe.extraction import Extraction
from lake.observe.failures import Failures
from lake.observe.files import Files
from lake.observe.freshness import Freshness
from lake.observe.parity import Parity
from lake.observe.published import Published
from lake.observe.replication import Replications
from lake.observe.runs import Runs


def collectors() -> list[Collector]:
    """All of them. Those of the lake look whether it has moved, and read only then."""
    return [
        Collector(published.NAME, Published().collect, 15),
        Collector(freshness.NAME, Freshness().collect, 15),
        Collector("audit", Audits().collect, 30),
        # The first look at thousands of tables takes its time; what it has read counts for the next one.
        Collector(files.NAME, Files().collect, 30, limit_seconds=600),
        Collector("branches", branches.collect, 30),
        Collector(parity.NAME, Parity().collect, 60, limit_seconds=120),
        Collector("airflow", Runs().collect, 15),
        Collector("failures", Failures().collect, 15, limit_seconds=120),
        Collector("extraction", Extraction().collect, 30),
        Collector("replication", Replications().collect, 10, limit_seconds=30),
        Collector("shop", demo_shop.collect, 60),
        Collector(shop_alerts.NAME, shop_alerts.collect, 30),
        # Only after a publish it computes; the limit is that of the process which does.
        Collector(latest.NAME, Business().collect, 30, limit_seconds=600),
    ]
