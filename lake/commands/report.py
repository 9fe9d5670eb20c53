"""``lake report``: the delivered reports, for people."""

from __future__ import annotations

import os
import sys
import webbrowser
from itertools import groupby
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from lake.errors import LakeError
from lake.platform import storage
from lake.reports.places import FILES, INDEX, address, delivered
from lake.settings import settings

NEWEST = 5
"""Of each report, so many are fetched with the index."""

app = typer.Typer(help="Reports: open one, list all.", no_args_is_help=True)
console = Console()

Pdf = Annotated[bool, typer.Option("--pdf", help="The PDF instead of the page.")]
Index = Annotated[
    bool, typer.Option("--index", help="The page that lists all reports, with the newest ones beside it.")
]
Run = Annotated[str | None, typer.Option("--run", metavar="RUN_ID", help="Of this run; by default the newest one.")]


@app.command("open")
def open_report(
    report: Annotated[str, typer.Argument(help="Name of the report.")] = "business",
    pdf: Pdf = False,
    run: Run = None,
    index: Index = False,
) -> None:
    """Fetch a report and show it in the browser where there is a display; its file and address are printed."""
    if index:
        file, uri = _fetch_index(), INDEX
    else:
        uri = address(report, run or _newest_run(report), "pdf" if pdf else "html")
        file = fetch(uri)
    console.print(f"file     {file}", soft_wrap=True)
    console.print(f"address  {uri}", soft_wrap=True)
    show(file)


@app.command("list")
def list_reports() -> None:
    """All delivered reports, the newest run first."""
    table = Table("report", "run", "address")
    for report, run_id in delivered():
        table.add_row(report, run_id, address(report, run_id, "html"))
    console.print(table)


def _fetch_index() -> Path:
    """The index in the state directory, with the newest reports beside it, which its links lead to."""
    # Imported here: what draws pages takes a second to import.
    from lake.reports import index

    entries = index.entries()
    beside = set()
    for _, of in groupby(entries, key=lambda entry: entry.report):
        for entry in [*of][:NEWEST]:
            for kind in FILES:
                fetch(address(entry.report, entry.run_id, kind))
            beside.add(entry)
    file = settings().home / "reports" / "index.html"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(index.page(entries, beside.__contains__))
    return file.resolve()


def _newest_run(report: str) -> str:
    for name, run_id in delivered():
        if name == report:
            return run_id
    raise LakeError(
        f"there is no report {report!r} yet",
        "it is made after the next publish; the DAG `reports` makes it now, and its page in Airflow shows a failed try",
    )


def fetch(
    uri: str, below: str = storage.REPORTS, others: str = "`lake report list` shows those that there are"
) -> Path:
    """Copy what is kept with the reports into the state directory and return the file.

    Args:
        below: where it has to be kept.
        others: how to find out what there is.

    Raises:
        LakeError: there is no such thing.
    """
    try:
        data = storage.get(uri) if uri.startswith(f"{below}/") and ".." not in uri else None
    except FileNotFoundError:
        data = None
    if data is None:
        raise LakeError(f"nothing is kept at {uri!r}", others)
    file = settings().home / "reports" / storage.path_of(uri).partition("/")[2]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    return file.resolve()


def show(file: Path) -> None:
    """Open a file in the browser, where there is a display."""
    if has_display():
        webbrowser.open(file.as_uri())


def has_display() -> bool:
    """Whether a browser could be seen."""
    return sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
