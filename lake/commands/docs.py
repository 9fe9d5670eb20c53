"""``lake docs``: what dbt knows of the marts, as pages."""

from __future__ import annotations

import webbrowser
from typing import Annotated

import typer

from lake.commands.printing import console
from lake.commands.report import has_display
from lake.settings import settings

PAGE = "static_index.html"


def docs(
    serve: Annotated[
        bool, typer.Option(help="Serve the page on this machine until Ctrl-C, for who is not at it.")
    ] = False,
) -> None:
    """Make the pages of the marts: models, columns, tests, metrics, what depends on what, and the tables as built."""
    from lake.layers import marts

    folder = settings().home / "docs" / "dbt"
    folder.mkdir(parents=True, exist_ok=True)
    marts.write_docs(folder)
    file = (folder / PAGE).resolve()
    console.print(f"file     {file}", soft_wrap=True)
    if has_display():
        webbrowser.open(file.as_uri())
    if serve:
        _serve(file.read_bytes())


def _serve(page: bytes) -> None:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import HTMLResponse
    from starlette.routing import Route

    def show(request: Request) -> HTMLResponse:
        return HTMLResponse(page)

    port = settings().docs_port
    console.print(f"address  http://127.0.0.1:{port}/", soft_wrap=True)
    uvicorn.run(Starlette(routes=[Route("/", show)]), host="127.0.0.1", port=port, log_level="warning")
