"""``lake parity``: whether the lake holds what the sources hold, row by row."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from lake.commands.printing import console, print_rows
from lake.commands.run import EVERYTHING, run_pipeline
from lake.errors import LakeError

if TYPE_CHECKING:
    from lake.ledger.parity import Finding


class Other(StrEnum):
    """What the lake is compared with: the database that it reads, or the primary of that replica."""

    source = "source"
    primary = "primary"


NAMED = 20
"""Keys of each kind that the output names."""


def parity(
    tables: Annotated[list[str] | None, typer.Argument(help="Tables to compare; all without.")] = None,
    repair: Annotated[bool, typer.Option("--repair", help="Let a run read again what has drifted.")] = False,
    against: Annotated[Other, typer.Option(help="What is compared.")] = Other.source,
    json_: Annotated[bool, typer.Option("--json", help="Print a list with an object for each table.")] = False,
) -> None:
    """Compare the published lake with its sources, and name the rows that differ.

    What the shop changed since the last run, and the next run takes in, is no drift. The exit code is 1 if a table has
    drifted and was not mended, or could not be compared.
    """
    from lake.ledger import parity_pass

    if repair and against is Other.primary:
        raise LakeError(
            "a repair reads the rows again from the replica, and would not mend what it has not",
            "build a replica anew that has diverged from its primary, then run `lake parity --repair`",
        )
    found = parity_pass.take(tables or [], is_marking=repair, against=against.value)
    again = _repaired(found) if repair else {}
    entries = [described(finding, again.get(finding.table)) for finding in found]
    if json_:
        typer.echo(json.dumps(entries, default=str, indent=1))
    else:
        _print(entries)
    if not all(again.get(finding.table, finding).is_sound for finding in found):
        raise typer.Exit(1)


def _repaired(found: list[Finding]) -> dict[str, Finding]:
    """Run the pipeline, which reads what is marked; what a second pass finds of the tables that had drifted."""
    from lake.ledger import parity_pass

    drifted = [finding.table for finding in found if finding.drift.rows]
    if not drifted:
        return {}
    run_pipeline(EVERYTHING, Console(stderr=True))
    return {finding.table: finding for finding in parity_pass.take(drifted, is_marking=True)}


def described(finding: Finding, again: Finding | None = None) -> dict[str, Any]:
    """What is printed of a table: plain values, and at most `NAMED` keys of each kind of drift.

    Args:
        again: what a second pass found, after a repair.
    """
    drift, last = finding.drift, again or finding
    return {
        "table": finding.table,
        "source": finding.source,
        "instant": finding.instant.isoformat(),
        "verified_through": last.verified_through.isoformat() if last.verified_through else None,
        "source_rows": finding.source_rows,
        "lake_rows": finding.lake_rows,
        "drift_rows": drift.rows,
        "mended_rows": last.mended_rows,
        "seconds": round(finding.seconds, 3),
        "note": last.error or last.note,
        "drift": {kind: keys.slice(0, NAMED).to_pylist() for kind, keys in drift.kinds.items() if keys.num_rows},
    }


def _print(entries: list[dict[str, Any]]) -> None:
    names = ["table", "source rows", "lake rows", "drift", "mended", "seconds", "verified through (UTC)"]
    rows = []
    for one in entries:
        counts = [one[name] for name in ("source_rows", "lake_rows", "drift_rows", "mended_rows")]
        shown = [f"{count:,}" if count is not None else None for count in counts]
        rows.append([one["table"], *shown, f"{one['seconds']:.1f}", (one["verified_through"] or "")[:19]])
    print_rows(names, rows)
    for one in entries:
        for kind, keys in one["drift"].items():
            named = "; ".join(", ".join(f"{name}={value}" for name, value in key.items()) for key in keys)
            console.print(f"{one['table']} {kind}: {named}", markup=False, highlight=False, soft_wrap=True)
        if one["note"]:
            console.print(f"{one['table']}: {one['note']}", markup=False, highlight=False, soft_wrap=True)
