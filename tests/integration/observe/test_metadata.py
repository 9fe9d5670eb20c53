"""What the catalog's own metadata tells of tables and audits, written by the libraries that write the lake's."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from lake.errors import AuditError
from lake.layers import raw
from lake.observe import audited, files
from lake.platform import catalog, storage
from lake.quality import audit
from lake.quality.audit import CheckResult
from lake.quality.severity import BLOCK, WARN
from lake.run import Run
from tests.integration.spark_jobs.branch import RunAt


@pytest.fixture
def run(iceberg: None) -> Iterator[Run]:
    """A run with a branch of its own."""
    run_id = f"test_{uuid.uuid4().hex[:12]}"
    yield Run(run_id, catalog.create_branch(f"run_{run_id}"))
    catalog.delete_branch(f"run_{run_id}")


def _summary(branch: str, name: str) -> files.Summary:
    return files.summary(json.loads(storage.get(catalog.contents(branch)[name])))


def test_files_bytes_and_rows_of_a_table(run: Run) -> None:
    name = f"t_{run.run_id}"
    table = raw.open_catalog(run.branch).create_table(("marts", name), pa.schema([("n", pa.int64())]))
    assert _summary(run.branch, f"marts.{name}") == files.Summary()
    for start in (0, 10):
        table.append(pa.table({"n": range(start, start + 10)}))
    found = raw.open_catalog(run.branch).load_table(("marts", name))
    size = sum(found.inspect.files()["file_size_in_bytes"].to_pylist())
    assert _summary(run.branch, f"marts.{name}") == files.Summary(data_files=2, bytes=size, rows=20)


def check(is_passed: bool, severity: str = BLOCK) -> CheckResult:
    return CheckResult("cleaned", "orders", "c", "", severity, is_passed, "", "")


def test_an_audit_that_stopped_its_run(run: Run) -> None:
    assert audited.of_branch(run.branch) is None
    began = datetime.now(UTC)
    with pytest.raises(AuditError):
        audit.audit(run, "", [], [check(True), check(True), check(False), check(False, WARN)])
    found = audited.of_branch(run.branch)
    assert found is not None and found.at >= began
    assert (found.passed, found.failed, found.warned) == (2, 1, 1)
    audit.audit(run, "", [], [check(True)])  # another try of the same run
    again = audited.of_branch(run.branch)
    assert again is not None and (again.passed, again.failed, again.warned) == (1, 0, 0)


def test_the_audit_of_the_run_before_is_not_that_of_the_branch(run: Run) -> None:
    audit.audit(RunAt("before", "", at=run.branch), "", [], [check(True)])
    assert audited.of_branch(run.branch) is None
