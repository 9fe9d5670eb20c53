"""The contracts of a run once its tables are read: those that it began with, as far as they followed their tables."""

from __future__ import annotations

from lake.contracts import Contract
from lake.contracts.model import Column
from lake.extract import manifest
from lake.extract.manifest import Manifest
from lake.run import Run


def contracts(run: Run) -> dict[str, Contract]:
    """The contracts under which the run has read its tables, by name."""
    read = {landed.table: landed for landed in manifest.read_run(run.sources, run.run_id)}
    return {name: under(contract, read[name]) for name, contract in run.contracts().items()}


def under(contract: Contract, landed: Manifest) -> Contract:
    """A contract, as far as it followed its table when that was read."""
    if not landed.followed:
        return contract
    columns = {name: Column.model_validate(entry) for name, entry in landed.followed.items()}
    return Contract.model_validate({**dict(contract), "columns": {**contract.columns, **columns}})
