"""Writes ``dashboards/*.json`` from ``boards/``, and tells which of them are not what the boards make.

The JSON is kept in git, so that Grafana can be given it as it is and that a change can be read as one.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from infra.grafana.boards.airflow import airflow
from infra.grafana.boards.business import business
from infra.grafana.boards.database import database
from infra.grafana.boards.host import host
from infra.grafana.boards.lake import lake
from infra.grafana.boards.overview import overview
from infra.grafana.boards.pipeline import pipeline
from infra.grafana.boards.replication import replication

FOLDER = Path(__file__).parent / "dashboards"

BOARDS: tuple[Callable[[], Dashboard], ...] = (overview, business, pipeline, lake, database, replication, airflow, host)
"""In the order in which they are shown."""


def made() -> dict[str, dict[str, Any]]:
    """What the boards make, by the name of its file, as Grafana reads it."""
    dashboards = (board().build() for board in BOARDS)
    return {f"{dashboard.uid}.json": json.loads(JSONEncoder().encode(dashboard)) for dashboard in dashboards}


def text(dashboard: dict[str, Any]) -> str:
    """What stands in the file."""
    return json.dumps(dashboard, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def stale() -> list[str]:
    """Files that are missing, differ from what the boards make, or are of no board."""
    wanted = {name: text(dashboard) for name, dashboard in made().items()}
    found = {file.name: file.read_text() for file in FOLDER.glob("*.json")}
    return sorted(name for name in {*wanted, *found} if wanted.get(name) != found.get(name))


def write() -> None:
    """Bring the files up to date."""
    for name in stale():
        (FOLDER / name).unlink(missing_ok=True)
    for name, dashboard in made().items():
        (FOLDER / name).write_text(text(dashboard))
