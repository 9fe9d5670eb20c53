"""``lake receipts``: what was published."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from lake.commands.printing import print_rows


def receipts(json_: Annotated[bool, typer.Option("--json")] = False) -> None:
    """List what was published, the newest first."""
    from lake.ledger.receipts import receipts as all_receipts

    found = all_receipts()
    if json_:
        typer.echo(json.dumps([receipt.to_json() for receipt in found], indent=1))
        return
    rows = [
        [r.run_id, r.published_at[:19], r.source_instant[:19], sum(t["read"] for t in r.tables.values()),
         f"{r.checks['checks']} ({len(r.checks['warnings'])} warnings)",
         r.lake_commit[:12] + (" (unchanged)" if r.unchanged_since else "")]
        for r in found
    ]  # fmt: skip
    print_rows(["run", "published (UTC)", "source as of (UTC)", "rows read", "checks", "commit"], rows)
