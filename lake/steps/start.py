"""Begins a run: the contracts are read, so that a mistake in one is found before anything else, and a branch opens."""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from importlib.metadata import version

from lake import contracts as contract_files
from lake import logs, tracing
from lake.contracts import frozen
from lake.extract import manifest
from lake.layers import raw
from lake.ledger import code, publish
from lake.platform.catalog import MAIN
from lake.run import Run, open_run, run_id_of
from lake.settings import PROJECT
from lake.steps import scope
from lake.steps.logged import logged
from lake.tracing import names

log = logging.getLogger(__name__)

GIT_SECONDS = 10


@logged
def start(
    dag_run_id: str,
    is_full: bool = False,
    only_sources: Sequence[str] = (),
    only_tables: Sequence[str] = (),
) -> Run:
    """Open the branch of a run over all sources that there are to read.

    Args:
        dag_run_id: the orchestrator's name of the run.
        is_full: read tables whole, not what changed.
        only_sources, only_tables: read these alone; everything where both are empty.

    Raises:
        ContractError: a contract is malformed, there is nothing to read, or what is asked for is not known.
        SourceError: the shop cannot be reached.
    """
    # On main itself, and before the first branch: Nessie merges only what has a common ancestor, and an empty main has
    # none. Empty namespaces are no change to any table.
    raw.prepare(MAIN)
    publish.finish_interrupted()
    sources, has_marts = scope.to_read(only_sources)
    contracts = contract_files.load_all(sources)
    scope.check_asked(contracts, only_sources, only_tables)
    opened = open_run(
        run_id_of(dag_run_id),
        lambda name: any(manifest.is_committed(source, name) for source in sources),
        asked="full" if is_full else "auto",
        code_version=code_version(),
        sources=tuple(sources),
        only_sources=tuple(only_sources),
        only_tables=tuple(only_tables),
        has_marts=has_marts,
    )
    run = replace(opened, contracts_sha256=frozen.freeze(contracts), code_sha256=code.total())
    tracing.note({names.RUN: run.run_id})
    with logs.about(run=run.run_id):
        log.info("run %s of %s on branch %s, from main@%s", run.run_id, ", ".join(sources), run.branch, run.base)
    return run


@cache
def code_version() -> str:
    """Commit of the checkout, or the package's version where there is none."""
    command = ["git", "-C", str(PROJECT), "describe", "--always", "--dirty"]
    try:
        return subprocess.run(command, capture_output=True, check=True, text=True, timeout=GIT_SECONDS).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return version("shoplake")
