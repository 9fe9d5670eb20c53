"""Guides and runbooks as pages: ``/docs/…`` of `lake.observe.pages`, so that who sees an alert reads there what to do.

They are the Markdown files of the project, rendered as the `CommonMark specification <https://spec.commonmark.org/>`_
has it, with GitHub's tables and its ids of headings. Addresses are those of the files, so links to each other hold.
"""

from __future__ import annotations

import re
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from lake.observe.frame import TEMPLATES
from lake.settings import PROJECT

SHOWN = ("*.md", "*.png")
# What the files hold is our own; comments in them are not to be read.
MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable("table")


def routes() -> list[Route]:
    """What the server answers."""
    return [Route("/docs/{path:path}", _guide), Route("/README.md", _guide)]


def _files() -> dict[str, Path]:
    """What may be read, by its path within the project: nothing else is opened, whatever is asked for."""
    guides = (file for pattern in SHOWN for file in (PROJECT / "docs").rglob(pattern))
    return {str(file.relative_to(PROJECT)): file for file in (PROJECT / "README.md", *guides)}


def _guide(request: Request) -> Response:
    path = request.url.path.removeprefix("/")
    file = _files().get(path)
    if file is None:
        return PlainTextResponse(f"there is no {path!r}; the guide to monitoring is docs/monitoring.md\n", 404)
    if file.suffix != ".md":
        return FileResponse(file)
    title, text = rendered(file.read_text())
    return TEMPLATES.TemplateResponse(request, "guide.html", {"title": title, "text": text})


def rendered(text: str) -> tuple[str, str]:
    """The title of a guide and its HTML."""
    tokens = MARKDOWN.parse(text)
    headings = [(token, _plain(tokens[at + 1])) for at, token in enumerate(tokens) if token.type == "heading_open"]
    for token, heading in headings:
        token.attrSet("id", _id(heading))
    return headings[0][1] if headings else "", MARKDOWN.renderer.render(tokens, MARKDOWN.options, {})


def _plain(inline: Token) -> str:
    return "".join(each.content for each in inline.children or ())


def _id(heading: str) -> str:
    """As GitHub makes it of a heading: small letters, hyphens for spaces, and nothing else that is no word."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
