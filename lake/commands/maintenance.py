"""``lake maintenance``: what nobody needs any more goes, and what has grown many pieces is put together."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lake.commands.printing import console, print_rows

if TYPE_CHECKING:
    from lake.maintenance.collect import Collected
    from lake.maintenance.compact import Compacted
    from lake.maintenance.gone import Gone
    from lake.maintenance.statistics import Need


def maintenance(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be done.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print an object instead of tables.")] = False,
) -> None:
    """Forget old receipts, remove files that nothing refers to, put small files together, trim Airflow's history.

    The DAG `maintenance` does the same every night. It may run beside the pipeline.
    """
    from lake.maintenance import collect, compact, trim

    now = datetime.now(UTC)
    due = compact.due(now)
    compacted = [] if dry_run or not due else _compact(now)
    collected = collect.collect(now, is_dry=dry_run)
    trimmed = trim.trim(now, is_dry=dry_run)
    if json_:
        typer.echo(json.dumps(described(dry_run, due, compacted, collected, trimmed), indent=1))
    else:
        _print(dry_run, due, compacted, collected, trimmed)


def _compact(now: datetime) -> list[Compacted]:
    from lake.maintenance import compact
    from spark_jobs.session import connect, disconnect

    spark = connect()
    try:
        return compact.compact(spark, now)
    finally:
        disconnect(spark)


def described(
    is_dry: bool, due: list[Need], compacted: list[Compacted], collected: Collected, trimmed: list[Gone]
) -> dict[str, Any]:
    """What was done, or would be: plain values.

    ``gone`` and ``held`` list kinds of things with ``count`` and ``bytes``; ``rewritten`` lists tables with why they
    are due, and whether they were ``published``: null where that was not tried.
    """
    published = {table: group.is_published for group in compacted for table in group.tables}
    return {
        "dry_run": is_dry,
        "gone": [each.to_json() for each in (*collected.gone, *trimmed)],
        "held": [each.to_json() for each in collected.held],
        "rewritten": [{**need.to_json(), "published": published.get(need.table)} for need in due],
    }


def _print(
    is_dry: bool, due: list[Need], compacted: list[Compacted], collected: Collected, trimmed: list[Gone]
) -> None:
    told = described(is_dry, due, compacted, collected, trimmed)
    for title, kind in (("would go" if is_dry else "gone", "gone"), ("stays in the lake, referred to by", "held")):
        print_rows([title, "count", "bytes"], [_shown(each) for each in told[kind]])
    state = {None: "due", True: "written anew", False: "left: a run came in between"}
    for each in told["rewritten"]:
        console.print(f"{each['table']}: {state[each['published']]} ({', '.join(each['why'])})", highlight=False)


def _shown(gone: dict[str, Any]) -> list[Any]:
    size = gone["bytes"]
    return [gone["kind"], f"{gone['count']:,}", "" if size is None else f"{size:,}"]
