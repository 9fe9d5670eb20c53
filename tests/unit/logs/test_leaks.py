"""What looks through the logs of a whole session, on logs in which something was planted."""

from __future__ import annotations

from pathlib import Path

import pytest

from lake import secret_file
from tests.leaks import leaks


@pytest.mark.parametrize(
    "place",
    [
        "logs/trino.log",
        "logs/trino.log.1",
        "data/airflow/logs/dag_id=a/task_id=b/1.log",
        "data/traces/spans-2026-11-26.jsonl",
    ],
)
def test_what_was_planted_is_found_wherever_it_is(tmp_path: Path, place: str) -> None:
    secret_file.update(tmp_path, {"LAKE_S3_SECRET_KEY": "sesame'open"})
    file = tmp_path / place
    file.parent.mkdir(parents=True)
    file.write_bytes(b"\xff nothing here\n")
    assert list(leaks(tmp_path)) == []
    file.write_bytes(b"\xff key sesame'open of ada.l@example.org\n")
    assert list(leaks(tmp_path)) == [f"{place} holds LAKE_S3_SECRET_KEY", f"{place} holds ada.l@example.org"]
