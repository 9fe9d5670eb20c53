"""The ledger of parity: what each sweep found of each table, in the Iceberg table ``ops.parity``.

It is on a branch of its own, ``ops``, which starts from nothing and is never merged: bookkeeping moves no commit of
main, and holds none of main's tables. Trino and Spark read it as any branch: ``lake sql --branch ops "select * from
ops.parity"``.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.exceptions import (
    CommitFailedException,
    CommitStateUnknownException,
    NamespaceAlreadyExistsError,
    TableAlreadyExistsError,
    ValidationException,
)
from pyiceberg.expressions import EqualTo
from pyiceberg.table import Table
from tenacity import before_sleep_log, retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from lake.contracts.types import INSTANT
from lake.layers import raw
from lake.platform import catalog

if TYPE_CHECKING:
    # What compares tables is large, and who only reads the ledger needs none of it.
    from lake.ledger.parity import Against, Finding

log = logging.getLogger(__name__)

BRANCH = NAMESPACE = "ops"
TABLE = "parity"

SCHEMA = pa.schema(
    [
        ("sweep", pa.string()),
        ("instant", INSTANT),
        ("source", pa.string()),
        ("table", pa.string()),
        ("source_rows", pa.int64()),
        ("lake_rows", pa.int64()),
        ("drift_rows", pa.int64()),
        ("mended_rows", pa.int64()),
        ("seconds", pa.float64()),
        ("verified_through", INSTANT),
        ("note", pa.string()),
        ("lake_commit", pa.string()),
        ("against", pa.string()),
    ]
)
"""A row for each table of each sweep; the names are those of `lake parity --json`."""


@retry(
    # Another sweep's rows came first, or the answer was lost: the table itself tells whether ours are there. PyIceberg
    # would try again by itself, and then looks for the snapshot that it began with, which Nessie no longer has.
    retry=retry_if_exception_type((CommitFailedException, CommitStateUnknownException, ValidationException)),
    stop=stop_after_attempt(5),
    wait=wait_random_exponential(max=10),
    before_sleep=before_sleep_log(log, logging.WARNING),
    reraise=True,
)
def write(sweep: str, commit: str, against: Against, findings: Sequence[Finding]) -> None:
    """Keep what a sweep found; done again it changes nothing.

    Args:
        sweep: its id.
        commit: of main, with which the sources were compared.
        against: whether the sources were, or their primaries.
    """
    table = _table()
    if table.scan(row_filter=EqualTo("sweep", sweep), selected_fields=("sweep",), limit=1).to_arrow().num_rows:
        return
    table.append(pa.Table.from_pylist([_row(sweep, commit, against, finding) for finding in findings], SCHEMA))


def verified_through() -> dict[str, datetime]:
    """For each table the newest instant, UTC, up to which source and lake were proven equal."""
    if not catalog.exists(BRANCH):
        return {}
    table = raw.find(BRANCH, NAMESPACE, TABLE)
    if table is None:
        return {}
    rows = table.scan(selected_fields=("table", "verified_through")).to_arrow()
    proven = rows.filter(pc.is_valid(rows["verified_through"]))
    newest = proven.group_by("table").aggregate([("verified_through", "max")])
    return {row["table"]: row["verified_through_max"] for row in newest.to_pylist()}


def newest() -> list[dict[str, Any]]:
    """What the last sweep of each table against each server found: rows of `SCHEMA`, sorted by table."""
    table = raw.find(BRANCH, NAMESPACE, TABLE) if catalog.exists(BRANCH) else None
    if table is None:
        return []
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for row in table.scan().to_arrow().sort_by("instant").to_pylist():
        found[row["table"], row["against"]] = row
    return [found[pair] for pair in sorted(found)]


def _row(sweep: str, commit: str, against: Against, finding: Finding) -> dict[str, Any]:
    return {
        "sweep": sweep,
        "against": against,
        "instant": finding.instant,
        "source": finding.source,
        "table": finding.table,
        "source_rows": finding.source_rows,
        "lake_rows": finding.lake_rows,
        "drift_rows": finding.drift.rows,
        "mended_rows": finding.mended_rows,
        "seconds": finding.seconds,
        "verified_through": finding.verified_through,
        "note": finding.error or finding.note,
        "lake_commit": commit,
    }


def _table() -> Table:
    """The table, on its branch; both are made where they are missing, and so are columns that came later."""
    if not catalog.exists(BRANCH):
        catalog.create_empty_branch(BRANCH)
    tables = raw.open_catalog(BRANCH)
    found = raw.find(BRANCH, NAMESPACE, TABLE)
    if found is not None:
        if set(SCHEMA.names) - set(found.schema().column_names):
            with found.update_schema() as update:
                update.union_by_name(SCHEMA)
        return found
    try:
        tables.create_namespace(NAMESPACE)
    except NamespaceAlreadyExistsError:
        log.debug("another sweep has made the namespace")
    try:
        return tables.create_table((NAMESPACE, TABLE), SCHEMA)
    except TableAlreadyExistsError:
        return tables.load_table((NAMESPACE, TABLE))
