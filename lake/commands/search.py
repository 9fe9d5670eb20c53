"""``lake search``: search in the shop's products, build its index, measure it."""

from __future__ import annotations

import json
from dataclasses import asdict
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from typer.core import TyperGroup

from lake.commands.printing import console
from lake.errors import LakeError, nearest

if TYPE_CHECKING:
    from lake.search.ask import Answer
    from lake.search.query import Sort
    from lake.search.relevance.evaluate import Evaluation

FIND = "find"


class _Words(TyperGroup):
    """Commands by name; anything else is what is looked for."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Let `lake search milk` be `lake search find milk`."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = [FIND, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(cls=_Words, no_args_is_help=True)
_Several = Annotated[list[str] | None, typer.Option(help="One of these; may be repeated.")]


@app.command(FIND)
def find(
    query: Annotated[str, typer.Argument(help="Words; `lake search find build` looks for the word build.")] = "",
    department: _Several = None,
    category: _Several = None,
    brand: _Several = None,
    price_from: Annotated[str, typer.Option("--from", metavar="PRICE", help="Lowest price.")] = "",
    price_to: Annotated[str, typer.Option("--to", metavar="PRICE", help="Highest price.")] = "",
    sort: Annotated[str, typer.Option(help="relevance, price, -price, popularity or name.")] = "relevance",
    limit: Annotated[int, typer.Option(help="Products at most.")] = 10,
    offset: Annotated[int, typer.Option(help="Products that are left out before them.")] = 0,
    boosts: Annotated[bool, typer.Option(help="What sells well and earns well comes sooner.")] = True,
    at: Annotated[str, typer.Option(metavar="RECEIPT", help="As of the receipt before the newest.")] = "",
    json_: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Look for products (needs `lake up serve`)."""
    from lake.search import ask
    from lake.search.query import Asked

    asked = Asked(
        query,
        tuple(department or ()),
        tuple(category or ()),
        tuple(brand or ()),
        _price("--from", price_from),
        _price("--to", price_to),
        _sort(sort),
        limit,
        offset,
        boosts,
    )
    answer = ask.search(asked, at)
    if json_:
        typer.echo(json.dumps(answer.to_json(), indent=1))
    else:
        _print(query, answer)


@app.command()
def suggest(
    text: Annotated[str, typer.Argument(help="What was typed so far.")],
    limit: Annotated[int, typer.Option(help="Phrases at most.")] = 8,
    json_: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """What somebody who has typed this may be about to type."""
    from lake.search import ask

    found = ask.suggest(text, limit)
    if json_:
        typer.echo(json.dumps(found.to_json(), indent=1))
        return
    for each in found.suggestions:
        console.print(f"{each.text} ({each.products:,})", highlight=False, markup=False)


@app.command()
def build(
    whole: Annotated[
        bool, typer.Option("--whole", help="Write every product, also those that are as they were.")
    ] = False,
    json_: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Build the index of the newest receipt, and let it be asked. The DAG `search_index` does so after each publish."""
    from lake.ledger import receipts
    from lake.search.build import build

    receipt = receipts.latest()
    receipt = receipts.published(receipt.run_id)
    built = build(receipt.run_id, receipt.lake_commit, receipt.source_instant, whole)
    if json_:
        typer.echo(json.dumps(asdict(built), indent=1))
        return
    said = f"{built.products:,} products; {built.written:,} written, {built.removed:,} removed, {built.seconds:.1f} s"
    console.print(f"{built.index} of {built.receipt}: {built.how}, {said}", highlight=False, markup=False)


@app.command()
def evaluate(
    worst: Annotated[int, typer.Option(help="Also the queries that were seen and are answered worst; so many.")] = 0,
    json_: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Measure the answers to the judged queries, beside those of plain BM25."""
    from lake.search.relevance.evaluate import OURS, evaluate

    found = evaluate()
    if json_:
        typer.echo(json.dumps(found.to_json(), indent=1))
        return
    _print_evaluation(found)
    # Never those that are held out: who sees them tunes for them.
    seen = sorted((each for each in found.outcomes[OURS] if not each.query.is_held_out), key=lambda each: each.ndcg)
    for each in seen[:worst]:
        console.print(f"{each.ndcg:.3f}  {each.query.text}", highlight=False, markup=False)


def _price(option: str, text: str) -> Decimal | None:
    if not text:
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        raise LakeError(f"{option} {text} is no price", "write an amount of money, such as 2.50") from None


def _sort(text: str) -> Sort:
    from lake.search.query import Sort

    try:
        return Sort(text)
    except ValueError:
        raise LakeError(f"--sort {text} is no order of products", nearest(text, [*Sort])) from None


def _print(query: str, answer: Answer) -> None:
    from lake.search.query import Way

    said = {
        Way.begun: "the last word was taken as the beginning of one",
        Way.corrected: f"nothing has these words; this is for: {answer.did_you_mean}",
        Way.some_words: "nothing has all of the words; this has some of them, or words like them",
        Way.popular: f"nothing was found for {query!r}; this is what sells best",
    }
    table = Table(box=None)
    for title in ("product", "what it is", "price", "orders"):
        table.add_column(title, overflow="fold", justify="right" if title in ("price", "orders") else "left")
    for hit in answer.hits:
        table.add_row(hit.name, f"{hit.department} / {hit.category} / {hit.kind}", f"{hit.price}", f"{hit.orders:,}")
    if answer.way in said and query:
        console.print(said[answer.way], highlight=False, markup=False)
    console.print(table)
    for name, counts in answer.facets.items():
        shown = ", ".join(f"{count.value} ({count.products:,})" for count in counts[:6])
        console.print(f"{name}: {shown}", highlight=False, markup=False)
    of = f"receipt {answer.receipt}, lake {answer.lake_commit[:12]}"
    console.print(f"{answer.total:,} products; {of}", highlight=False, markup=False)


def _print_evaluation(found: Evaluation) -> None:
    table = Table("queries", "", "nDCG@10", "MRR", "zero results", box=None)
    told = found.to_json()
    groups = {"all": told, "seen": told["seen"], "held out": told["held_out"], **told["by_kind"]}
    for name, group in groups.items():
        for way in found.outcomes:
            if figures := group.get(way):
                cells = (f"{figures[key]:.3f}" for key in ("ndcg@10", "mrr", "zero_results"))
                table.add_row(name, way.replace("_", " "), *cells)
    console.print(table)
    if found.left_out:
        console.print(f"answered by no product here: {', '.join(found.left_out)}", highlight=False, markup=False)
    said = f"{found.products:,} products of receipt {found.receipt}, lake {found.lake_commit[:12]}"
    console.print(said, highlight=False, markup=False)
