"""``lake logs``: what the services have logged."""

from __future__ import annotations

import subprocess
import sys
from typing import Annotated

import typer

from lake import logs as logging
from lake.errors import ServiceError
from lake.runtime import start as starting
from lake.runtime import supervise
from lake.runtime.services import service


def logs(
    name: Annotated[str, typer.Argument(help="A service's name, as `lake status` shows it.")],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as lines are written.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="How many of the last lines.")] = 100,
) -> None:
    """Print a service's log; what is JSON reads as text on a terminal, and stays as it is elsewhere."""
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
