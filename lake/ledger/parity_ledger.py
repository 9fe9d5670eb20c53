"""The ledger of parity: what each sweep found of each table, in the Iceberg table ``ops.parity``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.expressions import EqualTo

from lake.contracts.types import INSTANT
from lake.ledger import ops

if TYPE_CHECKING:
    # What compares tables is large, and who only reads the ledger needs none of it.
    from lake.ledger.parity import Against, Finding

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


@ops.beside_others
def write(sweep: str, commit: str, against: Against, findings: Sequence[Finding]) -> None:
    """Keep what a sweep found; done again it changes nothing.

    Args:
        sweep: its id.
        commit: of main, with which the sources were compared.
        against: whether the sources were, or their primaries.
    """
    table = ops.table(TABLE, SCHEMA)
    if table.scan(row_filter=EqualTo("sweep", sweep), selected_fields=("sweep",), limit=1).to_arrow().num_rows:
        return
    table.append(pa.Table.from_pylist([_row(sweep, commit, against, finding) for finding in findings], SCHEMA))


def verified_through() -> dict[str, datetime]:
    """For each table the newest instant, UTC, up to which source and lake were proven equal."""
    table = ops.find(TABLE)
    if table is None:
        return {}
    rows = table.scan(selected_fields=("table", "verified_through")).to_arrow()
    proven = rows.filter(pc.is_valid(rows["verified_through"]))
    newest = proven.group_by("table").aggregate([("verified_through", "max")])
    return {row["table"]: row["verified_through_max"] for row in newest.to_pylist()}


def newest() -> list[dict[str, Any]]:
    """What the last sweep of each table against each server found: rows of `SCHEMA`, sorted by table."""
    table = ops.find(TABLE)
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
