"""Which run of the lake something is of."""

from __future__ import annotations

import re
from typing import Any

from lake.run import PREFIX, run_id_of

PIPELINE = "shop_lake"
"""The DAG whose runs are the lake's."""

BRANCH = re.compile(rf"\b{PREFIX}([a-z][a-z0-9_]*?_\d{{8}}t\d{{6}}(?:_\d{{1,6}})?)(?![a-z0-9])")
"""A run's branch, or a catalog that is called by it."""


def run_of(dag_id: Any, dag_run_id: Any) -> str:
    """Id of the lake's run; empty for a run of another DAG."""
    return run_id_of(str(dag_run_id)) if dag_id == PIPELINE and dag_run_id else ""


def run_named_in(*texts: str) -> str:
    """Id of the run whose branch one of some texts names; empty where none does."""
    found = BRANCH.search(" ".join(texts))
    return found[1] if found else ""
