"""A run: one pass of the pipeline on a branch of its own. The value that every step takes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from lake.contracts import Contract, frozen
from lake.platform import catalog

PREFIX = "run_"
PUBLISH = "publish "
_LISTS = ("sources", "only_sources", "only_tables")


@dataclass(frozen=True)
class Run:
    """One pass of the pipeline.

    Attributes:
        run_id: what its rows, files, branch and receipt carry.
        base: commit of main that the run's branch starts from.
        asked: `full` reads every table whole; `auto` reads what changed wherever a cursor tells it.
        code_version: version of the code that runs.
        sources: names of the sources that it is about.
        only_sources, only_tables: names of the sources and tables that it was asked to read; all where both are empty.
        has_marts: whether it builds the star schema and the marts, which are the shop's.
        contracts_sha256: of the contracts that it began with; `contracts` gives them.
        code_sha256: of the code that it began with (`lake.ledger.code`).
    """

    run_id: str
    base: str
    asked: Literal["auto", "full"] = "auto"
    code_version: str = ""
    sources: tuple[str, ...] = ()
    only_sources: tuple[str, ...] = ()
    only_tables: tuple[str, ...] = ()
    has_marts: bool = True
    contracts_sha256: str = ""
    code_sha256: str = ""

    @property
    def branch(self) -> str:
        """Name of the run's branch, and of the catalog bound to it."""
        return PREFIX + self.run_id

    @property
    def base_reference(self) -> str:
        """The lake as it was when the run began, for a catalog."""
        return f"{catalog.MAIN}@{self.base}"

    @property
    def published_as(self) -> str:
        """Message of the commit that publishes the run; by it a repeated publish finds its own work."""
        return f"{PUBLISH}{self.branch}"

    def asks_for(self, contract: Contract) -> bool:
        """Whether a table is to be read; one that is not stays as it is."""
        is_all = not self.only_sources and not self.only_tables
        return is_all or contract.source in self.only_sources or contract.table in self.only_tables

    def contracts(self) -> dict[str, Contract]:
        """The contracts that the run began with, by table name; whatever was edited since concerns the next run."""
        return frozen.read(self.contracts_sha256)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {**asdict(self), **{name: list(getattr(self, name)) for name in _LISTS}}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Run:
        """The inverse of `to_json`."""
        return cls(**{**value, **{name: tuple(value[name]) for name in _LISTS}})


def run_id_of(dag_run_id: str) -> str:
    """A run id of the orchestrator's, fit for names of branches, catalogs and folders: lower case, digits and ``_``.

    >>> run_id_of("manual__2026-11-23T23:10:43.123456+00:00")
    'manual_20261123t231043_123456'
    """
    text = dag_run_id.lower().replace("+00:00", "").replace("-", "").replace(":", "")
    return re.sub(r"[^a-z0-9]+", "_", text).strip("_")


def last_published(commit: str) -> str | None:
    """Id of the newest run that a commit of main holds, if there is one."""
    messages = (entry.message for entry in catalog.history(f"{catalog.MAIN}@{commit}"))
    before = PUBLISH + PREFIX
    return next((message.removeprefix(before) for message in messages if message.startswith(before)), None)


def open_run(run_id: str, has_landed: Callable[[str], bool] = lambda run_id: False, **attributes: Any) -> Run:
    """Open the run's branch at the head of main.

    A branch that an earlier try left is thrown away first: a rerun starts from main as it is now. A run that was
    published already gets a new id, because main refers to the files of the published one; so does a run that has
    landed, because it is to read the source anew.

    Args:
        has_landed: tells of a run id whether its extraction was completed.
        attributes: of `Run`, beside its id and base.
    """
    published = {commit.message for commit in catalog.log()}
    attempt, fresh = 1, run_id
    while True:
        is_published = Run(fresh, "").published_as in published
        if not is_published:
            catalog.delete_branch(Run(fresh, "").branch)
            if not has_landed(fresh):
                break
        attempt += 1
        fresh = f"{run_id}_{attempt}"
    return Run(fresh, catalog.create_branch(Run(fresh, "").branch), **attributes)
