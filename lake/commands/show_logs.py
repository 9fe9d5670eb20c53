"""``lake logs``: what the services have logged."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Annotated, Any

import typer

from lake import logs as logging
from lake.errors import LakeError, ServiceError
from lake.logs.reading import written
from lake.runtime import start as starting
from lake.runtime import supervise
from lake.runtime.services import service


def logs(
    name: Annotated[
        str | None, typer.Argument(help="A service's name, as `lake status` shows it: the end of its log.")
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as lines are written.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="How many of the last lines.")] = 100,
    search: Annotated[
        str | None,
        typer.Option(
            help='Words that a line has, in the logs of all services: `disk full`, `"disk full"`, `a | b`, -c.'
        ),
    ] = None,
    run: Annotated[str, typer.Option(help="Only lines about this run, by its id.")] = "",
    source: Annotated[str, typer.Option(help="Only lines about this source.")] = "",
    table: Annotated[str, typer.Option(help="Only lines about this table.")] = "",
    level: Annotated[str, typer.Option(help="Only lines of this level, such as error.")] = "",
    since: Annotated[str, typer.Option(help="Only lines of the last 90s, 15m, 1h, 7d.")] = "",
    of: Annotated[str, typer.Option("--service", help="Only lines of this service; of tasks: airflow-task.")] = "",
    saved: Annotated[
        str, typer.Option(help="A search that has a name, such as errors; the other options make it narrower.")
    ] = "",
) -> None:
    """Print the end of a service's log, or look for lines in all logs (`--search`, `--run` …; needs `lake up observe`).

    What is JSON reads as text on a terminal, and stays as it is elsewhere.
    """
    only = {"run": run, "source": source, "table": table, "level": level, "service": of or name or ""}
    narrower = ("run", "source", "table", "level")
    is_search = search is not None or since or saved or any(only[each] for each in narrower) or of
    if is_search:
        if follow:
            raise LakeError("a search cannot be followed", "follow the log of one service: `lake logs NAME --follow`")
        _find(search or "", only, since, lines, saved)
    elif name:
        _tail(name, follow, lines)
    else:
        raise LakeError("whose log?", "name a service, or look in all logs with --search, --saved, --run or --since")


def _find(text: str, only: dict[str, str], since: str, most: int, saved: str) -> None:
    from lake.observe.search import Asked, search, span
    from lake.observe.searches import search_named

    asked = Asked(text, only, span(since) if since else None, most)
    found = search(search_named(saved).narrowed(asked) if saved else asked)
    for line in found.found:
        typer.echo(_written(line))
    if found.total > len(found.found):
        typer.echo(f"the last {len(found.found)} of {found.total} lines: --lines shows more", err=True)
    if not found.total:
        typer.echo("no line was found", err=True)


def _written(line: dict[str, Any]) -> str:
    if not logging.is_plain(sys.stdout):
        return json.dumps(line, ensure_ascii=False)
    # Where it stands is for machines.
    rest = {name: value for name, value in line.items() if name not in ("file", "offset", "rest", "error", "service")}
    head = {**rest, "event": f"{line.get('service', '')}: {line.get('event', '')}"}
    return written({**head, "exception": line["error"]} if "error" in line else head)


def _tail(name: str, follow: bool, lines: int) -> None:
    file = supervise.log_file(service(name).name)
    if not file.exists():
        raise ServiceError(f"{name} has written no log yet", "run `lake up`")
    if not follow:
        for line in starting.last_lines([name], lines):
            typer.echo(_shown(line))
        return
    # tail follows a log through its rotation.
    command = ["tail", "-n", str(lines), "-F", str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, errors="replace") as tail:
        assert tail.stdout
        try:
            for line in tail.stdout:
                typer.echo(_shown(line.rstrip("\n")))
        finally:
            tail.terminate()


def _shown(line: str) -> str:
    return logging.readable(line) if logging.is_plain(sys.stdout) else line
