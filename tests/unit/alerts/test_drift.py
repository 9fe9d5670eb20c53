"""What the last sweep of each table found is told as long as rows differ."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from lake.alerts import drift

AT = datetime(2026, 1, 2, 1, 30, tzinfo=UTC)


def test_a_table_that_has_drifted_is_told_with_how_much_and_since_when(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = {"table": "a", "source": "crm", "against": "source", "drift_rows": 0, "instant": AT, "verified_through": AT}
    never = {**sound, "table": "b", "drift_rows": 1, "verified_through": None}
    since = {**never, "table": "c", "drift_rows": 1200, "verified_through": AT}
    replica = {**since, "against": "primary"}
    monkeypatch.setattr(drift.parity_ledger, "newest", lambda: [sound, never, since, replica])

    found = drift.look(AT)

    assert [alert.summary for alert in found.alerts] == [
        "b of crm: 1 row differs as of 2026-01-02 01:30 UTC; never proven equal",
        "c of crm: 1,200 rows differ as of 2026-01-02 01:30 UTC; proven equal up to 2026-01-02 01:30 UTC",
        "c of crm: 1,200 rows differ as of 2026-01-02 01:30 UTC; proven equal up to 2026-01-02 01:30 UTC, "
        "against the primary",
    ]
    assert [alert.identity["team"] for alert in found.alerts] == ["data", "data", "database"]
    assert found.alerts[0].way_out == "`lake parity b --repair` names and mends them"
    assert found.settled({"alertname": "TableDrifted", "table": "a"})
    assert not found.settled({"alertname": "TableStale"})
