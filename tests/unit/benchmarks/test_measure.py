"""The benchmark's arithmetic: what counts as work, what a service has used, and which process runs which task."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from benchmarks.measure import (
    Phase,
    Sampler,
    covered_seconds,
    orchestration_share,
    ratio,
    spent,
    task_id,
)

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def _span(begin: float, end: float) -> tuple[datetime, datetime]:
    return NOON + timedelta(seconds=begin), NOON + timedelta(seconds=end)


def test_time_that_two_tasks_share_counts_once() -> None:
    overlapping = [_span(10, 14), _span(0, 5), _span(3, 8), _span(4, 6), _span(14, 15)]
    assert covered_seconds(overlapping) == 8 + 5


def test_nothing_covers_nothing() -> None:
    assert covered_seconds([]) == 0


def test_orchestration_is_the_time_in_which_no_task_runs() -> None:
    assert orchestration_share(20, [_span(1, 9), _span(11, 18)]) == pytest.approx(0.25)
    assert orchestration_share(20, []) == 1
    assert orchestration_share(0, []) == 0


def test_clocks_that_differ_a_little_do_not_make_it_negative() -> None:
    assert orchestration_share(10, [_span(0, 10.2)]) == 0


def test_a_service_that_was_restarted_counts_from_its_start() -> None:
    before = {"spark": 100.0, "trino": 50.0, "gone": 7.0}
    assert spent(before, {"spark": 130.0, "trino": 4.0, "new": 2.0}) == {"spark": 30.0, "trino": 4.0, "new": 2.0}


def test_a_ratio_to_nothing_is_no_number() -> None:
    assert ratio(30, 15) == 2
    assert ratio(30, 0) is None


@pytest.mark.parametrize(
    ("command", "found"),
    [
        ("airflow worker -- 01a20b11-1ab3-7bea-ad12-7f1f6a9d1beb", "01a20b11-1ab3-7bea-ad12-7f1f6a9d1beb"),
        ("airflow worker -- 01a20b11-1ab3-7bea-ad12-7f1f6a9d1beb  ", "01a20b11-1ab3-7bea-ad12-7f1f6a9d1beb"),
        ("airflow worker -- LocalExecutor: 01a20b11-1ab3-7bea-ad12-7f1f6a9d1beb", None),  # only watches the task
        ("airflow worker -- LocalExecutor: <idle>", None),
        ("python -m airflow scheduler --skip-serve-logs", None),
    ],
)
def test_the_process_of_a_task_is_known_by_its_title(command: str, found: str | None) -> None:
    assert task_id(command) == found


def test_a_phase_tells_what_the_source_cost() -> None:
    used = {"peer": 16.0, "mariadb-primary": 0.5, "mariadb-replica": 2.0}
    phase = Phase("peer full", 17.0, 18.5, used, 1, {"peer": 1})
    assert phase.source_cpu_seconds == 2.5
    assert phase.to_json()["source_cpu_seconds"] == 2.5


def test_the_sampler_sees_the_cpu_of_a_child_that_has_ended_and_the_memory_of_one_that_lives() -> None:
    burn = "import time; t = time.process_time()\nwhile time.process_time() - t < 0.3: pass"
    hold = "import sys; kept = b'x' * 64 * 1024 ** 2; print('ready', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        holder.stdout.readline()
        with Sampler(lambda: {"test": os.getpid(), "gone": 2**22 + 1}, interval_seconds=0.05) as sampler:
            subprocess.run([sys.executable, "-c", burn], check=True)
        holder.communicate()
    assert sampler.cpu_by_service["test"] >= 0.3
    assert sampler.cpu_by_service["gone"] == 0
    assert sampler.peak_bytes > 64 * 1024**2
