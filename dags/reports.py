"""# reports: figures for people, after every publish

Waits for the event that `shop_lake` emits when a run is published, and renders every report of
`lake/reports/definitions/` as HTML and PDF, those of a day, a week or a month with the first publish after its end, and
the index of all that are kept. The figures are computed **at the commit of the receipt**, so what a report shows can be
computed again, whatever was published since. They are kept under `s3://reports/<report>/<run_id>/`; `lake report open`
shows the newest one, `lake report open --index` all of them. One that cannot be made holds up no other.

**Started by hand**, it takes the newest receipt.

**When a task fails.** The lake itself is not touched: publishing was done before.

| task | usual reasons | what to do |
|---|---|---|
| `receipt` | nothing was published yet | `lake run` |
| `render` | a malformed definition, a metric that there is not | the log names report, file and line |
| `render` | a query that does not fit the marts | the log names report and figure |
| `render` | Trino or the object store is away | `lake status`; the retries wait a while |

**A rerun** computes the same figures at the same commit and writes the same bytes to the same place.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow.sdk import Asset, dag, get_current_context, task
from common import DAG, PUBLISHED, SHORT, TAGS, TRINO
from triggers import published_run


@dag(
    **DAG,
    schedule=[Asset(PUBLISHED)],
    start_date=datetime(2025, 1, 1),
    dagrun_timeout=timedelta(minutes=30),
    tags=[*TAGS, "reports"],
    doc_md=__doc__,
)
def reports() -> None:
    """Wire the receipt to the reports.

    They are made in one task: what compiles metrics takes longer to load than a report to make.
    """

    @task(**SHORT)
    def receipt() -> dict[str, str]:
        """The published run that triggered us; of several, the last one."""
        return published_run(get_current_context())

    @task(**SHORT, **TRINO)
    def render(receipt: dict[str, str]) -> dict[str, dict[str, str]]:
        """HTML and PDF of every report that can be made, those on the marts only where the lake has marts."""
        from lake.reports.deliver import deliver_due

        return deliver_due(**receipt)

    render(receipt())


reports()
