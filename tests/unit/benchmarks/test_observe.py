"""What the profile costs, of two looks at the services."""

from __future__ import annotations

import pytest

from benchmarks.observe import Cost, Outcome

WATCHED = {
    "trino": Cost(0.030, 500),
    "prometheus": Cost(0.010, 80),
    "opensearch": Cost(0.020, 900),
    "exporter": Cost(0.015, 60),
}


def test_its_own_processes_are_told_apart_from_what_the_core_does_more() -> None:
    outcome = Outcome(600, WATCHED, {"trino": Cost(0.022, 480)})
    assert outcome.own.cores == pytest.approx(0.025)
    assert outcome.own.bytes == 140
    assert outcome.caused_cores == pytest.approx(0.008)
