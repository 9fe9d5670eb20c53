"""Superset's files of the declared dashboards: the database, a dataset for each metric, the charts, the dashboards."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from infra.superset import drawn, laid, listed
from infra.superset.declared import HERE, Board, Chart, marts_of, read
from infra.superset.files import written
from infra.superset.identity import uuid_of
from infra.superset.statements import AT, dataset_of, expression, statement
from lake.errors import LakeError
from lake.metrics.compiler import Compiler
from lake.metrics.definitions import Metrics, load

ASSETS = HERE / "assets"
DATABASE = "Shoplake"
VERSION = "1.0.0"
TRINO = "trino://TRINO/lake"
"""Stands for the address of Trino until the files are brought in (boot.py)."""


def files(metrics: Metrics | None = None) -> dict[str, str]:
    """Text of each file by its path below ``assets/``.

    Raises:
        LakeError: the declaration or a metric is wrong.
    """
    metrics = metrics or load()
    boards = read(metrics)
    found = {"metadata.yaml": {"version": VERSION, "type": "assets"}, f"databases/{DATABASE}.yaml": _database()}
    marts = marts_of(boards)
    found |= _datasets(metrics, [chart for board in boards for chart in board.charts], marts)
    for board in boards:
        found |= {f"charts/{chart.name}.yaml": _chart(metrics, board, chart, marts) for chart in board.charts}
        found[f"dashboards/{board.slug}.yaml"] = _dashboard(board, boards)
    return {name: written(value) for name, value in sorted(found.items())}


def write(folder: Path = ASSETS, metrics: Metrics | None = None) -> None:
    """Write the files anew, and remove those that are no more."""
    wanted = files(metrics)
    for file in folder.rglob("*.yaml"):
        if str(file.relative_to(folder)) not in wanted:
            file.unlink()
    for name, text in wanted.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")


def problems(folder: Path = ASSETS, metrics: Metrics | None = None) -> list[str]:
    """What is wrong with the declaration, or stale, a line each."""
    try:
        wanted = files(metrics)
    except LakeError as error:
        return [f"infra/superset/boards.yml: {error}"]
    there = {str(file.relative_to(folder)): file.read_text("utf-8") for file in folder.rglob("*.yaml")}
    stale = [name for name in sorted(wanted.keys() | there.keys()) if wanted.get(name) != there.get(name)]
    return [f"infra/superset/assets/{name} is stale: run `python -m infra.superset`" for name in stale]


def _database() -> dict[str, Any]:
    return {
        "database_name": DATABASE,
        "sqlalchemy_uri": TRINO,
        "cache_timeout": 300,
        "expose_in_sqllab": True,
        "allow_run_async": False,
        "allow_ctas": False,
        "allow_cvas": False,
        "allow_dml": False,
        "allow_csv_upload": False,
        "configuration_method": "sqlalchemy_form",
        "impersonate_user": False,
        # An address cannot say that it is to be TLS.
        "extra": {
            "allows_virtual_table_explore": True,
            "engine_params": {"connect_args": {"http_scheme": "https"}},
        },
        "uuid": uuid_of("database", DATABASE),
        "version": VERSION,
    }


def _datasets(metrics: Metrics, charts: list[Chart], marts: list[str]) -> dict[str, Any]:
    """One for each metric that is drawn, split by all that its charts split it by."""
    compiler = Compiler(metrics.manifest)
    users: dict[str, list[Chart]] = defaultdict(list)
    for chart in charts:
        users[dataset_of(metrics, chart)].append(chart)
    found: dict[str, Any] = {}
    for name, drawing in users.items():
        metric = drawing[0].metric
        if metric is None:
            found[name] = _checked(name, marts)
            continue
        by = sorted({chart.by for chart in drawing if chart.by})
        # What is no sum is asked for by the grain that is drawn, anything else by the shortest one it is known for.
        grain = drawing[0].grain if name != metric.name else metric.grain
        sql = statement(metrics, compiler, metric, by, grain)
        expressed = expression(metrics, metric)
        asked = "".join(f" --by {each}" for each in by)
        found[name] = {
            "table_name": name,
            "description": f"{metric.label}: {metric.description} `lake metric {metric.name}{asked} --grain {grain}`",
            "main_dttm_col": AT,
            "sql": sql,
            "columns": [_column(AT, "TIMESTAMP(6)", is_time=True), *(_column(each, "VARCHAR") for each in by)],
            "metrics": [
                {
                    "metric_name": metric.name,
                    "verbose_name": metric.label,
                    "description": metric.description,
                    "expression": expressed,
                    "d3format": drawn.figure_format(metric),
                }
            ],
        }
    common = {
        "always_filter_main_dttm": False,
        "filter_select_enabled": True,
        "normalize_columns": False,
        "offset": 0,
        "schema": "marts",
        "cache_timeout": 300,
        "version": VERSION,
        "database_uuid": _database()["uuid"],
    }
    return {
        f"datasets/{DATABASE}/{name}.yaml": {**dataset, **common, "uuid": uuid_of("dataset", name)}
        for name, dataset in found.items()
    }


def _checked(name: str, marts: list[str]) -> dict[str, Any]:
    sql = listed.sql_of(name, marts)
    title, about = listed.head_of(name)
    return {
        "table_name": name,
        "description": f"{title}. {about}",
        "sql": sql,
        "columns": [_column(each, "VARCHAR") for each in listed.columns_of(sql)],
        "metrics": [{"metric_name": "count", "expression": "COUNT(*)"}],
    }


def _column(name: str, type_: str, is_time: bool = False) -> dict[str, Any]:
    label = "Day" if is_time else name if name[0].isupper() else name.replace("_", " ").capitalize()
    return {
        "column_name": name,
        "verbose_name": label,  # always: what a file does not say, Superset keeps as it was
        "type": type_,
        "is_dttm": is_time,
        "is_active": True,
        "groupby": True,
        "filterable": True,
    }


def _chart(metrics: Metrics, board: Board, chart: Chart, marts: list[str]) -> dict[str, Any]:
    dataset = dataset_of(metrics, chart)
    params = drawn.params(board, chart) | {"viz_type": drawn.viz_type(chart)}
    if chart.metric is None:
        sql = listed.sql_of(chart.check, marts)
        params["all_columns"] = listed.columns_of(sql)
        params["order_by_cols"] = [json.dumps([*each]) for each in listed.order_of(sql)]
    return {
        "slice_name": chart.title,
        "description": chart.description,
        "viz_type": drawn.viz_type(chart),
        "params": params,
        "uuid": uuid_of("chart", chart.name),
        "dataset_uuid": uuid_of("dataset", dataset),
        "version": VERSION,
    }


def _dashboard(board: Board, boards: list[Board]) -> dict[str, Any]:
    return {
        "dashboard_title": board.title,
        "description": board.about,
        "slug": board.slug,
        "css": (HERE / "dashboard.css").read_text("utf-8").strip(),
        "published": True,
        "position": laid.position(board, boards),
        "metadata": laid.metadata(board),
        "uuid": uuid_of("dashboard", board.slug),
        "version": VERSION,
    }
