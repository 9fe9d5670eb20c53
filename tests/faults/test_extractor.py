"""The process that extracts dies, stands still, or runs twice."""

from __future__ import annotations

import itertools
import signal
import time
from collections.abc import Callable

import pytest

from lake.ledger import receipts
from tests.faults.case import KILLED, Case, until
from tests.faults.data import change, fill
from tests.faults.proxy import Proxy, Rule
from tests.numbers import numbers

Tell = Callable[[str], None]


def die_and_go_on(case: Case, point: str, full: bool = False) -> None:
    """One run that is killed at a point, and is tried again."""
    run = case.new_run()
    died = case.launch(run, crash_at=point, full=full)
    assert died.wait() == KILLED, died.tail
    case.run(run, full=full)


@pytest.mark.parametrize(
    "point",
    [
        pytest.param("extract.row_group", marks=[pytest.mark.fault("killed_in_a_row_group"), pytest.mark.slow]),
        pytest.param("extract.source_read", marks=[pytest.mark.fault("killed_after_reading"), pytest.mark.slow]),
        pytest.param("extract.uploaded", marks=pytest.mark.fault("killed_before_the_commit")),
        pytest.param("extract.committed", marks=[pytest.mark.fault("killed_after_the_commit"), pytest.mark.slow]),
        pytest.param("register.committed", marks=[pytest.mark.fault("killed_before_it_is_heard"), pytest.mark.slow]),
        pytest.param("publish.merged", marks=[pytest.mark.fault("killed_before_it_is_heard"), pytest.mark.slow]),
    ],
)
def test_a_killed_run_goes_on_where_it_was(case: Case, point: str, tell: Tell) -> None:
    fill(case)
    die_and_go_on(case, point)
    change(case)
    only_in_full = point in ("extract.row_group", "extract.source_read")
    die_and_go_on(case, point, full=only_in_full)
    second = "a second one" if only_in_full else "an increment"
    tell(f"killed at `{point}` in a full load and in {second}; {case.settle()}")


@pytest.mark.fault("killed_before_it_is_heard")
def test_a_merge_is_not_left_without_its_receipt(case: Case, tell: Tell) -> None:
    """Killed after the merge and begun anew, a run gets another name: then nobody comes back for the first one's."""
    fill(case)
    run = case.new_run()
    died = case.launch(run, crash_at="publish.merged")
    assert died.wait() == KILLED, died.tail
    change(case)
    case.run(run, from_the_start=True)
    with case.active():
        assert run in receipts.run_ids()
        assert receipts.prepared() == []
    tell(f"killed at `publish.merged` and begun anew, both runs have a receipt; {case.settle()}")


@pytest.mark.slow
@pytest.mark.fault("killed_after_reading")
def test_killed_when_all_is_read_and_nothing_is_complete(case: Case, tell: Tell) -> None:
    fill(case, rows=2_000)  # one chunk
    run = case.new_run()
    # Every row of the file has been read by then, and the file is not there yet.
    die_by_rule(case, run, "LAKE_S3_PORT", "S3", Rule("black hole", when=rb"POST /landing/\S*uploadId=", of="request"))
    case.run(run)
    tell(case.settle())


@pytest.mark.slow
@pytest.mark.fault("killed_in_a_row_group")
@pytest.mark.parametrize("bytes_sent", [150_000, 900_000])
def test_killed_while_rows_are_on_their_way(case: Case, bytes_sent: int, tell: Tell) -> None:
    fill(case)
    run = case.new_run()
    die_by_rule(case, run, "LAKE_SOURCE_PORT", "SHOP", Rule("black hole", after=bytes_sent))
    case.run(run)
    tell(f"killed after {bytes_sent:,} bytes; {case.settle()}")


def die_by_rule(case: Case, run: str, variable: str, server: str, rule: Rule) -> None:
    """Kill the process in the moment in which the rule acts."""
    with Proxy(case.port(server), rule) as proxy:
        died = case.launch(run, **{variable: str(proxy.port)})
        until(lambda: rule.hits)
        died.signal(signal.SIGKILL)
        assert died.wait() == KILLED


@pytest.mark.slow
@pytest.mark.fault("killed_before_the_commit")
@pytest.mark.parametrize("way", ["cursor", "sweep"])
def test_killed_in_increments_of_every_way(case: Case, way: str, tell: Tell) -> None:
    fill(case, increment=way)
    case.run()
    for _ in range(2):
        change(case)
        die_and_go_on(case, "extract.uploaded")
    tell(f"killed in two increments by {way}; {case.settle()}")


@pytest.mark.fault("killed_between_chunks")
def test_finished_chunks_are_not_read_again(case: Case, tell: Tell) -> None:
    fill(case)
    run, sent = case.new_run(), [case.bytes_sent()]
    died = case.launch(run, crash_at="extract.between_chunks:6")
    assert died.wait() == KILLED, died.tail
    sent.append(case.bytes_sent())
    case.run(run)
    sent.append(case.bytes_sent())
    case.run(full=True)
    sent.append(case.bytes_sent())
    first, second, whole = (after - before for before, after in itertools.pairwise(sent))
    assert second < whole * 0.75, f"the source sent {first:,}, {second:,} and, for all of it, {whole:,} bytes"
    tell(f"bytes sent to the killed try {first:,}, to the next {second:,}, to a whole one {whole:,}; {case.settle()}")


@pytest.mark.slow
@pytest.mark.fault("killed_between_chunks")
def test_chunks_that_changed_since_are_read_again(case: Case, tell: Tell) -> None:
    fill(case)
    run = case.new_run()
    died = case.launch(run, crash_at="extract.between_chunks:6")
    assert died.wait() == KILLED, died.tail
    change(case)
    case.run(run)
    tell(f"rows changed between the tries; {case.settle()}")


@pytest.mark.slow
@pytest.mark.fault("killed_between_chunks")
def test_killed_over_and_over(case: Case, tell: Tell) -> None:
    fill(case)
    run, deaths = case.new_run(), 0
    for _ in range(20):
        code = case.launch(run, crash_at="extract.between_chunks:2").wait()
        if code == 0:
            break
        assert code == KILLED
        deaths += 1
    assert code == 0, "killed after every second chunk, the run never ended"
    assert deaths >= 2
    tell(f"killed {deaths} times in one run; {case.settle()}")


@pytest.mark.slow
@pytest.mark.fault("killed_before_it_is_heard")
@pytest.mark.parametrize("task", ["extract", "register", "publish"])
def test_a_task_whose_end_was_not_heard_of_is_done_again(case: Case, task: str, tell: Tell) -> None:
    fill(case)
    for _ in ("a full load", "an increment"):
        run = case.new_run()
        died = case.launch(run, unheard=task)
        assert died.wait() == KILLED, died.tail
        case.run(run)
        change(case)
    case.run()
    tell(f"killed after `{task}` was done, in a full load and in an increment; {case.settle()}")


@pytest.mark.fault("zombie")
@pytest.mark.parametrize(
    ("point", "retry"),
    [
        pytest.param("extract.uploaded", "task"),
        pytest.param("extract.uploaded", "run", marks=pytest.mark.slow),
        pytest.param("extract.between_chunks:4", "task", marks=pytest.mark.slow),
        pytest.param("extract.committed", "run", marks=pytest.mark.slow),
        pytest.param("register.committed", "task", marks=pytest.mark.slow),
    ],
)
def test_a_zombie_changes_nothing(case: Case, point: str, retry: str, tell: Tell) -> None:
    """It is stopped, and wakes when its retry (of the task, or of the whole run) has been published."""
    fill(case)
    run = case.new_run()
    zombie = case.launch(run, pause_at=point)
    zombie.wait_until_paused()
    case.run(run, from_the_start=retry == "run")
    proof = case.prove()
    change(case)
    case.run()
    zombie.go_on()
    code = zombie.wait()
    assert case.prove() != proof, "the second run changed nothing, so the zombie could not undo it"
    end = "ended as if it were done" if code == 0 else "was refused"
    tell(f"stopped at `{point}`, its {retry} retried and a further run published, the zombie {end}; {case.settle()}")


@pytest.mark.slow
@pytest.mark.fault("out_of_memory")
def test_out_of_memory(case: Case, tell: Tell) -> None:
    case.sql(
        "CREATE TABLE films (id INT PRIMARY KEY, body LONGBLOB NOT NULL)",
        f"INSERT INTO films SELECT seq, REPEAT(SHA2(seq, 256), 110000) FROM {numbers(1, 6)}",
    )
    case.add("films")
    run = case.new_run()
    died = case.launch(run, memory_bytes=40 << 20)
    code = died.wait()
    assert code != 0, "the run had memory enough, so nothing was proven"
    case.run(run)
    tell(f"rows of 7 MB with 40 MB of memory: exit code {code}; with enough: {case.settle()}")


@pytest.mark.fault("two_runs_at_once")
def test_two_runs_at_once(case: Case, tell: Tell) -> None:
    fill(case)
    case.run()
    change(case)
    runs = [case.new_run(), case.new_run()]
    tries = [case.launch(run, pause_at="extract.uploaded") for run in runs]
    for attempt in tries:
        attempt.wait_until_paused()
    for attempt in tries:
        attempt.go_on()
    codes = [attempt.wait() for attempt in tries]
    assert 0 in codes, "\n".join(attempt.tail for attempt in tries)
    for run, attempt, code in zip(runs, tries, codes, strict=True):
        if code:
            assert "lake.errors.CatalogError" in attempt.log, attempt.tail
            case.run(run, from_the_start=True)
    tell(f"two runs from one state of main: {codes.count(0)} of 2 published, the other tried again; {case.settle()}")


@pytest.mark.slow
@pytest.mark.fault("two_runs_at_once")
def test_two_tries_of_one_run_at_once(case: Case, tell: Tell) -> None:
    fill(case)
    run = case.new_run()
    begun = case.launch(run, pause_at="extract.uploaded")
    begun.wait_until_paused()
    tries = [begun, case.launch(run, pause_at="extract.uploaded")]
    tries[1].wait_until_paused()
    for attempt in tries:
        attempt.go_on()
    codes = [attempt.wait() for attempt in tries]
    assert 0 in codes, "\n".join(attempt.tail for attempt in tries)
    tell(f"two tries of one task at once: {codes.count(0)} of 2 got to the end; {case.settle()}")


@pytest.mark.slow
@pytest.mark.fault("terminated_in_the_commit")
@pytest.mark.parametrize("applied", [False, True], ids=["before it is applied", "after it is applied"])
def test_terminated_in_the_commit(case: Case, applied: bool, tell: Tell) -> None:
    fill(case)
    case.run()
    change(case)
    run = case.new_run()
    rule = Rule("black hole", when=rb"POST /iceberg/\S*/tables/items", of="reply" if applied else "request")
    with Proxy(case.port("NESSIE"), rule) as proxy:
        attempt = case.launch(run, LAKE_NESSIE_PORT=str(proxy.port))
        until(lambda: rule.hits)
        time.sleep(0.2)
        attempt.signal(signal.SIGTERM)
        assert attempt.wait(20) != 0
    case.run(run)
    tell(f"SIGTERM {'after' if applied else 'before'} the catalog applied the commit; {case.settle()}")
