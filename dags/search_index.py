"""# search_index: what customers search, after every publish

Waits for the event that `shop_lake` emits when a run is published, and builds the index of the shop's products anew
from the lake **at the commit of the receipt** (docs/search.md): a new index, checked, put in place of the old one at
once. Only products that have changed are written. The index of the receipt before is kept, so `lake search --at` can
still ask it. No run and no report waits for it.

**Started by hand**, it takes the newest receipt. `lake search build --whole` builds an index that shares nothing with
the one before.

**Where nobody has started search** (`lake up serve`), the task is skipped, and says so.

**When the task fails.** Those who search still get the index before; each answer names the receipt that it is of.

| reason | what to do |
|---|---|
| OpenSearch is away or refuses | `lake status`, `lake logs search`; the retries wait a while |
| the new index does not hold what it should | the log names it; another try would find the same |
| the lake has no marts | without the shop there is nothing to sell |
| Trino is away | `lake status`; the retries wait a while |

**A rerun** finds the index of its receipt in place and does nothing.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow.sdk import Asset, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException
from common import DAG, PUBLISHED, SHORT, TAGS, TRINO
from triggers import published_run


@dag(
    **DAG,
    schedule=[Asset(PUBLISHED)],
    start_date=datetime(2025, 1, 1),
    dagrun_timeout=timedelta(minutes=30),
    tags=[*TAGS, "search"],
    doc_md=__doc__,
)
def search_index() -> None:
    """One task: what it does is in `lake.search.build`."""

    @task(**SHORT, **TRINO)
    def build() -> dict[str, object]:
        """The index of the published run that triggered us; of several, of the last one."""
        from dataclasses import asdict

        from lake.search.build import build, is_wanted

        if not is_wanted():
            raise AirflowSkipException("nobody has started search: `lake up serve` does")
        run = published_run(get_current_context())
        return asdict(build(run["run_id"], run["lake_commit"], run["source_instant"]))

    build()


search_index()
