"""``lake recommend``: make recommendations, measure them, show them, go back to earlier ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from lake.commands.days import day
from lake.commands.printing import console
from lake.errors import LakeError

if TYPE_CHECKING:
    from lake.ledger.receipts import Receipt
    from lake.recommend.baskets import Baskets
    from lake.recommend.versions import Version

app = typer.Typer(no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json")]
Receipt_ = Annotated[str, typer.Option("--receipt", metavar="RECEIPT", help="Of this one; by default the newest.")]


@app.command("evaluate")
def evaluate_models(
    json_: Json = False,
    baskets: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Of a file {customer: [[product, ...], ...]} instead.")
    ] = None,
    receipt: Receipt_ = "",
    since: Annotated[
        str, typer.Option(metavar="DAY", help="Nothing from this day on (UTC) is known, of anybody.")
    ] = "",
    hold_out: Annotated[int, typer.Option(min=1, help="Which basket is held out: 1 for the last of each.")] = 1,
) -> None:
    """Measure ours and the published models on baskets that they have not seen."""
    import numpy as np

    from lake.recommend import card
    from lake.recommend.baskets import cut
    from lake.recommend.baskets import hold_out as held_out
    from lake.recommend.evaluate import evaluate

    found, measured_on = _baskets(baskets, receipt)
    if since:
        split = cut(found, int(np.datetime64(day("--since", since), "D").astype(int)))
        held = f"the first basket on or after {since}; nothing of that time is known"
    else:
        split = held_out(found, hold_out)
        held = f"the {_nth(hold_out)} basket of each customer; all of theirs that came before is known"
    told = evaluate(split).to_json()
    told["measured_on"] |= {**measured_on, "held_out": held}
    if json_:
        typer.echo(json.dumps(told, indent=1))
        return
    lines = [
        f"{told['measured_on']['customers']:,} customers, {told['measured_on']['known_baskets']:,} baskets known",
        f"held out: {held}", "", *card.table(told), "", *card.difference(told),
    ]  # fmt: skip
    typer.echo("\n".join(lines))


def _nth(last: int) -> str:
    return {1: "last", 2: "last but one"}.get(last, f"last but {last - 1}")


def _baskets(file: Path | None, receipt: str) -> tuple[Baskets, dict[str, str]]:
    if file is not None:
        if receipt:
            raise LakeError("--baskets and --receipt name two sets of baskets", "leave one of them away")
        from lake.recommend.baskets import read_json

        return read_json(file), {"file": file.name}
    from lake.recommend import source

    of = _receipt(receipt)
    return source.read(of).baskets, {"receipt": of.run_id, "lake_commit": of.lake_commit}


def _receipt(run_id: str) -> Receipt:
    from lake.ledger import receipts

    return receipts.published(run_id or receipts.latest().run_id)


@app.command("run")
def make_version(
    receipt: Receipt_ = "",
    accept_worse: Annotated[
        bool, typer.Option("--accept-worse", help="Publish them though the guard finds them worse.")
    ] = False,
) -> None:
    """Make the recommendations of a receipt now, and let them count."""
    from lake.recommend import card
    from lake.recommend.make import make

    typer.echo(card.text(make(_receipt(receipt), accept_worse).card))


@app.command("list")
def list_versions(json_: Json = False) -> None:
    """All versions and what became of them, the newest first; the one that counts is marked."""
    from lake.recommend import versions
    from lake.recommend.evaluate import OURS, K

    events = versions.history()
    now = versions.counting(events)
    if json_:
        typer.echo(json.dumps([{**_told(one), "counts": one is now} for one in events], indent=1))
        return
    table = Table("", "at (UTC)", "receipt", "", f"recall@{K}", f"ndcg@{K}", "reason", box=None)
    for one in events:
        figures = one.card["metrics"][OURS]
        table.add_row(
            "*" if one is now else "", f"{one.at:%Y-%m-%d %H:%M:%S}", one.run_id, one.event.value,
            f"{figures[f'recall@{K}']:.4f}", f"{figures[f'ndcg@{K}']:.4f}", one.reason,
        )  # fmt: skip
    console.print(table)


def _told(one: Version) -> dict[str, Any]:
    """An event without its card, which `show` prints."""
    return {name: value for name, value in one.to_json().items() if name != "card"}


@app.command("show")
def show_version(
    receipt: Annotated[str, typer.Argument(help="Of which receipt; without it, the version that counts.")] = "",
    json_: Json = False,
) -> None:
    """Print the model card of a version."""
    from lake.recommend import card, versions

    version = versions.of(receipt) if receipt else versions.current()
    typer.echo(json.dumps(version.card, indent=1) if json_ else card.text(version.card))


@app.command("rollback")
def roll_back(
    receipt: Annotated[str, typer.Argument(help="Of the version that is to count again.")],
    reason: Annotated[str, typer.Option(help="Why, for those who read the list.")] = "",
) -> None:
    """Let an earlier version count again, until the next one is made."""
    from lake.recommend import versions

    version = versions.roll_back(receipt, reason)
    typer.echo(f"the recommendations of {version.run_id} count since {version.at:%Y-%m-%d %H:%M:%S} UTC")


@app.command("for")
def next_basket(
    customer: Annotated[int, typer.Argument(help="Id of a customer.")],
    json_: Json = False,
) -> None:
    """Print what a customer will likely buy next, and why."""
    from lake.ledger import receipts
    from lake.recommend import serve, source, versions

    version = versions.current()
    found = serve.next_basket(customer)
    if found is None:
        raise LakeError(
            f"the recommendations of {version.run_id} have no customer {customer}",
            "either there is none, or they came or left since; `lake recommend run` makes new ones",
        )
    names = source.product_names(receipts.of_run(version.run_id))
    if json_:
        told = found.to_json()
        told["products"] = [{**one, "product_name": names.get(one["product_id"])} for one in told["products"]]
        typer.echo(json.dumps(told, indent=1))
        return
    table = Table("slot", "product", "", "why", box=None)
    for one in found.products:
        table.add_row(one.slot, str(one.product_id), names.get(one.product_id, ""), one.why)
    console.print(table)
    console.print(f"of receipt {version.run_id}", highlight=False)
