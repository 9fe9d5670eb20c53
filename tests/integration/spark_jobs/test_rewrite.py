"""Tables that are written anew by Spark have the same rows in fewer files, and runs go on from them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from lake.contracts import DELETE, READ
from lake.errors import AuditError
from lake.layers import raw
from lake.ledger import ops, parity_ledger, rewritten
from lake.ledger.parity import Drift, Finding
from lake.maintenance import compact, rewrite, statistics
from lake.maintenance.runs import REWRITING
from lake.platform import catalog
from lake.platform.catalog import MAIN
from spark_jobs.limit import Limit
from tests.faults.record import Tell
from tests.integration.spark_jobs.branch import DAY, INSTANT, KEY, Branch, contract

TEXT = {"type": "varchar(20)", "nullable": False}
NAME = "rewritten_things"
THINGS = contract(NAME, key=["k"], history=True, columns={"k": KEY, "v": TEXT, "at": INSTANT})
LAYERS = ("raw", "cleaned", "history")
LATER = DAY[-1] + timedelta(days=1)


@pytest.fixture(scope="module")
def six_days(platform: None) -> Iterator[Branch]:
    """A table after five increments, each of which changes a row, adds one and deletes one."""
    from spark_jobs.session import connect, disconnect

    session = connect()
    opened = Branch(session, {NAME: THINGS})
    opened.run(0, full=True, **{NAME: [(READ, k, "first") for k in range(100)]})
    for day in range(1, 6):
        opened.run(day, **{NAME: [(READ, day, f"day {day}"), (READ, 100 + day, "new"), (DELETE, 50 + day, "")]})
    disconnect(session)
    yield opened
    opened.drop()


@pytest.fixture
def branch(spark: Any, six_days: Branch) -> Iterator[Branch]:
    """The same, of the test's own."""
    forked = six_days.fork(spark)
    yield forked
    forked.drop()


def rows(branch: Branch) -> dict[str, list[tuple[Any, ...]]]:
    return {layer: branch.rows(layer, NAME, *branch.columns(layer, NAME)) for layer in LAYERS}


def files(reference: str, layer: str) -> tuple[int, int]:
    """How many data files and delete files a table has."""
    found = raw.find(reference, layer, NAME)
    assert found is not None
    kinds = found.inspect.files()["content"].to_pylist()
    return kinds.count(0), len(kinds) - kinds.count(0)


def due(reference: str, before: datetime = LATER) -> dict[str, statistics.Need]:
    names = [f"{layer}.{NAME}" for layer in LAYERS]
    return {need.table: need for need in statistics.needs(reference, names, before)}


def write_anew(spark: Any, branch: Branch, needs: dict[str, statistics.Need]) -> None:
    with Limit(spark, 300) as limit:
        rewrite.rewrite(spark, branch.name, list(needs.values()), limit)


def test_the_rows_stay_and_the_files_become_few(spark: Any, branch: Branch) -> None:
    before = rows(branch)
    assert files(branch.name, "raw") == (11, 0), "rows that were read and keys that are gone"
    assert files(branch.name, "cleaned") == (6, 1)
    needs = due(branch.name)
    assert set(needs) == {f"{layer}.{NAME}" for layer in LAYERS}
    write_anew(spark, branch, needs)
    assert rows(branch) == before
    assert {layer: files(branch.name, layer) for layer in LAYERS} == dict.fromkeys(LAYERS, (1, 0))
    assert due(branch.name) == {}, "what was written anew is not due again"

    change = {NAME: [(READ, 1, "again"), (READ, 2, "day 2"), (DELETE, 3, "")]}
    assert branch.run(6, **change) == {NAME: (2, 0, 1)}
    assert branch.rows("cleaned", NAME, "k", "v") == sorted(
        [row for row in [(row[0], row[1]) for row in before["cleaned"]] if row[0] not in (1, 3)] + [(1, "again")],
        key=str,
    )


def test_raw_stays_for_a_while_in_the_files_that_were_landed(spark: Any, branch: Branch) -> None:
    old = due(branch.name, DAY[5])
    assert old[f"raw.{NAME}"].before == DAY[5]
    landed = raw.files(branch.name, NAME)
    before = rows(branch)
    write_anew(spark, branch, old)
    now = raw.files(branch.name, NAME)
    assert rows(branch) == before
    assert len(now & landed) == 2, "of the last day"
    assert len(now - landed) == 1
    assert f"raw.{NAME}" not in due(branch.name, DAY[2])


def test_rows_that_are_lost_are_not_published(spark: Any, branch: Branch, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = iter([10, 9])
    monkeypatch.setattr(rewrite, "_count", lambda spark, name: next(counts))
    with pytest.raises(AuditError, match=f"cleaned.{NAME}: 10 rows before it was written anew, 9 after it"):
        write_anew(spark, branch, {"": due(branch.name)[f"cleaned.{NAME}"]})


@pytest.fixture
def published(branch: Branch) -> Iterator[Branch]:
    """The same on main, which takes in a branch that two tests have forked only once; so each table by itself."""
    for layer in LAYERS:
        raw.open_catalog(MAIN).register_table((layer, NAME), branch.found(layer, NAME).metadata_location)
    yield branch
    raw.open_catalog.cache_clear()
    for layer in LAYERS:
        raw.open_catalog(MAIN).drop_table((layer, NAME))


def of_main() -> dict[str, str]:
    return {name: address for name, address in catalog.contents().items() if name.endswith(f".{NAME}")}


def test_main_shows_it_by_one_merge_and_it_counts_as_the_same(spark: Any, published: Branch) -> None:
    before, head = of_main(), catalog.head()
    done = compact.compact(spark, LATER + timedelta(days=60))
    assert all(group.is_published for group in done)
    assert {f"{layer}.{NAME}" for layer in LAYERS} <= {table for group in done for table in group.tables}
    after = of_main()
    assert all(after[f"{layer}.{NAME}"] != before[f"{layer}.{NAME}"] for layer in LAYERS)
    assert rewritten.changed(after, before) == set()
    assert catalog.log(limit=1)[0].message.startswith("compact ")
    assert catalog.log(limit=len(done) + 1)[-1].hash == head
    assert not [name for name in catalog.branches() if name.startswith("maintenance_")]
    assert not [need for need in compact.due(LATER + timedelta(days=60)) if need.table.endswith(NAME)]


@pytest.mark.fault("run_beside_compaction")
def test_what_a_run_publishes_meanwhile_stays_and_the_rest_waits_for_the_next_night(
    spark: Any, published: Branch, tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = compact.rewrite

    def with_a_run(spark: Any, branch: str, needs: Any, limit: Any) -> None:
        write(spark, branch, needs, limit)
        catalog.create_branch("test_meanwhile")
        found = raw.find("test_meanwhile", "cleaned", NAME)
        assert found is not None
        found.delete("k = 1")
        catalog.merge("test_meanwhile", "a run")
        catalog.delete_branch("test_meanwhile")

    monkeypatch.setattr(compact, "rewrite", with_a_run)
    only = [need for need in compact.due(LATER + timedelta(days=60)) if need.table.endswith(NAME)]
    monkeypatch.setattr(compact, "due", lambda now: only)
    (group,) = compact.compact(spark, datetime.now(UTC))
    assert not group.is_published
    found = raw.find(MAIN, "cleaned", NAME)
    assert found is not None
    keys = found.scan().to_arrow()["k"].to_pylist()
    assert 1 not in keys
    assert len(keys) == 99
    tell("the run's table stays as the run has it, and the group waits for the next night")
    assert not [name for name in catalog.branches() if name.startswith("maintenance_")]


@pytest.mark.fault("killed_in_compaction")
@pytest.mark.parametrize(
    ("point", "is_published"),
    [pytest.param("maintenance.rewritten", False, marks=pytest.mark.thorough), ("maintenance.merged", True)],
)
def test_killed_anywhere_it_does_no_harm_and_the_next_night_goes_on(
    spark: Any, published: Branch, tell: Tell, point: str, is_published: bool
) -> None:
    before, seen = of_main(), rows_of_main()
    night = LATER + timedelta(days=60)
    code = f"""
from datetime import datetime
from lake.maintenance.compact import compact
from spark_jobs.session import connect
compact(connect(), datetime.fromisoformat("{night.isoformat()}"))
"""
    died = subprocess.run([sys.executable, "-c", code], env={**os.environ, "CRASH_AT": point}, check=False, timeout=300)
    assert died.returncode == -signal.SIGKILL
    assert (of_main() != before) == is_published
    assert rewritten.changed(of_main(), before) == set()
    assert rows_of_main() == seen

    compact.compact(spark, night)
    assert rewritten.changed(of_main(), before) == set()
    assert rows_of_main() == seen
    assert not [need for need in compact.due(night) if need.table.endswith(NAME)]
    # What is left of it is removed with the branches of runs that failed.
    (left,) = [name for name in catalog.branches() if name.startswith(REWRITING)]
    catalog.delete_branch(left)
    rows = sum(map(len, seen.values()))
    tell(f"killed at `{point}`: {rows} rows of {len(seen)} layers as before, also after the next night")


def rows_of_main() -> dict[str, list[Any]]:
    found = {layer: raw.find(MAIN, layer, NAME) for layer in LAYERS}
    return {layer: sorted(map(repr, table.scan().to_arrow().to_pylist())) for layer, table in found.items() if table}


def test_the_ledger_of_parity_is_written_anew_too(spark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its branch and its namespace have one name."""
    name = f"ops_{uuid.uuid4().hex[:8]}"
    monkeypatch.setattr(ops, "BRANCH", name)
    monkeypatch.setattr(ops, "NAMESPACE", name)
    monkeypatch.setattr(compact, "due", lambda now: [])
    none = pa.table({"k": pa.array([], pa.int64())})
    for night in DAY[:6]:
        found = Finding("things", "shop", night, 5, 5, Drift(none, none, none, none), verified_through=night)
        parity_ledger.write(f"sweep of {night:%d}", "a commit", "source", [found])
    assert compact.compact(spark, LATER) == []
    ledger = raw.find(name, name, parity_ledger.TABLE)
    assert ledger is not None
    assert ledger.inspect.files().num_rows == 1
    assert sorted(ledger.scan().to_arrow()["instant"].to_pylist()) == DAY[:6]
    assert parity_ledger.verified_through() == {"things": DAY[5]}
    catalog.delete_branch(name)
