"""Which run of the lake a run of Airflow's is."""

from __future__ import annotations

from typing import Any

from lake.run import run_id_of

PIPELINE = "shop_lake"
"""The DAG whose runs are the lake's."""


def run_of(dag_id: Any, dag_run_id: Any) -> str:
    """Id of the lake's run; empty for a run of another DAG."""
    return run_id_of(str(dag_run_id)) if dag_id == PIPELINE and dag_run_id else ""
