"""# lineage: from which columns is the published lake made?

Waits for the event that `shop_lake` emits when a run is published, and keeps in `ops.lineage` of which columns of the
sources each column of the lake, of the reports and of the alert rules was made (docs/lineage.md). No run and no report
waits for it. A run of the same code and the same contracts has the lineage of the run before: then there is nothing to
read, and nothing is kept. `lake lineage` needs nothing of this: it reads the checkout.

**Started by hand**, it takes the newest receipt.

**When the task fails.** The lake itself is not touched: publishing was done before.

| reason | what to do |
|---|---|
| a model, a builder of the star schema or a query cannot be read | the log names it and the way out |
| the catalog or the object store is away | `lake status`; the retries wait a while |

**When its log says that the code has been changed** since the run was published, nobody can tell the lineage of that
run any more. The next publish is of the code as it is now, and has its own.

**A rerun** keeps nothing twice.
"""

from __future__ import annotations

from datetime import datetime

from airflow.sdk import Asset, dag, get_current_context, task
from common import DAG, PUBLISHED, TAGS, TASK_LIMIT
from triggers import published_runs

NICENESS = 10
"""A tenth of what others get of a core that they want too."""


@dag(
    **DAG,
    schedule=[Asset(PUBLISHED)],
    start_date=datetime(2025, 1, 1),
    dagrun_timeout=2 * TASK_LIMIT,
    tags=[*TAGS, "lineage"],
    doc_md=__doc__,
)
def lineage() -> None:
    """One task: what it does is in `lake.steps.lineage`."""

    @task
    def keep() -> list[str]:
        """Keep the lineage of every run that was published; ids of those that have another than the run before."""
        import os

        from lake.steps.lineage import lineage

        # The reports of the same publish are waited for.
        os.nice(NICENESS)
        return lineage(run["run_id"] for run in published_runs(get_current_context()))

    keep()


lineage()
