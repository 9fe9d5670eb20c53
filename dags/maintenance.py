"""# maintenance: nothing grows for ever

Every night, beside the pipeline:

| task | what it does |
|---|---|
| `compact` | tables with many small files or deleted rows are written anew, on branches of their own |
| `collect` | forgets receipts that the policy does not keep, and removes files that no branch and no receipt needs |
| `trim` | Airflow's database, the logs of tasks and the spans, by age |

What goes, and what is kept for how long: docs/maintenance.md. `lake maintenance --dry-run` tells it without doing it.

**When a task fails.** Nothing is half done: what is written anew is published by one merge, and files go one by one,
each nobody's.

| task | usual reasons | what to do |
|---|---|---|
| `compact` | Spark is down, or took longer than it may; the log names the tables | `lake status`, `lake logs spark` |
| `collect` | the object store or the catalog is away | `lake status`; the next night does the same work |
| `collect` | a receipt's commit is gone, or a file; until then none is removed | the log names it and the way out |
| `trim` | Airflow's database is busy | the next night goes on |

**When `compact` says that it has left tables for the next night**, a run has published them meanwhile; nothing is lost.

**A rerun** finds less to do. Two at once do no harm, nor does a pass beside a run.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import dag, task
from common import DAG, NIGHTLY, SPARK, SPARK_LIMIT, TAGS, TASK_LIMIT


@dag(
    **DAG,
    schedule=NIGHTLY,
    dagrun_timeout=SPARK_LIMIT + 2 * TASK_LIMIT,
    tags=[*TAGS, "maintenance"],
    doc_md=__doc__,
)
def maintenance() -> None:
    """Three tasks that do not wait for each other; what they do is in `lake.maintenance`."""

    @task.pyspark(**SPARK)
    def compact(spark: Any) -> dict[str, int]:
        """Write tables anew; how many were published, and how many were left for the next night."""
        from datetime import UTC, datetime

        from lake.maintenance.compact import compact

        groups = compact(spark, datetime.now(UTC))
        return {
            "rewritten": sum(len(group.tables) for group in groups if group.is_published),
            "left": sum(len(group.tables) for group in groups if not group.is_published),
        }

    @task
    def collect() -> list[dict[str, Any]]:
        """Forget receipts and remove what nothing refers to; what was removed, by kind."""
        from datetime import UTC, datetime

        from lake.maintenance.collect import collect

        return [each.to_json() for each in collect(datetime.now(UTC)).gone]

    @task
    def trim() -> list[dict[str, Any]]:
        """Delete what Airflow no longer needs of its history; which logs."""
        from datetime import UTC, datetime

        from lake.maintenance.trim import trim

        return [each.to_json() for each in trim(datetime.now(UTC))]

    compact()
    collect()
    trim()


maintenance()
