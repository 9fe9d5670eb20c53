"""``python -m lake.observe.business RUN_ID LAST_DAY``: computes the figures at the commit of a receipt, and keeps them.

A process of its own, because what compiles metrics takes a quarter of a gigabyte, once a publish; and one that hangs
can be ended.
"""

from __future__ import annotations

import sys

from lake.errors import LakeError
from lake.layers import marts
from lake.ledger import receipts
from lake.metrics import definitions, series
from lake.metrics.compiler import Compiler
from lake.observe.business import declared, figures
from lake.observe.business.figures import Figures, Of
from lake.platform import sql
from lake.platform.catalog import MAIN


def computed(run_id: str, last: str) -> Figures:
    """The figures of a receipt; none of a lake without marts.

    Args:
        last: the day (UTC, ISO 8601) as of which the shop was read.

    Raises:
        LakeError: there is no such receipt, or the declaration is wrong.
        ServiceError: Trino or the object store does not answer.
    """
    receipt = receipts.published(run_id)
    of = Of(receipt.lake_commit, last, declared.sha256())
    reference = f"{MAIN}@{receipt.lake_commit}"
    if not marts.readable(["marts."], reference):
        return Figures(of)
    metrics = definitions.load()
    asked_for = declared.load(metrics)
    compiler = Compiler(metrics.manifest)
    with sql.catalog_at(f"business_{receipt.run_id}", reference) as catalog:
        return figures.compute(
            of,
            asked_for,
            metrics,
            lambda wanted, by, spans: series.together(metrics, compiler, wanted, by, "day", spans, catalog),
        )


if __name__ == "__main__":
    try:
        figures.keep(computed(*sys.argv[1:]))
    except LakeError as error:
        sys.exit(str(error))
