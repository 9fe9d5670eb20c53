"""The raw layer on a branch of its own, through the real catalog."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pyarrow as pa
import pytest

from lake import catalog, raw


@pytest.fixture
def branch(platform: None) -> Iterator[str]:
    """A branch that is deleted afterwards."""
    raw.prepare(catalog.MAIN)
    name = f"test_{uuid.uuid4().hex[:12]}"
    catalog.create_branch(name)
    try:
        yield name
    finally:
        catalog.delete_branch(name)


def test_a_raw_table_takes_new_columns_and_wider_types_in(branch: str) -> None:
    before = pa.schema([("k", pa.int32()), ("v", pa.string())])
    after = pa.schema([("k", pa.int64()), ("v", pa.string()), ("new", pa.decimal128(20, 0))])
    table = raw.open_catalog(branch).create_table(("raw", "widened"), before)
    assert raw._widened(table, before, branch) is table

    widened = raw._widened(table, after, branch)

    found = raw.find(branch, "raw", "widened")
    assert found is not None
    for seen in (widened, found):
        assert [(f.name, str(f.field_type)) for f in seen.schema().fields] == [
            ("k", "long"),
            ("v", "string"),
            ("new", "decimal(20, 0)"),
        ]
    assert raw._widened(found, after, branch) is found
