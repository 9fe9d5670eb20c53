"""``lake doctor``: whether the installation is sound, and what to do where it is not."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from lake.commands.printing import console

if TYPE_CHECKING:
    from lake.observe.doctor.finding import Finding, State

STYLES = {"ok": "green", "warning": "yellow", "problem": "red", "skipped": "dim"}
WORDS: dict[State, str] = {"problem": "problems", "warning": "warnings", "ok": "well", "skipped": "not looked at"}


def doctor(
    names: Annotated[list[str] | None, typer.Argument(metavar="[CHECK]...", help="Only these checks.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print a list with an object for each finding.")] = False,
) -> None:
    """Look at the installation, and say what to do where something is wrong.

    The exit code is 1 where there is a problem. What could not be looked at, because something else is away, is said.
    """
    from lake.observe.doctor.checks import named
    from lake.observe.doctor.examine import examine

    checks = named(names or [])
    if json_:
        found = examine(checks)
        entries = [{"check": name, **each.to_json()} for name, findings in found.items() for each in findings]
        typer.echo(json.dumps(entries, indent=1))
    else:
        with console.status("looking"):
            found = examine(checks)
        _print(found)
    if any(each.state == "problem" for findings in found.values() for each in findings):
        raise typer.Exit(1)


def _print(found: Mapping[str, Sequence[Finding]]) -> None:
    width = max(map(len, found))
    for name, findings in found.items():
        for each in findings:
            mark = f"[{STYLES[each.state]}]{each.state:<7}[/]  {name:<{width}}"
            subject = "" if each.subject == name else f"{each.subject}: "
            console.print(f"{mark}  {escape(subject + each.seen)}", highlight=False, soft_wrap=True)
            if each.way_out:
                console.print(f"{'':<7}  {'':<{width}}  -> {escape(each.way_out)}", highlight=False, soft_wrap=True)
    counts = Counter(each.state for findings in found.values() for each in findings)
    told = ", ".join(f"{counts[state]} {word}" for state, word in WORDS.items() if counts[state])
    console.print(f"\n{told}", style="bold", highlight=False)
