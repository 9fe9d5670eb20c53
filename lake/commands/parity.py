"""``lake parity``: whether the lake holds what the sources hold, row by row."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lake.commands.printing import console, print_rows
from lake.errors import SourceError

if TYPE_CHECKING:
    from lake.ledger.parity import Finding

NAMED = 20
"""Keys of each kind that the output names."""


def parity(
    tables: Annotated[list[str] | None, typer.Argument(help="Tables to compare; all without.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print a list with an object for each table.")] = False,
) -> None:
    """Compare the published lake with its sources, and name the rows that differ.

    What the shop changed since the last run, and the next run takes in, is no drift. The exit code is 1 if a table has
    drifted or could not be compared.
    """
    found = _sweep(tables or [])
    if json_:
        typer.echo(json.dumps([described(finding) for finding in found], default=str, indent=1))
    else:
        _print(found)
    if not all(finding.is_equal for finding in found):
        raise typer.Exit(1)


def _sweep(tables: list[str]) -> list[Finding]:
    from lake.ledger import parity_subjects
    from lake.ledger.parity import sweep, unknown
    from lake.platform import catalog
    from lake.source import sources

    found = []
    for source, subjects in parity_subjects.published(catalog.head(), tables).items():
        try:
            found += sweep(sources.named(source), subjects)
        except SourceError as error:
            # The other sources are compared all the same.
            found += [unknown(subject, datetime.now(UTC), error.what) for subject in subjects]
    return found


def described(finding: Finding) -> dict[str, Any]:
    """What is printed of a table: plain values, and at most `NAMED` keys of each kind of drift."""
    drift = finding.drift
    kinds = {"changed": drift.changed, "missing": drift.missing, "surplus": drift.surplus}
    return {
        "table": finding.table,
        "source": finding.source,
        "instant": finding.instant.isoformat(),
        "verified_through": finding.instant.isoformat() if finding.is_equal else None,
        "source_rows": finding.source_rows,
        "lake_rows": finding.lake_rows,
        "drift_rows": drift.rows,
        "seconds": round(finding.seconds, 3),
        "note": finding.damage or finding.note,
        "drift": {kind: keys.slice(0, NAMED).to_pylist() for kind, keys in kinds.items() if keys.num_rows},
    }


def _print(found: list[Finding]) -> None:
    names = ["table", "source rows", "lake rows", "drift", "seconds", "verified through (UTC)"]
    rows = []
    for one in map(described, found):
        counts = [one[name] for name in ("source_rows", "lake_rows", "drift_rows")]
        shown = [f"{count:,}" if count is not None else None for count in counts]
        rows.append([one["table"], *shown, f"{one['seconds']:.1f}", (one["verified_through"] or "")[:19]])
    print_rows(names, rows)
    for one in map(described, found):
        for kind, keys in one["drift"].items():
            named = "; ".join(", ".join(f"{name}={value}" for name, value in key.items()) for key in keys)
            console.print(f"{one['table']} {kind}: {named}", markup=False, highlight=False, soft_wrap=True)
        if one["note"]:
            console.print(f"{one['table']}: {one['note']}", markup=False, highlight=False, soft_wrap=True)
