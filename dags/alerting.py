"""# alerting: does the published lake look right?

Waits for the event that `shop_lake` emits when a run is published, evaluates every rule of `lake/alerts/rules.yml` **at
the commit of the receipt**, and tells Alertmanager which alerts fire, why, and which hold again. A rule that cannot be
evaluated (NULL, no rows, a query that fails) fires `NoData`: it never passes in silence.

**Started by hand**, it takes the newest receipt.

**When an alert fires.** Its annotations carry the value, the reference, the receipt and the commit.

1. `lake alerts test RULE`, and `lake metric METRIC --grain day --by DIMENSION`: is the figure real? Where is it from?
2. `lake receipts`: did the run read what it should have? A shop that sold less is a matter for sales, not for the lake.
3. An alert closes by itself with the first publish in which its rule holds, or a day after the last evaluation.

**When the task fails.** The lake itself is not touched: publishing was done before.

| reason | what to do |
|---|---|
| `rules.yml` is malformed | the log names the rule and the shape that is expected |
| Trino or Alertmanager is away | `lake status`; the retries wait a while |

**A rerun** evaluates the same figures at the same commit and posts the same alerts; Alertmanager keeps one of each.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import Asset, dag, get_current_context, task
from common import DAG, PUBLISHED, SHORT, TAGS, TRINO
from triggers import published_run


@dag(
    **DAG,
    schedule=[Asset(PUBLISHED)],
    start_date=datetime(2025, 1, 1),
    dagrun_timeout=timedelta(minutes=15),
    tags=[*TAGS, "alerts"],
    doc_md=__doc__,
)
def alerting() -> None:
    """One task: what it does is in `lake.alerts`."""

    @task(**SHORT, **TRINO)
    def check() -> list[dict[str, Any]]:
        """Evaluate the rules for the published run that triggered us; of several, the last one."""
        from lake.alerts.check import check

        return check(**published_run(get_current_context()))

    check()


alerting()
