"""What the lake itself consists of: buckets, the catalog, branches of runs, receipts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from lake.alerts import freshness
from lake.errors import ServiceError
from lake.layers import raw
from lake.ledger import receipts as written
from lake.ledger.retention import published_at
from lake.maintenance import runs
from lake.observe.doctor.finding import Finding, ok, problem, warning
from lake.platform import catalog, storage
from lake.platform.catalog import Reference
from lake.run import PREFIX
from lake.runtime.engines import BUCKETS
from lake.settings import settings

PROBE = ".lake-doctor/probe"
"""The object that is written to see whether a bucket takes one, and deleted again: in a folder where nobody looks for
receipts or anything else of the lake's.
"""

NAMED = 5


def buckets(now: datetime) -> Iterator[Finding]:
    """Whether each bucket is there, takes an object, and keeps no old versions of it."""
    for bucket in BUCKETS:
        yield _bucket(bucket)


def _bucket(bucket: str) -> Finding:
    if not storage.has_bucket(bucket):
        return problem(
            bucket, f"the object store has no bucket of this name ({settings().s3_url})", "`lake up` makes it"
        )
    probe = f"s3://{bucket}/{PROBE}"
    try:
        version = storage.put_version(probe, b"")
        storage.delete_all([probe])
    except ServiceError as error:
        right = f"let {settings().s3_access_key} read, write and delete objects there"
        return problem(bucket, f"an object cannot be written and deleted: {error.what}", right)
    if version:
        seen = f"it keeps versions: what maintenance removes still takes room (an empty {PROBE} of each call, too)"
        return warning(
            bucket, seen, "let a rule of the bucket expire versions that are not current, or suspend versioning"
        )
    return ok(bucket, "objects can be written and deleted; no versions are kept")


def namespaces(now: datetime) -> Iterator[Finding]:
    """Whether the catalog answers, and main has a namespace for each layer."""
    head, found = catalog.head(), set(catalog.namespaces())
    missing = [layer for layer in raw.LAYERS if layer not in found]
    if missing and found:
        seen = f"main has no namespace {', '.join(missing)}"
        yield problem(
            "catalog",
            seen,
            "`lake run` makes them; were they dropped, look for their tables at the commits of receipts",
        )
    elif missing:
        yield ok("catalog", f"main is at {head[:12]} and empty: the first run makes its namespaces")
    else:
        yield ok("catalog", f"main is at {head[:12]}, with the namespaces of all {len(raw.LAYERS)} layers")


# -- branches
def branches(now: datetime) -> Iterator[Finding]:
    """Whether branches of runs are left that nobody goes on with."""
    since = now - timedelta(days=settings().branch_days)
    plan = runs.plan(now)
    abandoned = {each.name for each in plan.abandoned}
    ours = [each for each in plan.references if not each.is_tag and each.name.startswith((PREFIX, runs.REWRITING))]
    old = [each.name for each in ours if each.name in abandoned or _is_untouched(each, since)]
    if old:
        named = ", ".join(old[:NAMED]) + (f" and {len(old) - NAMED} more" if len(old) > NAMED else "")
        seen = f"nothing has been written for {settings().branch_days} days (LAKE_BRANCH_DAYS) on {named}"
        yield warning("branches", seen, "is the DAG `maintenance` paused or failing? `lake maintenance` removes them")
    else:
        yield ok("branches", f"{len(ours)} of runs, none older than {settings().branch_days} days")


def _is_untouched(branch: Reference, since: datetime) -> bool:
    """Whether its own newest commit is that old. Of one without any the catalog cannot tell since when it is there."""
    if branch.hash == branch.base:
        return False
    (newest,) = catalog.log(branch.name, limit=1)
    return datetime.fromisoformat(newest.committed_at).astimezone(UTC) <= since


# -- receipts
def receipts(now: datetime) -> Iterator[Finding]:
    """Whether runs are published as often as the schedule says, and the lake still has what kept receipts name."""
    plan = runs.plan(now)
    if not plan.kept:
        yield warning(
            "receipts", "nothing was published yet", "`lake run` reads the sources and publishes what it read"
        )
        return
    newest = max(map(published_at, plan.kept))
    seen = f"the newest is of {newest:%Y-%m-%d %H:%M} UTC"
    due = freshness.deadline(now)
    if due and newest < due:
        cron = settings().pipeline_schedule
        late = f"{seen}, and {freshness.MISSED} runs were due since then (LAKE_PIPELINE_SCHEDULE={cron})"
        yield problem(
            "receipts", late, "look at the last runs in Airflow; is the DAG `shop_lake` paused? `lake run` runs it now"
        )
    else:
        yield ok("receipts", seen)
    if lost := runs.lost(plan):
        said = runs.unknown_commits(lost[:NAMED])
        yield problem("receipts", said.what, said.fix)
    else:
        yield ok("receipts", f"the catalog has the commits of all {len(plan.kept)}; {written.policy()}")
