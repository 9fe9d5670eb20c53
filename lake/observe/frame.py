"""The frame that all pages of `lake.observe.pages` have, ``page/frame.html``, and what each holds within it."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.templating import Jinja2Templates

PAGE = Path(__file__).parent / "page"
"""Templates, and the files that they name."""

TEMPLATES = Jinja2Templates(env=Environment(loader=FileSystemLoader(PAGE), autoescape=True, undefined=StrictUndefined))
