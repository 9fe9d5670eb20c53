"""Which runs the lake still knows: those whose receipts are kept, and those whose branches are there. The rest is
forgotten: receipt, tag and branch here, and what is found to be nobody's then by `lake.maintenance.collect`.

Whoever is killed in between leaves a tag or a branch too many, which the next pass finds.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from lake import faultpoints
from lake.errors import CatalogError, LakeError
from lake.ledger import receipts, retention
from lake.ledger.receipts import Receipt
from lake.platform import catalog, storage
from lake.platform.catalog import Reference
from lake.run import PREFIX
from lake.settings import settings

log = logging.getLogger(__name__)

TAG = "receipt_"
REWRITING = "maintenance_"
"""What the names of branches begin with on which files are rewritten."""

_SEEN = f"{storage.AUDIT}/branches"


@dataclass(frozen=True)
class Plan:
    """What is kept and what is forgotten.

    Attributes:
        kept, forgotten: receipts.
        references: all branches and tags, as they were before anything was forgotten.
        abandoned: branches of runs that ended long ago without a publish.
    """

    kept: tuple[Receipt, ...]
    forgotten: tuple[Receipt, ...]
    references: tuple[Reference, ...]
    abandoned: tuple[Reference, ...]

    @property
    def outdated_tags(self) -> list[Reference]:
        """Tags of receipts that are not kept."""
        kept = {tag_of(receipt.run_id) for receipt in self.kept}
        return [each for each in self.references if _is_ours(each) and each.name not in kept]

    @property
    def remaining(self) -> list[Reference]:
        """Branches and tags that stay."""
        gone = {each.name for each in (*self.outdated_tags, *self.abandoned)}
        return [each for each in self.references if each.name not in gone]

    def living(self) -> set[str]:
        """Ids of the runs that are published and kept, or may yet be published, as it is now."""
        # In this order: a run has its receipt before its branch is gone.
        branches = {branch.removeprefix(PREFIX) for branch in catalog.branches() if branch.startswith(PREFIX)}
        there = branches | receipts.run_ids() | retention.needed(catalog.head())
        doomed = {receipt.run_id for receipt in self.forgotten}
        return there - doomed - {each.name.removeprefix(PREFIX) for each in self.abandoned}


def tag_of(run_id: str) -> str:
    """Name of the tag that keeps the commit of a receipt."""
    return TAG + run_id


def plan(now: datetime) -> Plan:
    """What the policy says of the receipts, tags and branches that there are; nothing is changed.

    Args:
        now: with a time zone.
    """
    # In this order: a tag is made after its receipt, so each tag that is found has its receipt in the list or is late.
    references = catalog.references()
    found = receipts.receipts()
    ids = retention.kept(found, now, retention.needed(catalog.head()))
    return Plan(
        kept=tuple(receipt for receipt in found if receipt.run_id in ids),
        forgotten=tuple(receipt for receipt in found if receipt.run_id not in ids),
        references=tuple(references),
        abandoned=tuple(_abandoned(references, now)),
    )


def carry_out(plan: Plan) -> None:
    """Tag the commits of the receipts that are kept, and forget the others with their tags and branches.

    Raises:
        LakeError: the catalog does not know the commit of a receipt that is kept; all the rest is done.
    """
    have = {each.name for each in plan.references}
    lost = [receipt for receipt in plan.kept if tag_of(receipt.run_id) not in have and not _tag(receipt)]
    storage.delete_all(receipts.address(receipt.run_id) for receipt in plan.forgotten)
    faultpoints.reach("maintenance.forgotten")
    for reference in (*plan.outdated_tags, *plan.abandoned):
        _delete(reference)
    _note(plan.remaining)
    if plan.forgotten:
        log.info("forgot %s receipts: %s", len(plan.forgotten), receipts.policy())
    if lost:
        raise unknown_commits(lost)


def lost(plan: Plan) -> list[Receipt]:
    """Receipts that are kept, and whose commits neither a tag keeps nor main has."""
    tagged = {each.name: each.hash for each in plan.references if _is_ours(each)}
    untagged = [each for each in plan.kept if tagged.get(tag_of(each.run_id)) != each.lake_commit]
    return [each for each in untagged if not catalog.knows(each.lake_commit)]


def unknown_commits(lost: Iterable[Receipt]) -> LakeError:
    """What to say of receipts whose commits the catalog does not know."""
    named = ", ".join(f"{receipt.lake_commit} of run {receipt.run_id}" for receipt in lost)
    return LakeError(
        f"the catalog does not know the commit {named}: it is not the one that published it, or is older than it",
        "put the catalog's newer state back. Where it is lost for good, delete these receipts "
        f"({storage.RECEIPTS}/<run>.json). Until then no file of the lake is removed",
    )


def _tag(receipt: Receipt) -> bool:
    """Tag a receipt's commit; whether the catalog knows it."""
    try:
        catalog.create_tag(tag_of(receipt.run_id), receipt.lake_commit)
    except CatalogError as error:
        log.error("%s", error.what)
        return False
    return True


def _delete(reference: Reference) -> None:
    try:
        catalog.delete(reference)
    except CatalogError as error:
        log.warning("%s stays, it has moved: %s", reference.name, error.what)


# -- branches that nobody goes on with
def _abandoned(references: Iterable[Reference], now: datetime) -> Iterator[Reference]:
    """Branches of runs on which nothing has been written for so long that nobody will go on with them.

    The catalog does not tell since when there is a branch, so each pass notes where those that it sees point to.
    """
    for branch in _of_runs(references):
        seen_at = storage.written_at(_seen(branch))
        if seen_at and seen_at <= now - timedelta(days=settings().branch_days) and _is_as_seen(branch):
            yield branch


def _note(references: Iterable[Reference]) -> None:
    branches = {_seen(branch): branch for branch in _of_runs(references)}
    noted = set(storage.list_keys(_SEEN))
    storage.delete_all(noted - branches.keys())
    for uri, branch in branches.items():
        if uri not in noted or not _is_as_seen(branch):
            storage.put(uri, json.dumps(branch.hash).encode(), "application/json")


def _is_as_seen(branch: Reference) -> bool:
    return bool(json.loads(storage.get(_seen(branch))) == branch.hash)


def _seen(branch: Reference) -> str:
    return f"{_SEEN}/{branch.name}.json"


def _of_runs(references: Iterable[Reference]) -> Iterator[Reference]:
    return (each for each in references if not each.is_tag and each.name.startswith((PREFIX, REWRITING)))


def _is_ours(reference: Reference) -> bool:
    return reference.is_tag and reference.name.startswith(TAG)
