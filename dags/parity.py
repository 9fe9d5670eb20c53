"""# parity: does the lake hold what the sources hold, row by row?

Every night: compares each table of the published lake with its source, in sums by bucket of one snapshot. What the shop
changed since the last run is no drift; what is left, no run would ever find. Rows that have drifted are read again by a
run of `shop_lake`, which is started for it, and a second pass proves them. What was found stands in the ledger:
`lake sql --branch ops "select * from ops.parity order by instant desc"`.

**When a task fails.** `main` is as it was, or as a run has published it.

| task | usual reasons | what to do |
|---|---|---|
| `sweep` | the catalog or the object store is away, or nothing was published yet | `lake status`, `lake run` |
| `repair` | the run of `shop_lake` failed | its own page says why; the next run mends what is marked |
| `prove` | rows still differ, or a table was not compared; the log names them | `lake parity TABLE` shows the rows |

**A rerun** compares anew. It may run beside the pipeline: a sweep compares with one commit of main.
"""

from __future__ import annotations

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import dag, task
from common import DAG, PARITY_SCHEDULE, RUN_LIMIT, SOURCE, TAGS


@dag(
    **DAG,
    schedule=PARITY_SCHEDULE,
    dagrun_timeout=2 * RUN_LIMIT,
    tags=[*TAGS, "parity"],
    doc_md=__doc__,
)
def parity() -> None:
    """Wire the two passes around the run that mends. What a pass does is in `lake.steps.parity`."""

    @task(**SOURCE)
    def sweep() -> list[str]:
        """Compare every table; names of those to be compared again after the repair. What has drifted is marked."""
        from lake.steps.parity import sweep

        return sweep()

    @task.short_circuit
    def has_drifted(unproven: list[str]) -> bool:
        """Whether there is anything to mend."""
        return bool(unproven)

    @task(**SOURCE)
    def prove(unproven: list[str]) -> int:
        """Compare these tables again; how many rows were mended."""
        from lake.steps.parity import prove

        return prove(unproven)

    repair = TriggerDagRunOperator(
        task_id="repair",
        trigger_dag_id="shop_lake",
        wait_for_completion=True,
        poke_interval=10,
        execution_timeout=RUN_LIMIT,
    )
    unproven = sweep()
    has_drifted(unproven) >> repair >> prove(unproven)


parity()
