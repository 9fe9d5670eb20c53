"""``lake keys``: who may ask the serving API, and for what."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from lake.commands.printing import console, print_rows
from lake.settings import settings

app = typer.Typer(no_args_is_help=True)


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Whose key it is, such as web-shop.")],
    scope: Annotated[
        list[str],
        typer.Option(
            metavar="SCOPE",
            help="What it may ask for, each by one --scope: metrics, products, receipts, recommendations, search.",
        ),
    ],
    days: Annotated[int, typer.Option(help="For how long it is valid.")] = 365,
    per_minute: Annotated[
        int | None, typer.Option(help="Requests that it may make; LAKE_API_REQUESTS_PER_MINUTE, if not given.")
    ] = None,
) -> None:
    """Make a key and print it. It is shown this once: only its hash is kept."""
    from lake.api import keys

    rate = settings().api_requests_per_minute if per_minute is None else per_minute
    made, secret = keys.add(name, scope, days, rate)
    typer.echo(secret)
    said = f"{made.id} ({made.name}) may ask for {', '.join(made.scopes)} until {made.expires_at[:10]}"
    typer.echo(f"{said}; it is not shown again", err=True)


@app.command("list")
def list_() -> None:
    """List the keys, and whether each is valid."""
    from lake.api import keys

    now = datetime.now(UTC)
    found = sorted(keys.load(keys.file()).values(), key=lambda key: key.created_at)
    print_rows(
        ["id", "name", "scopes", "per minute", "made", "until", "state"],
        [
            [key.id, key.name, ", ".join(key.scopes), key.per_minute, key.created_at[:10], key.expires_at[:10],
             key.state(now)]
            for key in found
        ],
    )  # fmt: skip


@app.command()
def revoke(id_: Annotated[str, typer.Argument(metavar="ID", help="As `lake keys list` shows it.")]) -> None:
    """Let a key be refused from now on."""
    from lake.api import keys

    key = keys.revoke(id_)
    console.print(f"{key.id} ({key.name}) is refused since {key.revoked_at[:19]} UTC", highlight=False, markup=False)
