"""The guides beside the dashboards, ``/shoplake/docs/…``: what metrics there are, and how a report is had.

They are the Markdown files of the project, under the addresses that they have there, so that links to each other hold.
Read by Superset itself (``superset_config.py``), so no other module of the project is needed.
"""

from __future__ import annotations

import os
from pathlib import Path

from flask import Blueprint, Response, redirect, send_file, url_for
from flask_login import current_user
from markdown_it import MarkdownIt

DOCS = Path(os.environ["SUPERSET_DOCS"])
SHOWN = ("*.md", "*.png")
MARKDOWN = MarkdownIt("commonmark").enable("table")
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · Shoplake</title>
<style>
  :root {{ color-scheme: light dark; }}
  body {{ max-width: 60rem; margin: 0 auto; padding: 1rem; font: 16px/1.55 system-ui, sans-serif; }}
  a {{ color: light-dark(#2563a8, #8fb8de); }}
  pre, .wide {{ overflow-x: auto; }}
  code {{ font-size: 0.9em; }}
  table {{ border-collapse: collapse; font-size: 0.9em; }}
  th, td {{ padding: 0.35rem 0.6rem; border-bottom: 1px solid #8884; text-align: left; vertical-align: top; }}
  img {{ max-width: 100%; }}
</style>
<p><a href="/superset/dashboard/overview/">← Executive overview</a></p>
{text}
</html>
"""

blueprint = Blueprint("shoplake", __name__, url_prefix="/shoplake")


@blueprint.route("/docs/<path:path>")
def guide(path: str) -> Response:
    """A guide, or a picture of one, for whoever is signed in."""
    if not current_user.is_authenticated:
        return redirect(url_for("AuthDBView.login", next=f"/shoplake/docs/{path}"))
    # Nothing else is opened, whatever is asked for.
    files = {str(file.relative_to(DOCS)): file for pattern in SHOWN for file in DOCS.rglob(pattern)}
    file = files.get(path)
    if file is None:
        said = f"there is no {path!r}; metrics are told in /shoplake/docs/metrics.md\n"
        return Response(said, 404, mimetype="text/plain")
    if file.suffix != ".md":
        return send_file(file)
    text = file.read_text("utf-8")
    title = text.split("\n", 1)[0].removeprefix("# ")
    shown = MARKDOWN.render(text).replace("<table>", '<div class="wide"><table>').replace("</table>", "</table></div>")
    return Response(PAGE.format(title=title, text=shown), mimetype="text/html")
