"""What of a table's new shape a contract follows by itself, and what a person has to settle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lake.contracts import Contract, follow, types
from lake.contracts.load import load
from lake.contracts.source_schema import SourceColumn, SourceTable

FILE = """\
# the shop's orders
table: orders
description: Orders.
owner: sales
grain: one row an order
key: [id]
deletes: keys
columns:
  id: {type: int, nullable: false}
  status: {type: "enum('new','paid')", description: as the desk sees it}  # asked for by sales
"""


def contract(type_: str = "int", **more: Any) -> Contract:
    columns = {"id": {"type": "int", "nullable": False}, "c": {"type": type_, **more.pop("column", {})}}
    given = {"table": "t", "description": "x", "owner": "x", "grain": "x", "key": ["id"], "deletes": "keys"}
    return Contract.model_validate({**given, "columns": columns, **more})


def table(*columns: tuple[str, str], key: str = "id") -> SourceTable:
    listed = {name: SourceColumn(name, type_, name != key) for name, type_ in (("id", "int"), *columns)}
    return SourceTable("t", "", listed, unique_keys=[(key,)])


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("enum('a','b')", "enum('b','c','a')"),
        ("set('a')", "set('a','b')"),
        ("tinyint", "int"),
        ("int", "bigint"),
        ("int unsigned", "bigint"),
        ("smallint unsigned", "mediumint unsigned"),
        ("decimal(10,2)", "decimal(12,2)"),
        ("bigint unsigned", "bigint(20) unsigned"),
        ("varchar(20)", "varchar(255)"),
        ("char(5)", "varchar(5)"),
        ("varchar(200)", "text"),
        ("text", "longtext"),
        ("varbinary(8)", "blob"),
        ("datetime", "datetime(6)"),
        ("float", "double"),
    ],
)
def test_a_type_that_holds_more_is_followed(was: str, now: str) -> None:
    found = follow.fit(contract(was), table(("c", now)))
    assert not found.obstacles
    expected = [] if now.startswith("bigint(20)") else [f"c: {was} is now {now}"]
    assert [str(change) for change in found.followed] == expected
    column = found.contract.columns["c"]
    assert column.type == (was if not expected else now)
    # What the reader is told by, and the table in the lake is made of.
    assert column.parsed == types.parse(column.type)
    assert found.contract.schema.field("c").type == types.parse(column.type).arrow


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("enum('a','b')", "enum('a')"),
        ("enum('a')", "set('a')"),
        ("enum('a')", "varchar(10)"),
        ("bigint", "int"),
        ("int", "int unsigned"),
        ("int unsigned", "int"),
        ("int", "bigint unsigned"),  # a decimal in the lake, which an integer's column does not become
        ("decimal(10,2)", "decimal(12,3)"),
        ("decimal(10,2)", "double"),
        ("varchar(255)", "varchar(20)"),
        ("varchar(300)", "tinytext"),
        ("text", "varchar(100)"),
        ("datetime(6)", "datetime"),
        ("datetime", "timestamp"),
        ("int", "geometrything"),
    ],
)
def test_a_type_that_holds_less_or_other_things_is_an_obstacle(was: str, now: str) -> None:
    found = follow.fit(contract(was), table(("c", now)))
    assert found.obstacles == {("columns", "c"): f"is {now!r} in the source, not {was!r}"}
    assert not found.followed


def test_what_is_gone_is_an_obstacle_each() -> None:
    assert "is not in the source" in follow.fit(contract(), None).refusal
    assert "is not in the source, which has id, d" in follow.fit(contract(), table(("d", "int"))).refusal
    assert "no unique key" in follow.fit(contract(), table(("c", "int"), key="c")).refusal


def test_a_column_that_is_gone_is_let_go_only_where_the_contract_says_so_and_it_was_not_renamed() -> None:
    keeping = contract(gone_columns="keep", column={"type": "varchar(5)"})
    found = follow.fit(keeping, table())
    assert [str(change) for change in found.followed] == ["c: varchar(5) is gone, and NULL from now on"]
    assert [*found.contract.columns] == ["id"]
    assert not found.obstacles

    assert follow.fit(contract(), table()).obstacles
    assert follow.fit(keeping, table(("d", "varchar(5)"))).obstacles, "it may be d now"
    keyless = SourceTable("t", "", {"c": SourceColumn("c", "varchar(5)", True)}, unique_keys=[("id",)])
    assert ("columns", "id") in follow.fit(keeping, keyless).obstacles
    with_cursor = contract("datetime", gone_columns="keep", cursor="c")
    assert ("columns", "c") in follow.fit(with_cursor, table()).obstacles


def test_a_table_that_is_gone_is_kept_only_where_the_contract_says_so_and_it_was_not_renamed() -> None:
    keeping = contract(gone_table="keep")
    assert not follow.fit(contract(), None).is_gone
    found = follow.fit(keeping, None)
    assert (found.is_gone, found.obstacles) == (True, {})
    assert follow.fit(keeping, None, [table()]).is_gone, "that has not all its columns"
    renamed = follow.fit(keeping, None, [table(("c", "int"), ("more", "int"))])
    assert not renamed.is_gone
    assert "has it become 't', with all its columns?" in renamed.refusal


def test_a_column_that_is_gone_leaves_the_file(tmp_path: Path) -> None:
    file = tmp_path / "shop" / "orders.yml"
    file.parent.mkdir()
    file.write_text(FILE + "gone_columns: keep\n")
    shape = follow.fit(load(file), SourceTable("orders", "", {"id": SourceColumn("id", "int", False)}, [("id",)]))
    follow.write(file, shape)
    assert [*load(file).columns] == ["id"]
    assert file.read_text().startswith("# the shop's orders\n")


def test_a_new_column_is_taken_only_where_the_contract_says_so() -> None:
    grown = table(("c", "int"), ("E-Mail", "varchar(50)"), ("shape", "geometrything"))
    left = follow.fit(contract(), grown)
    assert (left.followed, left.left_out) == ([], ["E-Mail", "shape"])

    asked = contract(new_columns="take")
    assert asked.raw_schema  # what a contract has worked out of itself is not part of what follows
    taken = follow.fit(asked, grown)
    assert [str(change) for change in taken.followed] == ["e_mail: new, varchar(50)"]
    assert taken.left_out == ["shape"]
    column = taken.contract.columns["e_mail"]
    assert (column.source_name, column.nullable, column.personal) == ("E-Mail", True, True)


def test_a_column_read_as_something_else_is_followed_only_where_that_is_possible() -> None:
    as_boolean = {"as": "boolean"}
    assert follow.fit(contract("tinyint(1)", column=as_boolean), table(("c", "int"))).obstacles


def test_the_file_follows_with_all_else_in_it_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "shop" / "orders.yml"
    file.parent.mkdir()
    file.write_text(FILE + "new_columns: take\n")
    grown = SourceTable(
        "orders",
        "",
        {
            "id": SourceColumn("id", "int", False),
            "status": SourceColumn("status", "enum('new','paid','lost')", True),
            "note": SourceColumn("note", "text", True, comment="by the desk"),
        },
        unique_keys=[("id",)],
    )

    shape = follow.fit(load(file), grown)
    follow.write(file, shape)

    assert load(file) == shape.contract
    written = file.read_text()
    assert written.startswith("# the shop's orders\n")
    assert "enum('new','paid','lost')" in written
    assert "# asked for by sales" in written
    assert "note: {type: text, description: by the desk}" in written
    assert follow.fit(load(file), grown).followed == []
