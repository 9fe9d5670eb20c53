"""What runs in a row say of the services' memory."""

from __future__ import annotations

from benchmarks.tables import Result


def test_memory_in_the_last_quarter_is_held_against_that_in_the_second() -> None:
    peaks = [900, 900, 100, 120, 500, 500, 110, 121]
    result = Result(1, 1, 1, 1, "mariadb", row_peaks={"spark": peaks, "trino": [1] * 8})
    assert result.growth() == {"spark": 1.05, "trino": 1.0}
    assert Result(1, 1, 1, 1, "mariadb", row_peaks={"spark": [1, 2, 3]}).growth() == {}
