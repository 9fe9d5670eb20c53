"""The ledger of lineage: from which columns the lake makes its columns, in the Iceberg table ``ops.lineage``.

Each row is an event of OpenLineage, as a text of JSON, which any tool that reads OpenLineage takes. What is the same as
before is not written again, so the rows of a run tell the lineage until the next run that has some.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
from pyiceberg.expressions import EqualTo, LessThanOrEqual

from lake.contracts.types import INSTANT
from lake.ledger import ops

TABLE = "lineage"

SCHEMA = pa.schema(
    [
        ("run_id", pa.string()),
        ("published_at", INSTANT),
        ("job", pa.string()),
        ("event", pa.string()),
        ("lineage_sha256", pa.string()),
    ]
)
"""``lineage_sha256`` is that of all events of the run, without its id and instants."""


@dataclass(frozen=True)
class Event:
    """What one job made of what, as JSON."""

    job: str
    json: str


@ops.beside_others
def write(run_id: str, published_at: datetime, events: Sequence[Event], sha256: str) -> bool:
    """Keep the lineage of a run, unless it has that of the run before; whether it was kept.

    Args:
        published_at: with a time zone.
        sha256: of the events, without what differs from run to run.
    """
    if sha256_at(published_at) == sha256:
        return False
    rows = [
        {"run_id": run_id, "published_at": published_at, "job": one.job, "event": one.json, "lineage_sha256": sha256}
        for one in events
    ]
    ops.table(TABLE, SCHEMA).append(pa.Table.from_pylist(rows, SCHEMA))
    return True


def events(sha256: str) -> list[Event]:
    """The events of a lineage, in the order of their jobs; none where it is not kept.

    Args:
        sha256: of the lineage, which may have come and gone and come again.
    """
    table = ops.find(TABLE)
    if table is None:
        return []
    rows = table.scan(EqualTo("lineage_sha256", sha256), selected_fields=("job", "event")).to_arrow().to_pylist()
    by_job = {row["job"]: Event(row["job"], row["event"]) for row in rows}
    return [by_job[job] for job in sorted(by_job)]


def sha256_at(instant: datetime) -> str | None:
    """That of the lineage of the lake as it was published at an instant, with a time zone; None where none is kept."""
    table = ops.find(TABLE)
    if table is None:
        return None
    until = LessThanOrEqual("published_at", instant.isoformat())
    kept = table.scan(until, selected_fields=("published_at", "lineage_sha256")).to_arrow()
    return str(kept.sort_by("published_at")["lineage_sha256"][-1].as_py()) if kept.num_rows else None
