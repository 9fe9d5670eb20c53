"""``lake follow``: contracts and the tables that have changed their shape since."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape

from lake.commands.printing import console


def follow(
    tables: Annotated[list[str] | None, typer.Argument(help="Tables, as the lake names them; else all.")] = None,
    write: Annotated[bool, typer.Option("--write", help="Write what is followed into the contracts' files.")] = False,
) -> None:
    """Show how tables of the sources differ from their contracts, and let the contracts follow.

    A run follows by itself what loses nothing; the files say so once it is written. What is ambiguous holds its table
    back until the contract is corrected.
    """
    from lake.contracts import follow as following
    from lake.contracts.load import files, load
    from lake.errors import ContractError
    from lake.settings import settings
    from lake.source import client, schema, sources

    wanted = set(tables or ())
    seen: set[str] = set()
    for origin in sources.known().values():
        contracts = {file.stem: load(file) for file in files(origin.name) if not wanted or file.stem in wanted}
        if not contracts:
            continue
        seen |= contracts.keys()
        with client.connected(origin) as connection:
            fits = schema.fits(contracts, schema.read_tables(connection, origin))
        for name, shape in fits.items():
            if shape.is_gone:
                console.print(f"[yellow]gone[/]  {escape(name)} stays as it was", highlight=False, soft_wrap=True)
            for change in shape.followed:
                console.print(f"[green]follows[/]  {escape(f'{name}: {change}')}", highlight=False, soft_wrap=True)
            for problem in shape.obstacles.values():
                console.print(f"[red]held back[/]  {escape(problem)}", highlight=False, soft_wrap=True)
            if write and shape.followed:
                file = settings().contracts / origin.name / f"{name}.yml"
                following.write(file, shape)
                console.print(f"wrote {escape(str(file))}", highlight=False, soft_wrap=True)
    if unknown := wanted - seen:
        raise ContractError(f"there is no contract for {', '.join(sorted(unknown))}", "`lake add-table` writes one")
    console.print(f"{len(seen)} contracts were held against their tables", style="dim")
