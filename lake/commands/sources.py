"""``lake add-source``, ``remove-source``, ``sources`` and ``add-table``: which databases and tables are read."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.markup import escape

from lake.commands.printing import console, print_rows


def add_source(
    url: Annotated[str, typer.Argument(help="mysql://user:password@host:port/database")],
    name: Annotated[str | None, typer.Option(help="Its name in the lake; else made from the database's.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Give a source another address or password.")] = False,
    required: Annotated[
        bool, typer.Option("--required", help="Let runs fail when it is away, instead of going on without it.")
    ] = False,
) -> None:
    """Let the lake read another database: tries it, and remembers address and password apart."""
    from dataclasses import replace as with_changed

    from pydantic import SecretStr

    from lake.commands import add_table as adding
    from lake.source import sources

    source = sources.from_url(url, name, required)
    if not source.password.get_secret_value() and sys.stdin.isatty():
        asked = typer.prompt(f"Password of {source.where}", hide_input=True, default="", show_default=False)
        source = with_changed(source, password=SecretStr(asked))
    console.print(escape(adding.add_source(source, replace)))
    console.print(f"its tables come with `lake add-table --all --source {source.name}`", style="dim")


def remove_source(name: Annotated[str, typer.Argument(help="An added source.")]) -> None:
    """Forget a source and its password; its contracts and its tables in the lake stay."""
    from lake.source import sources

    sources.remove(name)
    console.print(f"source {name} is forgotten")


def list_sources() -> None:
    """List the databases that the lake reads."""
    from lake.contracts.load import files
    from lake.source import sources

    rows = [
        [source.name, source.where, len(files(source.name)), "yes" if source.is_required else ""]
        for source in sources.known().values()
    ]
    print_rows(["source", "address", "contracts", "required"], rows)


def add_table(
    names: Annotated[list[str] | None, typer.Argument(help="Tables, as the source has them.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every table that has no contract yet.")] = False,
    source: Annotated[
        str | None, typer.Option(help="Where they are; else every added source, or the shop if none was added.")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Overwrite contracts that exist.")] = False,
) -> None:
    """Write the contracts of tables from the database's own schema."""
    from lake.commands.add_table import add_tables

    if bool(names) == every:
        raise typer.BadParameter("name tables, or say --all")
    added = add_tables(names or [], every, source, replace)
    for note in added.notes:
        console.print(f"[yellow]note[/]  {escape(note)}", highlight=False)
    for file in added.written:
        console.print(f"wrote {escape(str(file))}", highlight=False, soft_wrap=True)
    if not added.written:
        console.print("every table has its contract: nothing was written")
