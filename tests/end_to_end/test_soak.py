"""Runs back to back while the shop lives: every run publishes, and shows the shop as it was at one position.

The oracle is a replica of the test's own that is stopped at the position of the receipt. Where the run's view held
exactly what the position names, as the receipt says (on MariaDB always), revenue and row counts must be equal there.
Else MySQL's view holds at least that, and may hold what was being committed when it was opened: some prefix of the
shop's history, at most `IN_FLIGHT` transactions further, must have the same revenue and the same rows in every table.

`make test-soak` runs this for half an hour; in `make test-thorough` two runs do, and a third one when the shop is
quiet again.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from lake.settings import PROJECT
from tests.end_to_end.driving import lake, source
from tests.end_to_end.scratch import REVENUE, Books, Scratch, scratch_replica

MINUTES = float(os.environ.get("LAKE_SOAK_MINUTES", 0))
"""How long; 0 is the suite's two runs."""
RATE = float(os.environ.get("LAKE_SOAK_RATE", 5))
RUNS = 2
IN_FLIGHT = 50

IN_LAKE = """
SELECT (SELECT SUM(sales_value) FROM cleaned.order_items JOIN cleaned.orders USING (order_id)
        WHERE status <> 'cancelled') AS revenue,
       (SELECT SUM(revenue) FROM marts.daily_revenue) AS in_marts
"""


@contextlib.contextmanager
def living_shop() -> Iterator[subprocess.Popen[str]]:
    """The shop, living at a steady rate beside the block; it is stopped afterwards and must have ended well."""
    command = [str(PROJECT / ".venv/bin/lake"), "shop", "tick"]
    options = ["--rate", str(RATE), "--minutes", str(MINUTES or 60)]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    before = orders()
    with subprocess.Popen([*command, *options], cwd=PROJECT, **pipes) as process:
        try:
            while orders() == before and process.poll() is None:
                time.sleep(0.2)
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            said, _ = process.communicate(timeout=300)
    print(said)
    assert process.returncode == 0, said


def orders() -> int:
    """How many orders the shop has."""
    return int(source("SELECT COUNT(*) FROM orders")[0][0])


def run() -> dict[str, Any]:
    """Run the pipeline; the receipt."""
    lake("run")
    return json.loads(lake("receipts", "--json"))[0]


def shown(receipt: dict[str, Any]) -> Books:
    """What the lake shows at a receipt's commit, and the row counts that the run saw in the source."""
    (row,) = json.loads(lake("sql", "--at", receipt["lake_commit"], IN_LAKE, "--format", "json"))
    assert row["revenue"] == row["in_marts"]
    rows = {table: counts["source_rows"] for table, counts in receipt["tables"].items() if counts["source"] == "shop"}
    return Books(Decimal(row["revenue"]), rows)


def assert_shop_was_so(scratch: Scratch, receipt: dict[str, Any]) -> int:
    """Find what the lake shows at the receipt's position; how many transactions further it was found."""
    expected, origin = shown(receipt), receipt["sources"]["shop"]
    scratch.stop_at(origin["position"])
    assert origin["is_exact"] or not scratch.is_mariadb
    tried = [scratch.books(list(expected.rows))]
    while (
        tried[-1] != expected
        and not origin["is_exact"]
        and len(tried) <= IN_FLIGHT
        and (more := scratch.next_transaction())
    ):
        scratch.stop_at(more)
        tried.append(scratch.books(list(expected.rows)))
    assert expected in tried, f"{receipt['run_id']}: {expected}, but the shop had {tried[0]} to {tried[-1]}"
    return len(tried) - 1


@pytest.mark.thorough
@pytest.mark.timeout(60 * MINUTES + 3600)
def test_every_run_publishes_while_the_shop_lives_and_shows_it_to_the_cent(published: dict[str, Any]) -> None:
    receipts = []
    with living_shop() as living:
        while len(receipts) < RUNS or (MINUTES and living.poll() is None):
            assert living.poll() is None or MINUTES, "the shop ended by itself"
            receipts.append(run())
    receipts.append(run())

    # None of this would mean much if the shop had stood still.
    assert len({receipt["run_id"] for receipt in [published, *receipts]}) == len(receipts) + 1
    # The last run may find nothing more, if the shop ended while the one before had not yet begun to read.
    lively = receipts[:-1] if receipts[-1]["unchanged_since"] else receipts
    for receipt in lively:
        assert receipt["tables"]["orders"]["read"] > 0
    assert len({shown(receipt).revenue for receipt in lively}) == len(lively)
    assert shown(receipts[-1]).revenue == source(REVENUE)[0][0]

    with scratch_replica() as scratch:
        further = [assert_shop_was_so(scratch, receipt) for receipt in receipts]
    print(f"{len(receipts)} runs; found after so many transactions beyond the receipt's position: {further}")
