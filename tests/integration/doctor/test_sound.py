"""An installation in which all is well has no problem, and what is away is not taken for well."""

from __future__ import annotations

from collections import Counter

from lake.ledger import receipts
from lake.observe.doctor.checks import CHECKS
from lake.observe.doctor.held import PROBE
from lake.platform import storage
from tests.integration.doctor.conftest import Followed, Lake, doctor

STARTED_BY_OTHERS = {"services", "airflow", "receivers"}
"""What is asked of services that not every session of tests starts."""


def test_a_sound_installation_has_no_problem(iceberg: None) -> None:
    """The session's own, as `lake up` made it; tests/end_to_end has one with every service."""
    found = doctor(*(check.name for check in CHECKS if check.name not in STARTED_BY_OTHERS))
    assert [each for each in found if each["state"] in ("problem", "skipped")] == []
    assert {each["check"] for each in found} == {check.name for check in CHECKS} - STARTED_BY_OTHERS


def test_what_lies_in_the_buckets_while_they_are_tried_is_no_receipt(iceberg: None) -> None:
    """Checks go side by side, and a call that is killed leaves its probe behind."""
    strange = [f"{storage.RECEIPTS}/{PROBE}", f"{storage.RECEIPTS}/.DS_Store"]
    try:
        for uri in strange:
            storage.put(uri, b"")
        assert [each for each in doctor("branches", "receipts") if each["state"] == "problem"] == []
        assert not {PROBE, ".DS_Store"} & receipts.run_ids()
        list(receipts.newest(10))
    finally:
        storage.delete_all(strange)


def test_a_sound_source_has_nothing_to_tell(followed: Followed) -> None:
    found = doctor("sources", "privileges", "replication", "binlog", "zones", "clocks")
    assert Counter(each["state"] for each in found) == {"ok": 7}, found
    assert all("crm" in each["subject"] for each in found)


def test_somebody_hears_of_alerts(lake: Lake) -> None:
    lake.start_alertmanager(alert_webhook_url="http://127.0.0.1:9/hook")
    (only,) = doctor("receivers")
    assert (only["state"], only["seen"]) == ("ok", "alerts go to webhook")


def test_what_is_away_is_a_problem_once_and_unknown_elsewhere(lake: Lake) -> None:
    lake.set(nessie_port=1, s3_port=1)
    found = {(each["check"], each["subject"]): each for each in doctor()}
    assert found["services", "nessie"]["state"] == found["services", "minio"]["state"] == "problem"
    for name in ("catalog", "branches", "receipts", "buckets", "clock"):
        assert found[name, name]["state"] == "skipped"
        assert "does not answer" in found[name, name]["seen"] or "failed on s3://" in found[name, name]["seen"]


def test_a_source_that_is_away_is_a_problem_once(followed: Followed) -> None:
    followed.set(source_crm_password="wrong")
    states = {each["check"]: each["state"] for each in doctor("sources", "privileges", "binlog")}
    assert states == {"sources": "problem", "privileges": "skipped", "binlog": "skipped"}
