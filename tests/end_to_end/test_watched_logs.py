"""After a run through Airflow's scheduler: its id finds lines of everything that worked for it."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from tenacity import Retrying, stop_after_delay, wait_fixed

from tests.end_to_end.driving import lake

pytestmark = pytest.mark.thorough

TOOK_PART = {"airflow-scheduler", "airflow-task", "nessie", "spark", "trino"}
"""Those that log what they do; object store and database servers log what fails, or takes long."""


def test_a_search_for_the_run_finds_every_service_that_took_part(watched_run: dict[str, Any]) -> None:
    for attempt in Retrying(stop=stop_after_delay(60), wait=wait_fixed(2), reraise=True):
        with attempt:
            found = lake("logs", "--run", watched_run["run_id"], "--lines", "10000")
            lines = Counter(json.loads(line)["service"] for line in found.splitlines())
            assert {*lines} >= TOOK_PART, lines


def test_no_line_of_the_run_is_an_error(watched_run: dict[str, Any]) -> None:
    """What nobody can do anything about is no error, or nobody looks at errors any more."""
    found = lake("logs", "--run", watched_run["run_id"], "--saved", "errors")
    assert found == "", found
