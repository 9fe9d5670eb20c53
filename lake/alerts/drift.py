"""Tables of which the last sweep of parity found rows that differ from the source: told until one finds none."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from lake.alerts import kinds
from lake.alerts.alert import Alert
from lake.alerts.look import Look
from lake.ledger import parity_ledger

DRIFTED = "TableDrifted"


def look(now: datetime) -> Look:
    """The tables that have drifted, as the ledger of parity has them.

    Raises:
        ServiceError: the catalog or the object store is away.
    """
    drifted = [row for row in parity_ledger.newest() if row["drift_rows"]]
    return Look([_alert(row) for row in drifted], lambda labels: labels["alertname"] == DRIFTED)


def _alert(row: dict[str, Any]) -> Alert:
    rows = f"{row['drift_rows']:,} {'rows differ' if row['drift_rows'] > 1 else 'row differs'}"
    through = row["verified_through"]
    proven = f"proven equal up to {through:%Y-%m-%d %H:%M} UTC" if through else "never proven equal"
    what = f"{row['table']} of {row['source']}: {rows} as of {row['instant']:%Y-%m-%d %H:%M} UTC; {proven}"
    labels = {"source": row["source"], "table": row["table"], "against": row["against"]}
    if row["against"] == "primary":
        # The lake may hold what its source does: then it is the replica that is to be mended.
        labels |= {"team": kinds.DATABASE}
        return Alert(
            DRIFTED, "critical", f"{what}, against the primary", labels, "compare the replica with its primary"
        )
    return Alert(DRIFTED, "critical", what, labels, f"`lake parity {row['table']} --repair` names and mends them")
