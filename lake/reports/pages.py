"""The pages of a report: HTML that needs nothing beside itself, and PDF."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import cache
from pathlib import Path

import matplotlib
import typst
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from lake.reports.definition import Report
from lake.reports.figures import Proof, Shown

TEMPLATES = Path(__file__).parent / "templates"
FONTS = Path(matplotlib.get_data_path()) / "fonts" / "ttf"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # The charts are ours, and matplotlib escapes the text within them.
    environment.filters["svg"] = Markup
    return environment


def html(report: Report, figures: list[Shown], proof: Proof) -> bytes:
    """The report as one HTML page."""
    template = _environment().get_template("report.html.j2")
    return template.render(report=report, figures=figures, proof=proof).encode()


def pdf(report: Report, figures: list[Shown], proof: Proof) -> bytes:
    """The report as PDF. All text reaches the template as JSON, so nothing of the shop's can be taken for markup."""
    content = {
        "title": report.title,
        "description": report.description,
        "as_of": f"{proof.source_instant:%Y-%m-%d %H:%M} UTC",
        "run_id": proof.run_id,
        "lake_commit": proof.lake_commit,
        "notes": proof.notes,
        "figures": [asdict(figure) for figure in figures],
    }
    return typst.compile(
        TEMPLATES / "report.typ",
        format="pdf",
        font_paths=[FONTS],
        ignore_system_fonts=True,
        sys_inputs={"content": json.dumps(content)},
        # The same receipt gives the same bytes.
        timestamp=int(proof.source_instant.timestamp()),
    )
