"""The dashboards that ``infra/grafana`` generates: the one definition for Grafana and for our page."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lake.errors import LakeError
from lake.settings import PROJECT

FOLDER = PROJECT / "infra" / "grafana" / "dashboards"
FIRST = "shoplake-overview"
"""The one that opens by itself; the others follow by title, as Grafana lists them."""


@dataclass(frozen=True)
class Dashboard:
    """One dashboard.

    Attributes:
        uid: what links call it by.
        title, about: what people read.
        model: all of it, as Grafana reads it.
    """

    uid: str
    title: str
    about: str
    model: dict[str, Any]


def dashboards(folder: Path = FOLDER) -> dict[str, Dashboard]:
    """Every dashboard by its uid, in the order in which they are shown.

    Raises:
        LakeError: there is none, or a file is not a dashboard.
    """
    found = [_read(file) for file in folder.glob("*.json")]
    if not found:
        raise LakeError(f"{folder} has no dashboards", "write them with `python -m infra.grafana`")
    found.sort(key=lambda each: (each.uid != FIRST, each.title))
    return {each.uid: each for each in found}


def _read(file: Path) -> Dashboard:
    try:
        model = json.loads(file.read_text())
        return Dashboard(model["uid"], model["title"], model["description"], model)
    except (ValueError, KeyError, TypeError) as error:
        raise LakeError(
            f"{file} is not a dashboard: {error!r}", "write it anew with `python -m infra.grafana`"
        ) from error
