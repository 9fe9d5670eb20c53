"""The contracts of a run once its tables are read: those that it began with, as far as they followed their tables."""

from __future__ import annotations

from lake.contracts import Contract
from lake.extract import manifest
from lake.run import Run


def contracts(run: Run) -> dict[str, Contract]:
    """The contracts under which the run has read its tables, by name."""
    read = {landed.table: landed for landed in manifest.read_run(run.sources, run.run_id)}
    return {name: read[name].under(contract) for name, contract in run.contracts().items()}
