"""Removes what nothing refers to: files of the lake, landing files, and what runs left that are forgotten.

Everything is listed first, then what is referred to is read, and then what is left of the list is removed. So what is
written meanwhile is not in the list, and what begins to be referred to meanwhile is read. A file that has been written
and is not referred to yet is protected by its age.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from lake import faultpoints
from lake.errors import LakeError, ServiceError
from lake.extract import strays
from lake.ledger import publish, receipts, rewritten
from lake.maintenance import reachable, runs
from lake.maintenance.gone import Gone
from lake.maintenance.reachable import Reachable
from lake.maintenance.runs import Plan
from lake.platform import storage
from lake.platform.storage import Stored
from lake.settings import settings
from lake.source import sources

log = logging.getLogger(__name__)

LOOKED_AT = 1_000
"""Files that are looked at one by one because a list does not show them."""


@dataclass(frozen=True)
class Collected:
    """What a collection found.

    Attributes:
        gone: what was removed, or would be.
        held: what stays of the lake's files, and for whom.
    """

    gone: tuple[Gone, ...]
    held: tuple[Gone, ...]


def collect(now: datetime, is_dry: bool = False) -> Collected:
    """Forget what the policy does not keep, then remove what nothing refers to.

    Args:
        now: with a time zone.
        is_dry: whether it is only told what would go.

    Raises:
        LakeError: what is referred to cannot be known, and no file was removed.
        ServiceError: the catalog or the object store is away, or does not list all of its objects.
    """
    if not is_dry:
        # Runs that were merged and then killed get their receipts.
        publish.finish_interrupted()
    listed = {bucket: storage.listed(bucket) for bucket in (storage.WAREHOUSE, storage.LANDING)}
    plan = runs.plan(now)
    if not is_dry:
        runs.carry_out(plan)
    grace = timedelta(hours=settings().grace_hours)
    reached = reachable.find(reachable.roots(plan, now - grace), plan.kept)
    _refuse_incomplete([each for objects in listed.values() for each in objects], reached, now - grace)
    faultpoints.reach("maintenance.reached")
    lake = [each for each in listed[storage.WAREHOUSE] if each.uri not in reached.files]
    if lake and not reached.of_main:
        log.warning("no file of the lake is removed: main has no table, so the catalog is new, or is not the bucket's")
    found = {
        "lake": [each for each in lake if each.written_at < now - grace and reached.of_main],
        "landing": _landing(plan, reached),
        **_of_forgotten_runs(plan, now - grace),
    }
    if not is_dry:
        for objects in found.values():
            storage.delete_all(each.uri for each in objects)
            faultpoints.reach("maintenance.removed")
    collected = Collected(
        (*_told(plan), *(Gone.objects(*each) for each in found.items())), _held(listed, reached, lake, found)
    )
    for each in collected.gone:
        log.info("%s %s %s, %s bytes", "would remove" if is_dry else "removed", each.count, each.kind, each.bytes)
    return collected


def landing(now: datetime) -> list[str]:
    """Remove landing files that nothing refers to; their addresses. No receipt is forgotten for it."""
    publish.finish_interrupted()
    plan = runs.plan(now)
    all_kept = Plan((*plan.kept, *plan.forgotten), (), plan.references, ())
    referred = cache(lambda: reachable.find(reachable.roots(all_kept, now), all_kept.kept).files)
    return [uri for source in sources.known() for uri in strays.delete(strays.find(source, all_kept.living, referred))]


def _landing(plan: Plan, reached: Reachable) -> list[Stored]:
    found = {uri for source in sources.known() for uri in strays.find(source, plan.living, lambda: reached.files)}
    return [each for each in storage.listed(storage.LANDING) if each.uri in found]


def _of_forgotten_runs(plan: Plan, before: datetime) -> dict[str, list[Stored]]:
    """Journals, data docs and reports of runs of which neither receipt nor branch is there, and notes about them."""
    kept = {receipt.run_id for receipt in plan.kept}
    audit, reports = storage.listed(storage.AUDIT), storage.listed(storage.REPORTS)
    journals = {_part(each, 0) for each in audit if _part(each, 1) == "steps"}
    notes = set(receipts.outdated_notes(kept))
    # By then what was written anew was published, or never will be.
    unused = before - timedelta(days=settings().receipts_all_days)
    rewritings = [each for each in storage.listed(rewritten.FOLDER) if each.written_at < unused]
    living = plan.living()
    of_runs = [each for each in audit if _part(each, 0) in journals - living]
    of_reports = [each for each in reports if (run_id := _part(each, 1)) and run_id not in living]
    return {
        "evidence": [each for each in of_runs if each.written_at < before],
        "reports": [each for each in of_reports if each.written_at < before],
        "notes": [*(each for each in storage.listed(storage.RECEIPTS) if each.uri in notes), *rewritings],
    }


def _part(stored: Stored, number: int) -> str:
    """A part of an object's key."""
    parts = stored.uri.removeprefix("s3://").split("/")[1:]
    return parts[number] if number < len(parts) - 1 else ""


def _refuse_incomplete(listed: Iterable[Stored], reached: Reachable, before: datetime) -> None:
    """Whether the list shows every file that is referred to, but those that are new.

    Raises:
        LakeError: a file is gone to which the lake refers.
        ServiceError: it is there, so the list is not to be relied on.
    """
    unlisted = sorted(reached.files - {each.uri for each in listed})
    if len(unlisted) > LOOKED_AT:
        raise ServiceError(
            f"the object store does not list {len(unlisted)} files to which the lake refers, such as {unlisted[0]}",
            "look at the bucket: they are gone, or its list is not complete. No file was removed",
        )
    gone = []
    for uri in unlisted:
        written_at = storage.written_at(uri)
        if written_at is None:
            gone.append(uri)
        elif written_at < before:
            raise ServiceError(
                f"the object store does not list {uri}, which was written at {written_at:%Y-%m-%d %H:%M:%S} UTC",
                "a list that is not complete is of no use; no file was removed, and the next night tries again",
            )
    if gone:
        raise LakeError(
            f"{len(gone)} files are gone to which the lake refers: {', '.join(gone[:10])}",
            "`lake parity --repair` reads the tables of main anew; a receipt that needs them can no longer be read, "
            f"and is to be deleted ({storage.RECEIPTS}/<run>.json). Until then no file of the lake is removed",
        )


def _told(plan: Plan) -> Iterator[Gone]:
    yield Gone("receipts", len(plan.forgotten))
    yield Gone("tags", len(plan.outdated_tags))
    yield Gone("branches", len(plan.abandoned))


def _held(
    listed: dict[str, list[Stored]], reached: Reachable, unreferred: list[Stored], found: dict[str, list[Stored]]
) -> tuple[Gone, ...]:
    every = [each for objects in listed.values() for each in objects]
    of_others = reached.files - reached.of_main
    removed = {each.uri for each in found["lake"]}
    return (
        Gone.objects("main", (each for each in every if each.uri in reached.of_main)),
        Gone.objects("receipts and branches", (each for each in every if each.uri in of_others)),
        Gone.objects("too new to tell", (each for each in unreferred if each.uri not in removed)),
    )
