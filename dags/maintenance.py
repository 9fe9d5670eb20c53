"""# maintenance: what nobody refers to goes

Every night: deletes landing files that no table, no open branch and no manifest refers to. Such files come from tries
of a run that were killed, and from runs that were begun anew. Nothing of a published run is touched, and nothing of a
run whose branch is still there, which is one that is running or one that failed and waits for inspection.

**When a branch of a failed run is no longer needed**, a rerun of it throws it away; the next night its files go too.

**When the task fails.** Nothing is half done: files go one by one, and each was nobody's.

| reason | what to do |
|---|---|
| the object store or the catalog is away | `lake status`; the next night does the same work |

**A rerun** finds less to do. It may run beside the pipeline.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import dag, task
from common import DAG, NIGHTLY, TAGS, TASK_LIMIT


@dag(
    **DAG,
    schedule=NIGHTLY,
    dagrun_timeout=TASK_LIMIT + timedelta(minutes=15),
    tags=[*TAGS, "maintenance"],
    doc_md=__doc__,
)
def maintenance() -> None:
    """One task: what it does is in `lake.maintenance`."""

    @task
    def tidy() -> int:
        """Delete landing files that are nobody's; how many there were."""
        from lake.maintenance.tidy import tidy

        return tidy()

    tidy()


maintenance()
