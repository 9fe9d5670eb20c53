"""Maintenance beside runs: what is kept stays readable to the byte, and whatever goes wrong, nothing is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lake.errors import LakeError, ServiceError
from lake.layers import raw
from lake.ledger import receipts, rewritten
from lake.ledger.receipts import Receipt
from lake.maintenance import collect, runs
from lake.maintenance.collect import Collected
from lake.platform import catalog, storage
from lake.platform.catalog import MAIN
from tests.faults import oracle
from tests.faults.case import KILLED, Case
from tests.faults.data import fill
from tests.faults.drive import merge

pytestmark = pytest.mark.thorough

TODAY = datetime.now(UTC)
PUBLISHED = [
    datetime(TODAY.year - 3, 6, 10, tzinfo=UTC),
    datetime(TODAY.year - 3, 6, 11, tzinfo=UTC),
    datetime(TODAY.year - 2, 9, 1, tzinfo=UTC),
    TODAY - timedelta(days=40),
    TODAY - timedelta(days=1),
]
"""Of receipts: the first one is not the last of its month, and is not kept."""
GRACE = timedelta(hours=1)


@pytest.fixture
def town(case: Case) -> Iterator[Case]:
    """A source with a table, and a lake in which no other test has left a receipt."""
    fill(case, rows=2_000)
    with case.active(LAKE_GRACE_HOURS="1"):
        storage.delete_prefix(storage.RECEIPTS)
        yield case


def after_grace() -> datetime:
    """An instant as of which all that was written until now is older than the grace period."""
    return datetime.now(UTC) + GRACE + timedelta(seconds=1)


def rows_at(case: Case, reference: str) -> dict[str, list[Any]]:
    """All rows of all tables of the lake at a reference."""
    return {name: sorted(oracle.lake_rows(contract, reference)) for name, contract in case.contracts.items()}


def publish(case: Case, number: int) -> Receipt:
    """Change the source and publish it; the receipt of it."""
    case.sql(
        f"UPDATE items SET price = price + {number}.25 WHERE id % 50 = {number}",
        f"DELETE FROM items WHERE id = {100 + number}",
        f"INSERT INTO places VALUES ('IT', {number}, 'Luogo')",
    )
    run = case.new_run()
    case.run(run)
    return receipts.of_run(run)


def past(case: Case) -> dict[str, dict[str, list[Any]]]:
    """Publish several times, and let the receipts be of several years; the rows of each, by run."""
    found = {}
    for number, at in enumerate(PUBLISHED):
        receipt = publish(case, number)
        found[receipt.run_id] = rows_at(case, f"{MAIN}@{receipt.lake_commit}")
        receipts.write(replace(receipt, published_at=at.isoformat()))
    assert len({json.dumps(rows) for rows in found.values()}) == len(found)
    return found


def assert_kept(case: Case, before: dict[str, dict[str, list[Any]]]) -> None:
    """Every receipt that is kept shows what it showed, and each but the first is kept."""
    kept = {receipt.run_id: receipt for receipt in receipts.receipts()}
    assert kept.keys() == before.keys() - {f"{case.name}_1"}
    raw.open_catalog.cache_clear()
    for run_id, receipt in kept.items():
        assert rows_at(case, f"{MAIN}@{receipt.lake_commit}") == before[run_id]
        assert rows_at(case, runs.tag_of(run_id)) == before[run_id]


def objects() -> set[str]:
    """Everything in the object store."""
    buckets = (storage.WAREHOUSE, storage.LANDING, storage.AUDIT, storage.REPORTS, storage.RECEIPTS)
    return {each.uri for bucket in buckets for each in storage.listed(bucket)}


def counts(collected: Collected) -> dict[str, int]:
    return {each.kind: each.count for each in collected.gone}


def test_what_no_branch_and_no_receipt_needs_goes_and_every_kept_receipt_reads(town: Case) -> None:
    before = past(town)
    first = receipts.of_run(f"{town.name}_1")
    storage.put(f"{storage.AUDIT}/{first.run_id}/index.html", b"docs")
    storage.put(f"{storage.REPORTS}/business/{first.run_id}/report.html", b"report")

    there = objects()
    told = collect.collect(after_grace(), is_dry=True)
    assert objects() == there, "only told"
    done = collect.collect(after_grace())
    assert counts(done) == counts(told)
    assert counts(done)["receipts"] == 1
    assert counts(done)["lake"] > 0
    assert counts(done)["reports"] == 1
    assert not [uri for uri in objects() if f"/{first.run_id}/" in uri or uri.endswith(f"={first.run_id}.json")]

    assert_kept(town, before)
    with pytest.raises(LakeError, match="the last one of each month for ever"):
        receipts.of_run(first.run_id)
    assert set(counts(collect.collect(after_grace())).values()) == {0}, "a second pass finds nothing"
    held = {each.kind: each for each in done.held}
    assert held["too new to tell"].count == 0
    assert {each.name for each in catalog.references() if each.is_tag} == {runs.tag_of(run) for run in before} - {
        runs.tag_of(first.run_id)
    }
    town.settle()


@pytest.mark.parametrize("point", ["maintenance.forgotten", "maintenance.reached", "maintenance.removed"])
def test_killed_anywhere_it_does_no_harm_and_the_next_pass_goes_on(town: Case, point: str) -> None:
    before = past(town)
    code = "from datetime import *; from lake.maintenance.collect import collect; collect(datetime.fromisoformat('{}'))"
    command = [sys.executable, "-c", code.format(after_grace().isoformat())]
    died = subprocess.run(command, env={**os.environ, "CRASH_AT": point}, check=False, timeout=120)
    assert died.returncode == KILLED
    assert_kept(town, before)
    collect.collect(after_grace())
    assert_kept(town, before)
    assert set(counts(collect.collect(after_grace())).values()) == {0}
    town.settle()


@pytest.mark.parametrize("point", ["extract.uploaded", "extract.committed", "register.committed", "publish.merged"])
def test_a_run_in_progress_loses_nothing(town: Case, point: str) -> None:
    town.run()
    # Of one table: while a run stands, what another of its threads has written and not yet committed is as old as it.
    town.sql("UPDATE items SET stock = 1 WHERE id % 3 = 0", "DELETE FROM items WHERE id = 7")
    attempt = town.launch(town.new_run(), pause_at=point)
    attempt.wait_until_paused()
    collect.collect(after_grace())
    attempt.go_on()
    assert attempt.wait() == 0, attempt.tail
    town.settle()


def test_two_passes_at_once_do_what_one_does(town: Case) -> None:
    before = past(town)
    with ThreadPoolExecutor() as pool:
        for each in [pool.submit(collect.collect, after_grace()) for _ in range(3)]:
            each.result()
    assert_kept(town, before)
    assert set(counts(collect.collect(after_grace())).values()) == {0}


def test_what_was_just_written_is_left_alone(town: Case) -> None:
    town.run()
    storage.put(f"{storage.WAREHOUSE}/old.parquet", b"x")
    time.sleep(2.1)
    now = datetime.now(UTC) + GRACE - timedelta(seconds=1)
    storage.put(f"{storage.WAREHOUSE}/new.parquet", b"x")
    collected = collect.collect(now)
    assert f"{storage.WAREHOUSE}/old.parquet" not in objects()
    assert f"{storage.WAREHOUSE}/new.parquet" in objects()
    assert {each.kind: each.count for each in collected.held}["too new to tell"] > 0


def test_names_that_are_hard_to_write_are_the_same_in_list_and_table(town: Case) -> None:
    """A file that is referred to under another spelling than it is listed would be taken for nobody's."""
    town.sql("CREATE TABLE `Größe #1 50%` (k INT PRIMARY KEY, v INT)", "INSERT INTO `Größe #1 50%` VALUES (1, 2)")
    town.run()
    name = "s3://warehouse/a b/ü=%3A+1&2/x.parquet"
    storage.put(name, b"x")
    assert name in {each.uri for each in storage.listed(storage.WAREHOUSE)}
    storage.delete_all([name])
    assert storage.written_at(name) is None


def test_a_list_that_is_not_complete_is_not_relied_on(town: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    town.run()
    publish(town, 1)
    listed = storage.listed
    hidden = sorted(raw.files(MAIN, "items"))[0]
    monkeypatch.setattr(storage, "listed", lambda prefix: [each for each in listed(prefix) if each.uri != hidden])
    there = objects()
    with pytest.raises(ServiceError, match="does not list"):
        collect.collect(after_grace())
    assert objects() == there
    monkeypatch.undo()
    town.settle()


def test_while_a_file_of_the_lake_is_missing_none_is_removed(town: Case) -> None:
    town.run()
    last = publish(town, 1)
    lost = sorted(raw.files(MAIN, "items"))[0]
    data = storage.get(lost)
    storage.delete_all([lost])
    there = objects()
    with pytest.raises(LakeError, match=f"files are gone to which the lake refers: {lost}"):
        collect.collect(after_grace())
    metadata = catalog.contents(f"{MAIN}@{last.lake_commit}")["cleaned.items"]
    storage.put(lost, data)
    data = storage.get(metadata)
    storage.delete_all([metadata])
    with pytest.raises(LakeError, match=r"cleaned\.items of main"):
        collect.collect(after_grace())
    assert objects() == (there | {lost}) - {metadata}
    storage.put(metadata, data)
    collect.collect(after_grace())
    town.settle()


def test_a_receipt_whose_commit_the_catalog_does_not_know_is_named(town: Case) -> None:
    """As when the catalog was put back from a backup that is older than the last runs."""
    town.run()
    strange = replace(publish(town, 1), run_id="strange", lake_commit="ab" * 32)
    receipts.write(strange)
    there = objects()
    with pytest.raises(LakeError, match=f"does not know the commit {'ab' * 32} of run strange"):
        collect.collect(after_grace())
    with pytest.raises(LakeError, match="of run strange"):
        collect.collect(after_grace(), is_dry=True)
    assert {uri for uri in there if "/audit/" not in uri} <= objects()
    storage.delete(receipts.address("strange"))
    collect.collect(after_grace())
    town.settle()


def test_the_branch_of_a_run_that_failed_is_kept_for_a_while(town: Case) -> None:
    town.run()
    run = town.new_run()
    town.sql("UPDATE items SET stock = 5")
    assert town.launch(run, crash_at="register.committed").wait() == KILLED
    branch, landed = f"run_{run}", f"/run={run}"
    week = timedelta(days=7, minutes=1)
    collect.collect(after_grace())
    collect.collect(after_grace() + timedelta(days=6))
    assert catalog.exists(branch)
    assert any(landed in uri for uri in objects())
    collect.collect(after_grace() + week)
    assert not catalog.exists(branch)
    assert not any(landed in uri for uri in objects())
    town.run()
    town.settle()


def test_a_branch_that_moves_is_one_that_is_worked_on(town: Case) -> None:
    town.run()
    run = town.new_run()
    town.sql("UPDATE items SET stock = 5")
    assert town.launch(run, crash_at="extract.committed").wait() == KILLED
    collect.collect(after_grace())
    assert town.launch(run, crash_at="register.committed").wait() == KILLED
    collect.collect(after_grace() + timedelta(days=8))
    assert catalog.exists(f"run_{run}"), "it has moved since it was seen first"
    town.run(run)
    town.settle()


# -- tables that are written anew
def write_anew(case: Case, name: str, *, is_told: bool) -> None:
    """What compaction does, without Spark: the same rows in other files, on a branch, merged."""
    branch = f"maintenance_{case.name}_{name.replace('.', '_')}"
    catalog.create_branch(branch)
    found = raw.find(branch, *name.split("."))
    assert found is not None
    found.overwrite(found.scan().to_arrow())
    if is_told:
        rewritten.remember(branch, {catalog.contents(branch)[name]: catalog.contents()[name]})
    catalog.merge(branch, f"compact {name}")
    catalog.delete_branch(branch)


@pytest.mark.parametrize("is_told", [True, False])
def test_a_run_is_published_though_a_table_that_it_changes_was_written_anew_meanwhile(
    town: Case, is_told: bool
) -> None:
    town.run()
    town.sql("UPDATE items SET stock = 6 WHERE id % 3 = 0")
    attempt = town.launch(town.new_run(), pause_at="register.committed")
    attempt.wait_until_paused()
    write_anew(town, "raw.items", is_told=is_told)
    write_anew(town, "cleaned.places", is_told=is_told)
    attempt.go_on()
    if is_told:
        assert attempt.wait() == 0, attempt.tail
        collect.collect(after_grace())
        town.settle()
    else:
        assert attempt.wait() != 0
        assert "conflict" in attempt.tail, "it is not known that the rows are the same"


def test_the_next_run_takes_a_table_that_was_written_anew_for_the_same(town: Case) -> None:
    town.run()
    last = publish(town, 1)
    before = catalog.contents()
    write_anew(town, "cleaned.items", is_told=True)
    assert catalog.contents() != before
    assert rewritten.changed(catalog.contents(), catalog.contents(f"{MAIN}@{last.lake_commit}")) == set()
    contract = town.contracts["items"]
    branch = "run_other"
    catalog.create_branch(branch)
    merge(branch, "none", contract, is_full=True)
    then = catalog.contents(f"{MAIN}@{last.lake_commit}")
    assert rewritten.changed(catalog.contents(branch), then) == {"cleaned.items"}
    catalog.delete_branch(branch)
