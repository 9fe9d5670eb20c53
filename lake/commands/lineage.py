"""``lake lineage``: where a column comes from, and what is made of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Annotated, Any

import rich.table
import typer
from rich.markup import escape
from rich.tree import Tree

from lake.commands.printing import console

if TYPE_CHECKING:
    from lake.lineage.graph import Graph, Uses
    from lake.lineage.model import Column, Table, Use


def lineage(
    name: Annotated[str, typer.Argument(help="LAYER.TABLE.COLUMN, or LAYER.TABLE for all of its columns.")],
    run: Annotated[
        str, typer.Option(metavar="RUN", help="As it was when this run was published; `lake receipts` lists them.")
    ] = "",
    json_: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Show the way of a column back to the sources, and forward to reports and alert rules.

    The contracts and the code tell it, as they are here: no service needs to be up. With --run, the lake does.
    """
    from lake.lineage import build, kept
    from lake.lineage.model import Column

    graph = kept.of_run(run) if run else build.of_checkout()
    found = graph.find(name)
    if json_:
        told = _column_told(graph, found) if isinstance(found, Column) else _table_told(graph, found)
        typer.echo(json.dumps(told, indent=1))
    elif isinstance(found, Column):
        _print_column(graph, found)
    else:
        _print_table(graph, found)


def _print_table(graph: Graph, table: Table) -> None:
    by = graph.made[table].by
    console.print(f"{_named(table)}{f', made by {by}' if by else ''}", markup=False, highlight=False)
    if rows := graph.rows(table):
        console.print(f"its rows: {', '.join(_used(rows))}", markup=False, highlight=False)
    columns = rich.table.Table(box=None)
    for title in ("column", "from the sources", "seen in"):
        # Folded, where others end in an ellipsis: half of a column's name is none.
        columns.add_column(title, overflow="fold")
    for column in graph.columns(table):
        columns.add_row(
            escape(column.name),
            _lines(_used(graph.sources(column))),
            _lines(_named(table) for table in _tables(graph.seen_as(column))),
        )
    console.print(columns, highlight=False)


def _print_column(graph: Graph, column: Column) -> None:
    by = graph.made[column.table].by
    console.print(f"{_named(column)}{f', made by {by}' if by else ''}", markup=False, highlight=False)
    _print_tree("comes from", column, graph.inputs)
    _print_tree("goes into", column, graph.readers)
    if decided := graph.decided_by(column):
        console.print(f"decides the rows of {', '.join(map(_named, decided))}", markup=False, highlight=False)


def _print_tree(title: str, column: Column, next_to: Callable[[Column], Uses]) -> None:
    """Print the ways that begin at a column; what is on several of them is followed once."""
    followed: set[Column] = set()

    def grow(tree: Tree, at: Column) -> None:
        for found, uses in next_to(at).items():
            is_new = found not in followed
            followed.add(found)
            has_more = not is_new and bool(next_to(found))
            branch = tree.add(escape(f"{_named(found)} ({_words(uses)}){', as above' if has_more else ''}"))
            if is_new:
                grow(branch, found)

    tree = Tree(title)
    grow(tree, column)
    if tree.children:
        console.print(tree, highlight=False)
    else:
        console.print(f"{title}: nothing", highlight=False)


def _table_told(graph: Graph, table: Table) -> dict[str, Any]:
    return {
        "table": str(table),
        "kind": table.kind,
        "made_by": graph.made[table].by,
        "rows_decided_by": _told(graph.rows(table)),
        "columns": [_column_told(graph, column) for column in graph.columns(table)],
    }


def _column_told(graph: Graph, column: Column) -> dict[str, Any]:
    return {
        "column": str(column),
        "kind": column.table.kind,
        "made_by": graph.made[column.table].by,
        "made_of": _told(graph.inputs(column)),
        "sources": [
            {"source": found.table.space, "table": found.table.name, "column": found.name, "uses": list(uses)}
            for found, uses in graph.sources(column).items()
        ],
        "goes_into": _told(graph.readers(column)),
        "decides_rows_of": [str(table) for table in graph.decided_by(column)],
        "seen_as": [{"column": str(seen), "kind": seen.table.kind} for seen in graph.seen_as(column)],
    }


def _told(columns: Uses) -> list[dict[str, Any]]:
    return [{"column": str(column), "kind": column.table.kind, "uses": list(uses)} for column, uses in columns.items()]


def _used(columns: Uses) -> list[str]:
    return [f"{column} ({_words(uses)})" for column, uses in columns.items()]


def _words(uses: Iterable[Use]) -> str:
    return ", ".join(use.lower().replace("_", " ") for use in uses)


def _named(thing: Table | Column) -> str:
    """A name, with what it is the name of where it is not the lake's."""
    kind = thing.kind if hasattr(thing, "kind") else thing.table.kind
    return str(thing) if kind == "lake" else f"{kind} {thing}"


def _tables(columns: Iterable[Column]) -> list[Table]:
    return sorted({column.table for column in columns})


def _lines(texts: Iterable[str]) -> str:
    return escape("\n".join(texts))
