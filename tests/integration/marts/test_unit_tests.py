"""The unit tests of the dbt project, on Trino: given rows make the marts that are expected."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
import yaml

from lake.layers import marts, raw
from lake.platform import catalog, sql

WRITTEN = [*(marts.DBT / "models" / "marts").rglob("_unit_tests.yml")]


@pytest.mark.usefixtures("iceberg", "engines")
def test_given_rows_make_the_marts_that_are_expected(tmp_path: Path) -> None:
    branch = f"unit_{uuid.uuid4().hex[:8]}"
    catalog.create_empty_branch(branch)
    try:
        raw.prepare(branch)
        with sql.catalog_at(branch, branch):
            result = marts._invoke(["test", "--select", "test_type:unit"], branch, tmp_path)
    finally:
        catalog.delete_branch(branch)
    names = {test["name"] for file in WRITTEN for test in yaml.safe_load(file.read_text())["unit_tests"]}
    assert result.tests == dict.fromkeys(names, "pass")
