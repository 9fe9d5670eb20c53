"""``lake trace``: where a run spent its time."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from lake.errors import LakeError


def trace(
    run: Annotated[
        str, typer.Argument(help="A run's id, as `lake receipts` shows it, or a trace's; else the newest.")
    ] = "",
    all_: Annotated[bool, typer.Option("--all", help="Every span, also of hundreds alike.")] = False,
    json_: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Print where a run spent its time: what it did, step by step, and what it waited for (needs `lake up observe`)."""
    from lake.observe.traces import shown
    from lake.observe.traces.find import find, untold
    from lake.observe.traces.tree import tree

    found = find(run)
    root = tree(found.spans)
    try:
        missing = untold(found)
    except LakeError as error:
        missing = [f"whether all tasks are there is not known: {error.what}"]
    if found.total > len(found.spans):
        missing.insert(0, f"only the first {len(found.spans)} of {found.total} spans")
    if root.is_missing:
        missing.insert(0, "the span of the run itself is not there: it is not at its end yet, or was lost")
    if json_:
        told = {
            "trace_id": found.trace_id,
            "run": found.run,
            "dag_run": found.dag_run[1],
            "seconds": round(root.seconds, 6),
            "missing": missing,
            "other_traces": list(found.others),
            "spans": shown.to_json(root),
        }
        typer.echo(json.dumps(told, ensure_ascii=False, indent=1))
        return
    typer.echo(f"run    {found.run or ' of '.join(reversed(found.dag_run))}")
    typer.echo(f"trace  {found.trace_id}, {len(found.spans)} spans\n")
    for line in shown.lines(root, all_):
        typer.echo(line)
    typer.echo()
    for line in shown.path(root):
        typer.echo(line)
    for line in missing:
        typer.echo(f"note: {line}")
    if found.others:
        typer.echo(f"note: the run was also traced as {', '.join(found.others)}")
