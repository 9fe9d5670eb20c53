"""Compaction: tables of which the files have become many or small are written anew, on a branch, and published by one
merge for each group of tables.

The pipeline comes first. A table that a run is about to change is left alone; where a run has published one meanwhile
the merge is refused, nothing of its group is published, and the next night tries again. The other way round the run
wins: what it publishes takes the place of a table that was only written anew (`lake.ledger.publish`).
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from lake import faultpoints
from lake.errors import CatalogError
from lake.ledger import ops, rewritten
from lake.maintenance import statistics
from lake.maintenance.rewrite import rewrite
from lake.maintenance.runs import REWRITING
from lake.maintenance.statistics import Need
from lake.platform import catalog
from lake.platform.catalog import MAIN
from lake.run import PREFIX
from lake.settings import settings

log = logging.getLogger(__name__)

LAYERS = ("raw", "cleaned", "history", "quarantine", "curated", "audit")
"""Marts are not among them: they are small, and each run that changes one builds it anew."""

TABLES_PER_GROUP = 20
BYTES_PER_GROUP = 4 << 30
"""So that a run that comes in between costs little."""

AT_WORK = timedelta(hours=12)
"""A run that has written nothing for so long is not at work."""


@dataclass(frozen=True)
class Compacted:
    """What became of a group of tables.

    Attributes:
        is_published: whether main shows them; else a run has changed one of them meanwhile.
    """

    tables: tuple[str, ...]
    is_published: bool


def due(now: datetime) -> list[Need]:
    """Tables of main that are worth being written anew, without those that a run at work has changed.

    Args:
        now: with a time zone.
    """
    tables = {name for name in catalog.contents(MAIN) if name.split(".", 1)[0] in LAYERS} - _changing(now)
    return statistics.needs(MAIN, tables, now - timedelta(days=settings().landing_days))


def compact(spark: Any, now: datetime) -> list[Compacted]:
    """Write anew what is due, the ledgers included; what became of each group of main's tables.

    Args:
        spark: a session of Spark Connect.
        now: with a time zone.

    Raises:
        AuditError: a table has other rows than before; nothing of its group was published.
        SparkTimeoutError: Spark took longer than it may.
    """
    from spark_jobs.limit import Limit

    done = []
    with Limit(spark, settings().spark_timeout_seconds) as limit:
        for group in groups(due(now)):
            done.append(_compact(spark, group, limit))
        if catalog.exists(ops.BRANCH):
            # They are nobody's but their own branch's, and each sweep adds a file.
            ledgers = catalog.tables(ops.BRANCH)
            rewrite(spark, ops.BRANCH, statistics.needs(ops.BRANCH, ledgers, now), limit)
    return done


def groups(needs: Sequence[Need]) -> Iterator[list[Need]]:
    """The tables dealt out: not too many, and not too large together.

    What each run writes is by itself, so that a run which comes in between makes no other table wait for a night.
    """
    group: list[Need] = []
    for need in needs:
        if need.table.startswith("audit."):
            yield [need]
            continue
        if group and (
            len(group) == TABLES_PER_GROUP or sum(each.bytes for each in group) + need.bytes > BYTES_PER_GROUP
        ):
            yield group
            group = []
        group.append(need)
    if group:
        yield group


def _compact(spark: Any, group: Sequence[Need], limit: Any) -> Compacted:
    branch, names = f"{REWRITING}{uuid.uuid4().hex[:12]}", tuple(need.table for need in group)
    base = catalog.create_branch(branch)
    rewrite(spark, branch, group, limit)
    faultpoints.reach("maintenance.rewritten")
    old, new = catalog.contents(f"{MAIN}@{base}"), catalog.contents(branch)
    # Before the merge: whoever sees the new metadata can know what it stands for.
    rewritten.remember(branch, {new[name]: old[name] for name in new if new[name] != old.get(name)})
    is_published = _merge(branch, names)
    faultpoints.reach("maintenance.merged")
    catalog.delete_branch(branch)
    return Compacted(names, is_published)


def _merge(branch: str, names: Sequence[str]) -> bool:
    try:
        catalog.merge(branch, f"compact {', '.join(names)}")
    except CatalogError as error:
        log.warning("left for the next night, a run came in between: %s (%s)", ", ".join(names), error.what)
        return False
    log.info("written anew: %s", ", ".join(names))
    return True


def _changing(now: datetime) -> set[str]:
    """Tables that runs at work have changed."""
    found: set[str] = set()
    for each in catalog.references():
        if each.is_tag or not each.name.startswith(PREFIX) or each.hash == each.base:
            continue
        (newest,) = islice(catalog.history(f"{each.name}@{each.hash}"), 1)
        if datetime.fromisoformat(newest.committed_at) > now - AT_WORK:
            old, new = catalog.contents(f"{MAIN}@{each.base}"), catalog.contents(f"{each.name}@{each.hash}")
            found |= {name for name in new if new[name] != old.get(name)}
    return found
