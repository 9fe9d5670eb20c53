"""Writes tables anew with the same rows, by Iceberg's own procedures: small files become large ones, deleted rows go.

Branches of the lake share files, so the catalog keeps Iceberg from deleting any (`gc.enabled=false`): what is replaced
here is removed by `lake.maintenance.collect`.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from lake.contracts import EXTRACTED_AT
from lake.errors import AuditError
from lake.maintenance.statistics import DELETED_SHARE, FEW, SMALL_BYTES, TARGET_BYTES, Need
from lake.platform import catalog

log = logging.getLogger(__name__)

GROUPS_AT_ONCE = 2
"""Groups of files of one table that Spark writes at the same time."""

DATA_OPTIONS = {
    "target-file-size-bytes": TARGET_BYTES,
    "min-file-size-bytes": SMALL_BYTES,
    # A file that is larger than the target, as a first load may write it, is as good as it is.
    "max-file-size-bytes": 1 << 40,
    "min-input-files": FEW,
    "delete-ratio-threshold": DELETED_SHARE,
    "max-concurrent-file-group-rewrites": GROUPS_AT_ONCE,
    "remove-dangling-deletes": "true",
}
DELETE_OPTIONS = {"rewrite-all": "true", "max-concurrent-file-group-rewrites": GROUPS_AT_ONCE}


def rewrite(spark: Any, branch: str, needs: Sequence[Need], limit: Any) -> None:
    """Write some tables anew on a branch.

    Args:
        spark: a session of Spark Connect.
        limit: a `spark_jobs.limit.Limit` of the session that has been entered.

    Raises:
        AuditError: a table has another number of rows than before.
        SparkTimeoutError: Spark took longer than it may.
    """
    for key, value in catalog.spark_configuration(branch, branch).items():
        spark.conf.set(key, value)
    for need in needs:
        with limit.at(need.table):
            _rewrite(spark, branch, need)


def _rewrite(spark: Any, branch: str, need: Need) -> None:
    layer, table = need.table.split(".", 1)
    name = f"`{branch}`.`{layer}`.`{table}`"
    before = _count(spark, name)
    calls: list[tuple[str, ...]] = []
    if need.data:
        where = (
            f"where => \"`{EXTRACTED_AT}` < TIMESTAMP '{need.before:%Y-%m-%d %H:%M:%S.%f} UTC'\"" if need.before else ""
        )
        calls.append(("rewrite_data_files", where, _options(DATA_OPTIONS)))
    if need.deletes:
        calls.append(("rewrite_position_delete_files", _options(DELETE_OPTIONS)))
    if need.manifests:
        calls.append(("rewrite_manifests", "use_caching => false"))
    for procedure, *arguments in calls:
        # With its catalog: a first part that names one is taken for it, and a branch may have the name of a layer.
        given = ", ".join([f"table => '{name}'", *filter(None, arguments)])
        (told,) = spark.sql(f"CALL `{branch}`.system.{procedure}({given})").collect()
        log.info("%s: %s %s", need.table, procedure, told.asDict())
    after = _count(spark, name)
    if after != before:
        raise AuditError(
            f"{need.table}: {before} rows before it was written anew, {after} after it",
            f"this is a defect: nothing was published. Keep the branch {branch} and report it",
        )


def _count(spark: Any, name: str) -> int:
    return int(spark.table(name).count())


def _options(options: dict[str, Any]) -> str:
    pairs = ", ".join(f"'{key}', '{value}'" for key, value in options.items())
    return f"options => map({pairs})"
