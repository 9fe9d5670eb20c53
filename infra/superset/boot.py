"""Makes Superset ready to serve: its database, its roles and users, and the dashboards of this folder.

Run by the environment of Superset itself (``infra/superset/requirements.txt``) before its server starts; a second run
changes nothing. Addresses and passwords come from the environment, as in ``superset_config.py``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import yaml

from superset.app import create_app

HERE = Path(__file__).resolve().parent
ASSETS = HERE / "assets"
TRINO_PLACE = "trino://TRINO/lake"
"""Stands in the files for the address of Trino, which each installation has its own of."""

OURS = "https://shoplake.invalid/infra/superset/boards.yml"
"""Marks in Superset what was brought in from here: in a field (``external_url``) that its pages neither set nor show,
and that neither an export nor somebody's copy takes along."""

VIEWER = "Viewer"
VIEWER_RIGHTS = (
    ("can_read", "Dashboard"), ("can_read", "Chart"), ("can_read", "Dataset"), ("can_read", "CssTemplate"),
    ("can_read", "Theme"), ("can_read", "CurrentUserRestApi"), ("can_read", "AdvancedDataType"),
    ("can_read", "AvailableDomains"), ("can_read", "EmbeddedDashboard"),
    ("can_read", "DashboardFilterStateRestApi"), ("can_write", "DashboardFilterStateRestApi"),
    ("can_read", "DashboardPermalinkRestApi"), ("can_write", "DashboardPermalinkRestApi"),
    ("can_read", "ExploreFormDataRestApi"), ("can_write", "ExploreFormDataRestApi"),
    ("can_dashboard", "Superset"), ("can_explore_json", "Superset"), ("can_slice", "Superset"),
    ("can_log", "Superset"), ("can_csv", "Superset"),
    ("can_view_chart_as_table", "Dashboard"), ("can_view_query", "Dashboard"),
    ("can_time_range", "Api"), ("can_query", "Api"), ("can_query_form_data", "Api"),
    ("can_userinfo", "UserDBModelView"), ("resetmypassword", "UserDBModelView"),
    ("menu_access", "Dashboards"), ("menu_access", "Home"),
)  # fmt: skip
"""What whoever looks at dashboards may do: look, filter, and take away what is shown. No SQL, no editing."""

ANALYST = "Analyst"
ANALYST_OF = ("Alpha", "sql_lab")
"""Superset's own roles that make up an analyst: every dataset, charts of one's own, and SQL."""


def main() -> None:
    """Migrate, then roles, users and dashboards."""
    app = create_app()
    with app.app_context():
        _migrate()
        roles = _roles()
        admin = _user(os.environ["SUPERSET_ADMIN"], os.environ["SUPERSET_ADMIN_PASSWORD"], "Admin")
        _user(os.environ["SUPERSET_VIEWER"], os.environ["SUPERSET_VIEWER_PASSWORD"], VIEWER)
        count = _import(admin)
        declared = _declared()
        _mark(declared)
        for gone in _remove(declared):
            print(f"declared no more, and removed: {gone}")
        _show_to(roles)
        print(f"{count} dashboards are in place")


def _migrate() -> None:
    import flask_migrate

    import superset

    flask_migrate.upgrade(directory=str(Path(superset.__file__).parent / "migrations"))


def _roles() -> list[Any]:
    """Superset's own roles, and the two that people here have; those whom every dashboard is shown to."""
    from superset import db, security_manager
    from superset.extensions import appbuilder

    appbuilder.add_permissions(update_perms=True)
    security_manager.sync_role_definitions()
    viewer = security_manager.add_role(VIEWER)
    viewer.permissions = [
        found for found in (security_manager.find_permission_view_menu(*each) for each in VIEWER_RIGHTS) if found
    ]
    analyst = security_manager.add_role(ANALYST)
    analyst.permissions = list({right for name in ANALYST_OF for right in security_manager.find_role(name).permissions})
    db.session.commit()
    return [viewer, analyst]


def _user(name: str, password: str, role: str) -> Any:
    """A user with this password, made or brought up to date."""
    from superset import db, security_manager

    found = security_manager.find_user(name)
    if found is None:
        found = security_manager.add_user(
            name, name.capitalize(), "Shoplake", f"{name}@shoplake.invalid", security_manager.find_role(role), password
        )
        if not found:
            sys.exit(f"the user {name} could not be made")
    else:
        security_manager.reset_password(found.id, password)
    db.session.commit()
    return found


def _import(admin: Any) -> int:
    """Bring the dashboards of the files in, over what is there."""
    from superset.commands.database.importers.v1 import utils
    from superset.commands.importers.v1.assets import ImportAssetsCommand
    from superset.utils.core import override_user

    # It would ask Trino for every schema, which need not be up yet; rights are by dashboard here.
    utils.add_permissions = lambda *_, **__: None
    contents = {
        str(file.relative_to(ASSETS)): file.read_text("utf-8").replace(TRINO_PLACE, os.environ["SUPERSET_TRINO_URI"])
        for file in sorted(ASSETS.rglob("*.yaml"))
    }
    with override_user(admin):
        ImportAssetsCommand(contents).run()
    return sum(name.startswith("dashboards/") for name in contents)


def _declared() -> dict[str, set[str]]:
    """Uuids of what the files hold, by the folder that it is in."""
    return {
        kind: {yaml.safe_load(file.read_text("utf-8"))["uuid"] for file in (ASSETS / kind).rglob("*.yaml")}
        for kind in ("dashboards", "charts", "datasets")
    }


def _mark(declared: Mapping[str, Collection[str]]) -> None:
    """Let all that is declared be known as ours.

    Args:
        declared: uuids of ``dashboards``, ``charts`` and ``datasets``.
    """
    from superset import db

    for kind, model in _models().items():
        for each in db.session.query(model).filter(model.uuid.in_(declared[kind])):
            each.external_url = OURS
    db.session.commit()


def _remove(declared: Mapping[str, Collection[str]]) -> list[str]:
    """Remove what is ours and is not declared any more; what each was called.

    A chart that somebody has put on a dashboard of their own stays until it is taken off, and so does a dataset that
    any chart draws from.
    """
    from superset import db

    models = _models()
    gone: list[str] = []
    for board in _undeclared(models["dashboards"], declared["dashboards"]):
        gone.append(f"dashboard {board.dashboard_title}")
        db.session.delete(board)
    db.session.flush()
    for chart in _undeclared(models["charts"], declared["charts"]):
        if not chart.dashboards:
            gone.append(f"chart {chart.slice_name}")
            db.session.delete(chart)
    db.session.flush()
    chart_model = models["charts"]
    for dataset in _undeclared(models["datasets"], declared["datasets"]):
        drawn = db.session.query(chart_model).filter_by(datasource_id=dataset.id, datasource_type="table")
        if not drawn.count():
            gone.append(f"dataset {dataset.table_name}")
            db.session.delete(dataset)
    db.session.commit()
    return gone


def _models() -> dict[str, Any]:
    from superset.connectors.sqla.models import SqlaTable
    from superset.models.dashboard import Dashboard
    from superset.models.slice import Slice

    return {"dashboards": Dashboard, "charts": Slice, "datasets": SqlaTable}


def _undeclared(model: Any, declared: Collection[str]) -> list[Any]:
    from superset import db

    ours = db.session.query(model).filter(model.external_url == OURS)
    return [each for each in ours if str(each.uuid) not in declared]


def _show_to(roles: list[Any]) -> None:
    from superset import db
    from superset.models.dashboard import Dashboard

    # Ours alone: what somebody has made for themselves is theirs to show.
    ours = [file.stem for file in (ASSETS / "dashboards").glob("*.yaml")]
    for dashboard in db.session.query(Dashboard).filter(Dashboard.slug.in_(ours)):
        dashboard.roles = roles
    db.session.commit()


if __name__ == "__main__":
    main()
