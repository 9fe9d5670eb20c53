"""A dashboard: what all of them have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders.dashboard import Dashboard, DashboardLink, QueryVariable, Row
from grafana_foundation_sdk.models import dashboard as model

from infra.grafana.panels import SOURCE, Panel

TAG = "shoplake"

OVERVIEW = "shoplake-overview"
BUSINESS = "shoplake-business"
DATABASE = "shoplake-database"
REPLICATION = "shoplake-replication"
PIPELINE = "shoplake-pipeline"
LAKE = "shoplake-lake"
AIRFLOW = "shoplake-airflow"
HOST = "shoplake-host"


@dataclass(frozen=True)
class Choice:
    """A label by whose values a person narrows the whole dashboard; all of them at first.

    Args:
        name: of the label and of the variable, ``$name`` in expressions.
        title: what a person reads.
        metric: whose series have the label.
    """

    name: str
    title: str
    metric: str


@dataclass(frozen=True)
class Section:
    """Panels under one heading; they flow from left to right over 24 columns."""

    title: str
    panels: Sequence[Panel]


def board(
    uid: str,
    title: str,
    about: str,
    sections: Sequence[Section],
    *,
    choices: Sequence[Choice] = (),
    since: str = "now-6h",
) -> Dashboard:
    """A dashboard with links to all others, which keep the chosen time."""
    made = (
        Dashboard(title)
        .uid(uid)
        .description(about)
        .tags([TAG])
        .timezone("utc")
        .time(since, "now")
        .refresh("30s")
        .readonly()
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .link(
            DashboardLink("Shoplake")
            .type(model.DashboardLinkType.DASHBOARDS)
            .tags([TAG])
            .as_dropdown(False)
            .keep_time(True)
        )
    )
    for choice in choices:
        made = made.with_variable(_variable(choice))
    for section in sections:
        made = made.with_row(Row(section.title))
        for panel in section.panels:
            made = made.with_panel(panel)
    for number, placed in enumerate(made.build().panels or [], start=1):
        placed.id_val = number
    return made


def _variable(choice: Choice) -> QueryVariable:
    return (
        QueryVariable(choice.name)
        .label(choice.title)
        .datasource(SOURCE)
        .query(f"label_values({choice.metric}, {choice.name})")
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.ALPHABETICAL_ASC)
        .include_all(True)
        .all_value(".*")
        .current(model.VariableOption(text="All", value="$__all", selected=True))
    )
