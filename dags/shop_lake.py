"""# shop_lake: from the shop's database to published metrics

Every hour: opens the branch `run_<id>`, extracts all tables of each source (`lake sources`) as of **one snapshot** of
it, and builds raw, cleaned, curated and marts on that branch. The audit decides; publishing is one merge, so readers of
`main` see the lake of the last run or of this one, never half of each. Without the shop it ends in cleaned.

**Parameters.** `full`: read tables whole instead of what changed since the last published run. `sources`, `tables`:
read these alone, by their names in the lake; all others stay as they are, and the next run takes up where they stand.

**When a task fails.** `main` is as it was, and the branch of the run stays for inspection:
`lake sql --branch run_<id> "select …"`.

| task | usual reasons | what to do |
|---|---|---|
| `start` | a mistake in a contract, or nothing to read | the log names file and line, or the command |
| `extract` | database away, wrong password, a table or column that vanished | the log names the thing and the fix |
| `clean` | Spark is down, or took longer than it may; the log names the tables | `lake status`, `lake logs spark` |
| `marts` | a dbt model or test failed; the log names it | `lake sql` on the branch shows its rows |
| `audit` | a blocking check failed; the log lists them, the data docs show them | mend the source or the contract |
| `publish` | main moved under the run (409) | run again |

A failed check and a mistake in a contract end the task at once: another try would find the same. Everything else is
tried twice more.

**A rerun** (clear the run, or trigger a new one) starts from main as it is then: the branch is opened anew,
landing files of the unpublished try are replaced, and the outcome is the same. The next run reads everything since
the last *published* one, so a failed hour is caught up by itself.

**When nothing has changed**, `clean` to `audit` are skipped and nothing is published; the receipt says since when.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import Asset, AssetAlias, Metadata, dag, get_current_context, task
from common import ASKED, DAG, MACROS, PUBLISHED, RUN_LIMIT, SCHEDULE, SOURCE, SPARK, TAGS, TRINO
from triggers import PROOF

from lake.run import Run


@dag(
    **DAG,
    schedule=SCHEDULE,
    dagrun_timeout=RUN_LIMIT,
    user_defined_macros=MACROS,
    params=ASKED,
    tags=[*TAGS, "pipeline"],
    doc_md=__doc__,
)
def shop_lake() -> None:
    """Wire the steps of `lake.steps` together. What goes from task to task is the run."""

    @task
    def start() -> dict[str, Any]:
        """Read the contracts and open the run's branch."""
        from lake.steps.start import start

        context, asked = get_current_context(), get_current_context()["params"]
        return start(context["run_id"], asked["full"], asked["sources"], asked["tables"]).to_json()

    @task
    def sources(run: dict[str, Any]) -> list[str]:
        """The sources that the run reads: extraction is mapped over them."""
        return run["sources"]

    @task(**SOURCE, map_index_template="{{ label(task.op_kwargs['source']) }}")
    def extract(run: dict[str, Any], source: str) -> dict[str, int]:
        """MySQL to Parquet, every table of a source as of one snapshot."""
        from lake.steps.extract import extract

        return extract(Run.from_json(run), source)

    @task
    def register(run: dict[str, Any]) -> list[list[str]]:
        """Register the landing files in the raw layer, and deal out the tables to clean."""
        from lake.steps.register import register

        return register(Run.from_json(run))

    @task.pyspark(**SPARK, map_index_template="{{ label(task.op_kwargs['tables']) }}")
    def clean(run: dict[str, Any], tables: list[str], spark: Any) -> dict[str, int]:
        """Merge into the current state, keep history, put refused rows into quarantine."""
        from lake.steps.clean import clean

        return clean(spark, Run.from_json(run), tables)

    @task.pyspark(**SPARK)
    def curate(run: dict[str, Any], spark: Any) -> dict[str, int]:
        """The star schema."""
        from lake.steps.curate import curate

        return curate(spark, Run.from_json(run))

    @task(**TRINO)
    def marts(run: dict[str, Any]) -> dict[str, Any]:
        """Business metrics: one dbt process builds and tests them."""
        from lake.steps.marts import marts

        return marts(Run.from_json(run))

    @task(**TRINO)
    def audit(run: dict[str, Any]) -> dict[str, Any]:
        """Great Expectations over Trino on the branch, while the marts are built; a blocking failure ends the run."""
        from lake.steps.audit import audit

        return audit(Run.from_json(run))

    @task(outlets=[AssetAlias(PUBLISHED)], trigger_rule="none_failed")
    def publish(run: dict[str, Any]) -> Any:
        """One merge into main, the receipt, and the event that reports and alerting wait for. Nothing new, no event."""
        from lake.steps.publish import publish

        receipt = publish(Run.from_json(run))
        proof = {name: getattr(receipt, name) for name in PROOF}
        if not receipt.unchanged_since:
            yield Metadata(Asset(PUBLISHED), extra=proof, alias=AssetAlias(PUBLISHED))
        # Not the receipt itself, which has an entry for each table: it is in the object store.
        return proof

    run = start()
    landed = extract.partial(run=run).expand(source=sources(run))
    batches = register(run)
    cleaned = clean.partial(run=run).expand(tables=batches)
    landed >> batches
    cleaned >> curate(run) >> [marts(run), audit(run)] >> publish(run)


shop_lake()
