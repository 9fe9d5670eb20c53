"""The table of types in the docs: complete, and as the code has it."""

from __future__ import annotations

import pytest

from lake.contracts import type_table, types
from lake.settings import PROJECT


def test_the_document_has_the_table_of_the_code() -> None:
    assert type_table.markdown() in (PROJECT / "docs" / "types.md").read_text()


def test_every_type_that_can_be_read_is_in_the_table() -> None:
    assert {parsed.base for line in type_table.LINES for parsed in line.parsed} == types.KNOWN


@pytest.mark.parametrize("line", type_table.LINES, ids=lambda line: line.shown)
def test_the_types_of_a_line_become_one_type(line: type_table.Line) -> None:
    assert len({parsed.arrow for parsed in line.parsed}) == 1
