"""# recommend: what will each customer buy next, and what is bought together?

Waits for the event that `shop_lake` emits when a run is published, and makes a version of the recommendations of that
lake (docs/recommendations.md): measured, compared with the version that counts, and written to the branch `recommend`,
which is never merged. No run and no report waits for it, and it gives way to them. At most one version is made a day;
in between, customers who are gone from the shop are removed from all versions, with each publish.

**Started by hand**, it makes a version of the newest receipt, whatever was made today.

**When the task fails.** The lake is not touched, and the version that counted goes on counting.

| reason | what to do |
|---|---|
| the version is worse than the one that counts by more than the margin | the log has the figures; `lake recommend show RECEIPT` has the model card of the refused one. Is the lake all right (`lake receipts`)? Is it all right that people changed? Then `lake recommend run --accept-worse` |
| the catalog or the object store is away | `lake status`; the retries wait a while |

**A version that should not count** is left by `lake recommend rollback RECEIPT`.

**A rerun** makes the same version again, in the place of the first. Where the lake has no orders yet that could be
learnt from, nothing is made, and the log says so.
"""  # noqa: E501

from __future__ import annotations

from datetime import datetime

from airflow.sdk import Asset, dag, get_current_context, task
from common import DAG, PUBLISHED, TAGS, TASK_LIMIT
from triggers import published_run

NICENESS = 10
"""A tenth of what others get of a core that they want too."""


@dag(
    **DAG,
    schedule=[Asset(PUBLISHED)],
    start_date=datetime(2025, 1, 1),
    dagrun_timeout=2 * TASK_LIMIT,
    tags=[*TAGS, "recommend"],
    doc_md=__doc__,
)
def recommend() -> None:
    """One task: what it does is in `lake.steps.recommend`."""

    @task
    def make() -> str | None:
        """The receipt that a version was made from, if one was due."""
        import os

        from lake.steps.recommend import recommend

        # The reports of the same publish are waited for.
        os.nice(NICENESS)
        context = get_current_context()
        asked = not context.get("triggering_asset_events")
        return recommend(published_run(context)["run_id"], asked)

    make()


recommend()
