"""The pages of a report: HTML that needs nothing beside itself, and PDF."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib
import typst
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from lake.drawing import charts
from lake.reports.definition import Report
from lake.reports.shown import Proof, Shown

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
    environment.filters["svg"] = lambda drawn: Markup(charts.adapting(drawn))
    return environment


def html(report: Report, figures: list[Shown], proof: Proof) -> bytes:
    """The report as one HTML page."""
    template = _environment().get_template("report.html.j2")
    period = report.period_over(proof.as_of)
    told = period.told if period else ""
    return template.render(report=report, figures=figures, proof=proof, period=told).encode()


def index(reports: Sequence[tuple[str, Sequence[tuple[Any, bool]]]]) -> bytes:
    """The index of reports as one HTML page.

    Args:
        reports: their titles, each with what is kept of it (`lake.reports.index.Entry`) and whether that can be linked.
    """
    return _environment().get_template("index.html.j2").render(reports=reports).encode()


def pdf(report: Report, figures: list[Shown], proof: Proof) -> bytes:
    """The report as PDF. All text reaches the template as JSON, so nothing of the shop's can be taken for markup."""
    period = report.period_over(proof.as_of)
    content = {
        "period": period.told[:1].upper() + period.told[1:] if period else "",
        "title": report.title,
        "description": report.description,
        "as_of": f"{proof.source_instant:%Y-%m-%d %H:%M} UTC",
        "run_id": proof.run_id,
        "lake_commit": proof.lake_commit,
        "notes": proof.notes,
        "figures": [asdict(figure) | {"empty": figure.is_empty} for figure in figures],
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
