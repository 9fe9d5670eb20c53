"""# watch: does anything go wrong that nobody has told?

Every ten minutes (`LAKE_WATCH_SCHEDULE`), whether anything was published or not:

| alert | when |
|---|---|
| `ServiceAway` | a service does not answer, three times in a row |
| `DagFailed` | the last run of a DAG failed; its callbacks have mostly told it before |
| `RunDoesNotEnd` | a run is under way for longer than it may |
| `DagBroken` | a DAG's file cannot be imported |
| `TableStale`, or `SourceStale` where all of a source are | a table is older than it may be (docs/alerts.md) |
| `TableDrifted` | the last sweep of parity found rows that differ from the source (docs/parity.md) |
| `TableHeldBack`, or `SourceHeldBack` of a source that is away | a table stays as it was (docs/contracts.md) |

What holds is told again and so stays up; what is over is ended. What cannot be looked at is `NotWatched`, and its
alerts stay as they are. It is not paused when it is new: nothing has to be switched on to be heard of.

**When the task fails**, nobody watches.

| reason | what to do |
|---|---|
| Alertmanager is away | `lake status`, `lake logs alertmanager` |

**When Airflow's scheduler is dead, or this DAG is paused**, no look ends the alert `WatchSilent` of the last one, and
Alertmanager tells it.

**A rerun** looks anew.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import dag, task
from common import DAG, SHORT, TAGS, WATCH


@dag(
    **DAG,
    schedule=WATCH,
    is_paused_upon_creation=False,
    dagrun_timeout=timedelta(minutes=15),
    tags=[*TAGS, "alerts"],
    doc_md=__doc__,
)
def watch() -> None:
    """One task: what it does is in `lake.alerts.watch`."""

    @task(**SHORT)
    def look() -> list[str]:
        """Look at everything, and tell what there is."""
        from lake.alerts.watch import watch

        return watch()

    look()


watch()
