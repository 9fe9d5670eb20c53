"""What a sweep compares: every table of the last published run, by the contract with which that run read it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from lake.changes.increment import Held
from lake.contracts import Contract, frozen
from lake.errors import LakeError
from lake.extract import manifest
from lake.extract.manifest import Manifest
from lake.layers.held import HeldRows
from lake.ledger import receipts, standing
from lake.platform.catalog import MAIN
from lake.run import last_published


@dataclass(frozen=True)
class Subject:
    """A table that is to be compared.

    Attributes:
        contract: by which the last published run read it.
        published: what that run landed of it; or what a later one said, which found the lake to be the source's still.
        held: what the lake holds of it since.
    """

    contract: Contract
    published: Manifest
    held: Held


def published(commit: str, tables: Collection[str] = ()) -> dict[str, list[Subject]]:
    """What a commit of main holds, by source.

    Args:
        tables: names of those that are wanted; all without.

    Raises:
        LakeError: nothing was published yet, or a table that is wanted was not.
    """
    run_id = last_published(commit)
    if run_id is None:
        raise LakeError("nothing was published yet, so there is nothing to compare", "run the pipeline with `lake run`")
    contracts = frozen.read(receipts.of_run(run_id).contracts_sha256)
    if missing := sorted(set(tables) - contracts.keys()):
        known = ", ".join(sorted(contracts))
        raise LakeError(
            f"the lake has no table {', '.join(missing)}: it has {known}", "name tables as their contracts do"
        )
    found: dict[str, list[Subject]] = {}
    for source in sorted({contract.source for contract in contracts.values()}):
        for landed in standing.manifests(source, run_id) or manifest.read_all(source, run_id):
            contract = landed.under(contracts[landed.table])
            if not tables or landed.table in tables:
                held = HeldRows(f"{MAIN}@{commit}", contract)
                found.setdefault(source, []).append(Subject(contract, landed, held))
    return found
