"""What happens at the end of a month: parity with its repair, and maintenance at the year's own clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from lake.ledger import retention
from lake.maintenance import collect, compact
from lake.steps import parity
from tests.year import runs

if TYPE_CHECKING:
    from tests.year.year import Year


def prove(year: Year) -> None:
    """The night's parity as `dags/parity.py` wires it. It must name the tables that have drifted, and mend them."""
    expected = {year.tables[name].lake_name for name in year.drifted}
    unproven = parity.sweep()
    assert set(unproven) == expected, f"parity names {unproven}, and {expected} have drifted"
    if unproven:
        receipt = runs.run(runs.dag_run_id(year.now, "parity"), year.engine)
        assert not receipt.unchanged_since, "a run that mends has something to publish"
        assert parity.prove(unproven) > 0, "nothing was mended"
        year.drifted.clear()


def maintain(spark: Callable[[], Any], now: datetime) -> None:
    """What `dags/maintenance.py` does at night, without Airflow's own history.

    Receipts carry when they were published in truth, all within an hour; the policy is told when the year has it.
    """
    with patch.object(retention, "published_at", runs.simulated_at):
        groups = compact.compact(spark(), now)
        assert all(group.is_published for group in groups), f"no run came in between: {groups}"
        for each in collect.collect(now).gone:
            print(f"maintenance removed {each}", flush=True)
