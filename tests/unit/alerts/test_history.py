"""When rules fired, from what they came to publish by publish."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from lake.alerts.history import episodes


def told(day: int, *findings: tuple[str, str, str]) -> dict[str, Any]:
    return {
        "run_id": f"r{day}",
        "source_instant": datetime(2026, 11, day, tzinfo=UTC).isoformat(),
        "findings": [
            {"rule": rule, "segment": segment, "state": state, "summary": f"{rule} {day}", "why": "x"}
            for rule, segment, state in findings
        ],
    }


def test_an_episode_lasts_from_the_first_publish_that_fires_to_the_first_that_holds() -> None:
    found = episodes(
        [
            told(1, ("falls", "meat", "holds"), ("falls", "fish", "firing")),
            told(2, ("falls", "meat", "firing"), ("falls", "fish", "holds")),
            # Not known is not over.
            told(3, ("falls", "meat", "no_data")),
            told(4, ("falls", "meat", "firing")),
            told(5, ("falls", "meat", "holds")),
            told(6, ("falls", "meat", "firing")),
        ]
    )
    spans = [(one.segment, one.since.day, one.until and one.until.day, one.run_id, one.summary) for one in found]
    assert spans == [
        ("meat", 6, None, "r6", "falls 6"),
        ("meat", 2, 5, "r2", "falls 2"),
        ("fish", 1, 2, "r1", "falls 1"),
    ]


def test_a_segment_that_is_no_longer_judged_is_over() -> None:
    found = episodes(
        [
            told(1, ("falls", "meat", "firing")),
            # Nothing is known of any segment.
            told(2, ("falls", "", "no_data")),
            told(3, ("falls", "fish", "holds")),
        ]
    )
    assert [(one.segment, one.until and one.until.day) for one in found] == [("meat", 3)]
