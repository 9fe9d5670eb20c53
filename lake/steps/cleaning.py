"""What the tasks that clean tables have found, read together."""

from __future__ import annotations

from lake.errors import LakeError
from lake.layers.outcome import Outcome
from lake.ledger import journal
from lake.run import Run


def outcomes(run: Run) -> dict[str, Outcome]:
    """The outcome of each table, by its name; of one that nothing concerned, that nothing was done.

    Raises:
        LakeError: some tables of the run have none.
    """
    found = {entry["table"]: Outcome(**entry) for part in journal.read_parts(run.run_id, "clean") for entry in part}
    if missing := sorted(set(journal.read(run.run_id, "register")["cleaned"]) - found.keys()):
        raise LakeError(
            f"run {run.run_id} has not cleaned {', '.join(missing)}", "clear the task `clean` of this run, or run anew"
        )
    return {table: Outcome(table) for table in run.contracts()} | found


def changed_tables(run: Run) -> set[str]:
    """Tables of which a row was judged or deleted."""
    return {table for table, outcome in outcomes(run).items() if outcome.changed}
