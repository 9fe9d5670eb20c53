"""A run of the pipeline without Airflow, in a process that may die at any moment.

It does what Airflow does to the same functions: one task after the other, what a task returned is kept, and a task that
was killed is tried again with what the tasks before it returned. Extraction, registration and publishing are the
program's own. Cleaning is a stand-in that merges by key, in Python: what it must tell apart does not need Spark.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa

from lake.contracts import DELETE, EXTRACTED_AT, OPERATION, RUN_ID, Contract
from lake.extract import manifest, pace
from lake.layers import raw
from lake.ledger.publish import publish as merge_into_main
from lake.ledger.receipts import Receipt
from lake.run import Run
from lake.steps import in_force
from lake.steps.extract import extract
from lake.steps.register import register
from lake.steps.start import start
from tests.faults.world import forget

Kept = dict[str, Any]

CHUNK_BYTES = 400_000
"""Of the source's pages."""


def main(
    environment: dict[str, str],
    memory_bytes: int | None,
    chunk_bytes: int,
    log: Path,
    state: Path,
    run_id: str,
    asked: str,
    unheard: str | None,
) -> None:
    """Drive a run in a process that was made for it.

    Args:
        memory_bytes: how much more address space the process may take than it has now; no limit unless given.
        chunk_bytes: how large a chunk is.
        log: file to which everything is written that the process prints.
        state: file in which the outcome of each task is kept.
    """
    with log.open("ab") as out:
        os.dup2(out.fileno(), 1)
        os.dup2(out.fileno(), 2)
    os.environ.clear()
    os.environ.update(environment)
    forget()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    if memory_bytes is not None:
        taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (taken + memory_bytes,) * 2)
    # A table that is large enough for several chunks of the usual size would make every test slow.
    pace.BYTES_PER_CHUNK = chunk_bytes
    drive(state, run_id, asked, unheard)


def drive(state: Path, run_id: str, asked: str, unheard: str | None = None) -> Kept:
    """Do the tasks that are not done; what each returned.

    Args:
        unheard: the task after which the process dies, before anybody has heard that it was done.
    """
    tasks: dict[str, Callable[[Kept], Any]] = {
        "start": lambda kept: start(run_id, asked == "full").to_json(),
        "extract": lambda kept: [extract(_run(kept), name) for name in _run(kept).sources],
        "register": lambda kept: register(_run(kept)),
        "clean": lambda kept: _clean(_run(kept)),
        "publish": lambda kept: _publish(_run(kept)),
    }
    kept: Kept = json.loads(state.read_text()) if state.exists() else {}
    for name, task in tasks.items():
        if name not in kept:
            kept[name] = task(kept)
            if name == unheard:
                os.kill(os.getpid(), signal.SIGKILL)
            # Airflow's database takes a task's outcome or it does not: never a part of it.
            staging = state.with_suffix(".new")
            staging.write_text(json.dumps(kept))
            staging.replace(state)
    return kept


def _run(kept: Kept) -> Run:
    return Run.from_json(kept["start"])


def _clean(run: Run) -> dict[str, int]:
    contracts = in_force.contracts(run)
    return {
        landed.table: merge(run.branch, run.run_id, contracts[landed.table], is_full=landed.mode == "full")
        for landed in manifest.read_run(run.sources, run.run_id)
    }


def merge(branch: str, run_id: str, contract: Contract, is_full: bool) -> int:
    """Bring ``cleaned.<table>`` to the state that a run read; its rows. Done twice it changes nothing."""
    landed = raw.find(branch, "raw", contract.table)
    held = raw.find(branch, "cleaned", contract.table)
    if landed is None:
        return 0
    names = [*contract.schema.names, RUN_ID, EXTRACTED_AT]
    schema = pa.schema([contract.raw_schema.field(name) for name in names])
    found = landed.scan(row_filter=f"{RUN_ID} = '{run_id}'").to_arrow()
    deleted = pa.compute.equal(found[OPERATION], DELETE)
    read = found.filter(pa.compute.invert(deleted)).select(names).cast(schema)
    if held is None:
        held = raw.open_catalog(branch).create_table(("cleaned", contract.table), schema)
    with held.update_schema() as update:
        update.union_by_name(schema)
    key = list(contract.key)
    if found.num_rows or is_full:
        kept = held.scan().to_arrow().select(names).cast(schema).slice(0, 0 if is_full else None)
        changed = found.select(key).cast(pa.schema([schema.field(name) for name in key]))
        held.overwrite(pa.concat_tables([kept.join(changed, key, join_type="left anti").select(names), read]))
    return raw.row_count(branch, "cleaned", contract.table)


def _publish(run: Run) -> str:
    draft = Receipt(run.run_id, "", "", "", "", run.code_version, "")
    return merge_into_main(run, draft).lake_commit
