"""Three incidents in the shop itself, from its rows through Airflow to the person who hears of them, and until over.

The shop is loaded in full, since what is usual of a day cannot be told from a few customers; afterwards it is the small
one again that the other tests know. Rules judge yesterday (UTC): around midnight, the day changes under this test.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from queue import Empty, Queue
from typing import Any
from unittest.mock import patch

import pytest
from pymysql.cursors import Cursor

from lake.alerts import history
from lake.platform import storage
from lake.shop.replica import wait_for_replica
from tests.end_to_end.driving import lake, shop, source
from tests.hooks import listening

PATIENCE_SECONDS = 300
"""Until the rules of a publish are evaluated, and until Alertmanager has said so: its routes wait up to a minute."""
QUIET_SECONDS = 90
IN_FULL_SECONDS = 3600
"""For what reads or loads the whole shop, on a machine that others use as well."""
SMALL = ("shop", "load", "--replace", "--sample", "0.02")

EVENT = "event_id, session_id, customer_id, product_id, order_id, event_type, occurred_at, properties, created_at"
OF_CATEGORY = """
SELECT order_item_id, sales_value FROM order_items JOIN orders USING (order_id) JOIN products USING (product_id)
WHERE category_id = %s AND ordered_at >= %s AND ordered_at < %s AND sales_value > 0.02
"""
BY_CARD = """
SELECT payment_id FROM payments WHERE method = 'card' AND status = 'captured' AND paid_at >= %s AND paid_at <= %s
"""

Statement = tuple[str, Sequence[Any]]
About = tuple[str, str, str]
"""State, rule and segment."""

pytestmark = pytest.mark.thorough


@pytest.fixture
def in_full(platform: None) -> Iterator[None]:
    """The shop with all of its customers, not published yet; the small one afterwards, published."""
    lake("shop", "load", "--replace", seconds=IN_FULL_SECONDS)
    try:
        yield
    finally:
        lake(*SMALL)
        lake("run", seconds=IN_FULL_SECONDS)


@pytest.fixture
def sent(platform: None) -> Iterator[Queue[Any]]:
    """What the platform's Alertmanager says to a web server on this machine, while the test runs."""
    with listening() as hook:
        try:
            with patch.dict(os.environ, LAKE_ALERT_WEBHOOK_URL=f"{hook.url}/incidents"):
                lake("up", "alertmanager")
            yield hook.sent("/incidents")
        finally:
            with patch.dict(os.environ, LAKE_ALERT_WEBHOOK_URL=""):
                lake("up", "alertmanager")


@pytest.fixture
def heard(sent: Queue[Any]) -> Callable[[set[str]], dict[About, dict[str, str]]]:
    """What was said of some rules since it was asked before, with its annotations; nothing is ever said twice."""
    said: set[About] = set()

    def hear(rules: set[str]) -> dict[About, dict[str, str]]:
        found: dict[About, dict[str, str]] = {}
        seconds = PATIENCE_SECONDS
        while True:
            try:
                message = sent.get(timeout=seconds)
            except Empty:
                return found
            seconds = QUIET_SECONDS
            for alert in message["alerts"]:
                labels = alert["labels"]
                about = alert["status"], labels["alertname"], labels.get("segment", "")
                if about[1] in rules:
                    assert about not in said, f"{about} was said twice"
                    said.add(about)
                    found[about] = alert["annotations"]

    return hear


def do(*statements: Statement) -> None:
    """Change the shop in one transaction, and wait until the replica has it."""
    with shop() as connection:
        with connection.cursor() as cursor:
            for statement, values in statements:
                assert cursor.execute(statement, values) > 0, statement
        connection.commit()
        wait_for_replica(connection)


def run() -> dict[str, str]:
    """Run the pipeline; what each rule came to at its receipt, of segments the worst."""
    lake("run", seconds=IN_FULL_SECONDS)
    run_id = json.loads(lake("receipts", "--json"))[0]["run_id"]
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (kept := [uri for uri in storage.list_keys(history.PLACE) if uri.endswith(f"-{run_id}.json")]):
        assert time.monotonic() < deadline, f"no rule was evaluated at {run_id}"
        time.sleep(1)
    findings = json.loads(storage.get(kept[0]))["findings"]
    states: dict[str, str] = {}
    for found in findings:
        if states.get(found["rule"]) != "firing":
            states[found["rule"]] = found["state"]
    return states


def rows(statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """What the shop holds, to be put back later."""
    with shop() as connection, connection.cursor(Cursor) as cursor:
        cursor.execute(statement, values)
        found = list(cursor.fetchall())
    assert found, statement
    return found


def test_incidents_in_the_shop_are_found_explained_told_once_and_over_when_it_is_put_right(
    in_full: None, heard: Callable[[set[str]], dict[About, dict[str, str]]]
) -> None:
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    that_day = (yesterday, yesterday + timedelta(days=1))
    expected = {"department_falls", "payments_fail", "sessions_missing"}

    # A day's events do not arrive, so the lake has never seen them.
    missing = rows(f"SELECT {EVENT} FROM clickstream WHERE occurred_at >= %s AND occurred_at < %s", that_day)
    do(("DELETE FROM clickstream WHERE occurred_at >= %s AND occurred_at < %s", that_day))
    before = run()
    assert {rule: before[rule] for rule in expected} == {
        "department_falls": "holds",
        "payments_fail": "holds",
        "sessions_missing": "firing",
    }
    told = heard(expected)
    assert set(told) == {("firing", "sessions_missing", "")}
    assert told["firing", "sessions_missing", ""]["why"] == "spread over the segments of every dimension"

    # A category sells at half its price, and for an hour, no card is taken.
    category, name = fuel()
    sold = rows(OF_CATEGORY, (category, *that_day))
    paid = rows(BY_CARD, busiest_hour(yesterday))
    do(
        *(
            ("UPDATE order_items SET sales_value = sales_value / 2 WHERE order_item_id = %s", (item,))
            for item, _ in sold
        ),
        *(("UPDATE payments SET status = 'failed', failure = 'timeout' WHERE payment_id = %s", one) for one in paid),
    )
    fired = run()
    assert {rule: fired[rule] for rule in expected} == dict.fromkeys(expected, "firing")
    told = heard(expected)
    # Not a word of the sessions, which are missing still.
    assert set(told) == {("firing", "department_falls", "FUEL"), ("firing", "payments_fail", "")}
    falls, fails = (told["firing", rule, of] for rule, of in (("department_falls", "FUEL"), ("payments_fail", "")))
    assert falls["why"].startswith(f"mostly category {name} ("), falls
    assert fails["why"].startswith("mostly method card ("), fails
    for each in (falls, fails):
        assert storage.get(each["chart"]).startswith(b"\x89PNG")

    places = ", ".join(["%s"] * len(missing[0]))
    do(
        *(("UPDATE order_items SET sales_value = %s WHERE order_item_id = %s", (value, item)) for item, value in sold),
        *(("UPDATE payments SET status = 'captured', failure = NULL WHERE payment_id = %s", one) for one in paid),
        *((f"INSERT INTO clickstream ({EVENT}) VALUES ({places})", event) for event in missing),
    )
    over = run()
    assert {rule: over[rule] for rule in expected} == dict.fromkeys(expected, "holds")
    assert set(heard(expected)) == {
        ("resolved", "sessions_missing", ""),
        ("resolved", "department_falls", "FUEL"),
        ("resolved", "payments_fail", ""),
    }
    listed = lake("alerts", "history", "--days", "1")
    assert all(rule in listed for rule in expected)
    assert lake("alerts", "test", "sessions_missing", "--at", yesterday.isoformat()).startswith("holds ")


def fuel() -> tuple[int, str]:
    """The category that is nearly all of its department, as none is of another large one."""
    [(category, name)] = source(
        "SELECT category_id, category_name FROM categories JOIN products USING (category_id) "
        "JOIN order_items USING (product_id) WHERE department = 'FUEL' "
        "GROUP BY 1, 2 ORDER BY SUM(sales_value) DESC LIMIT 1"
    )
    return int(category), str(name)


def busiest_hour(day: date) -> tuple[str, str]:
    """The hour of a day in which most cards were taken: from, until."""
    [(hour, _)] = source(
        "SELECT HOUR(paid_at), COUNT(*) FROM payments WHERE method = 'card' AND status = 'captured' "
        f"AND DATE(paid_at) = '{day}' GROUP BY 1 ORDER BY 2 DESC LIMIT 1"
    )
    return f"{day} {hour:02}:00:00", f"{day} {hour:02}:59:59.999999"
