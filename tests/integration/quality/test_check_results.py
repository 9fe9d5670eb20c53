"""The table of check results: each run adds its own, once."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from lake.errors import AuditError
from lake.layers import raw
from lake.platform import catalog
from lake.quality import audit
from lake.quality.audit import CheckResult
from tests.integration.spark_jobs.branch import RunAt


@pytest.fixture
def branch(iceberg: None) -> Iterator[str]:
    """A branch that runs write to, one after the other."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    catalog.create_branch(name)
    yield name
    catalog.delete_branch(name)


def result(name: str, is_passed: bool = True) -> CheckResult:
    return CheckResult("cleaned", "orders", name, "", "critical", is_passed, "", "")


def test_each_run_adds_its_results_and_a_second_try_replaces_those_of_the_first(branch: str) -> None:
    first, second = RunAt("first", "", at=branch), RunAt("second", "", at=branch)
    audit.audit(first, "", [], [result("unique"), result("not_null")])
    with pytest.raises(AuditError, match="1 of 2 checks stop the publish"):
        audit.audit(second, "", [], [result("unique", is_passed=False), result("labels")])
    audit.audit(second, "", [], [result("unique")])
    table = raw.find(branch, "audit", "check_results")
    assert table is not None
    told = table.scan(selected_fields=("run_id", "check_name", "is_passed")).to_arrow().to_pylist()
    ours = [tuple(row.values()) for row in told if row["run_id"] in {"first", "second"}]
    assert sorted(ours) == [("first", "not_null", True), ("first", "unique", True), ("second", "unique", True)]
