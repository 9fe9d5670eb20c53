"""Tidying deletes what nothing refers to, and nothing else."""

from __future__ import annotations

from lake.maintenance.tidy import tidy
from lake.platform import storage
from tests.faults import oracle
from tests.faults.case import KILLED, Case
from tests.faults.data import fill


def test_what_an_abandoned_run_has_landed_goes_and_nothing_else(case: Case) -> None:
    fill(case, rows=2_000)
    run = case.new_run()
    assert case.launch(run, crash_at="extract.committed").wait() == KILLED
    with case.active():
        abandoned = oracle.landed(case.name)
        assert tidy() == 0, "the run's branch is there: it may be tried again"
        assert oracle.landed(case.name) == abandoned
    case.run(run, from_the_start=True)
    with case.active():
        assert tidy() == len(abandoned)
        assert not abandoned & oracle.landed(case.name)
        assert tidy() == 0
    case.settle()


def test_what_a_table_refers_to_stays_though_the_receipts_are_lost(case: Case) -> None:
    fill(case, rows=2_000)
    case.run()
    with case.active():
        storage.delete_prefix(storage.RECEIPTS)
        tidy()
    before = case.prove()
    case.sql("UPDATE items SET stock = 1")
    case.run()
    assert case.prove() != before
