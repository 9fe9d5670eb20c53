"""Contracts drafted from a schema: the exact YAML, and that it reads back."""

from __future__ import annotations

from pathlib import Path

import pytest

from lake.contracts import Contract, load, load_all
from lake.contracts.draft import Draft, draft, text, write
from lake.contracts.source_schema import ForeignKey, SourceColumn, SourceTable


def table(name: str, *columns: SourceColumn, keys: list[tuple[str, ...]] | None = None, **more: object) -> SourceTable:
    found = {column.name: column for column in columns}
    return SourceTable(name, str(more.pop("comment", "")), found, [("id",)] if keys is None else keys, **more)  # type: ignore[arg-type]


def drafts(*tables: SourceTable, wanted: set[str] | None = None) -> tuple[dict[str, Draft], list[str]]:
    listed = {item.name: item for item in tables}
    return draft(listed, set(listed) if wanted is None else wanted, "crm_", [], "crm")


ID = SourceColumn("id", "int(11)", False)
MOVED = SourceColumn("updated_at", "datetime(6)", False, is_kept_current=True)


def parent_of(column: str, parent: str, parent_column: str = "id", changes_rows: bool = False) -> ForeignKey:
    return ForeignKey((column,), parent, (parent_column,), changes_rows)


def test_a_contract_says_all_that_the_database_says() -> None:
    columns = (
        SourceColumn("Order", "bigint(20) unsigned", False, "its number"),
        SourceColumn("e-mail", "varchar(255)", True),
        SourceColumn("kind", "enum('a','b, c: {d}','it''s')", False),
        SourceColumn("_run_id", "tinyint(1)", True),
        SourceColumn("where", "hyperplane", True),
        MOVED,
    )
    found, refusals = drafts(table("a;DROP TABLE x", *columns, keys=[("where",), ("Order",)], comment="Two\nlines"))
    assert refusals == []
    assert list(found) == ["crm_a_drop_table_x"]
    first, rest = text(found["crm_a_drop_table_x"].contract).split("\n", 1)
    assert first.startswith("# column where is left out: 'hyperplane' is not a type that can be extracted")
    assert rest == (
        "table: crm_a_drop_table_x\n"
        "source_table: a;DROP TABLE x\n"
        "description: Two lines\n"
        "owner: unassigned\n"
        "grain: one row per order\n"
        "key: [order]\n"
        "cursor: updated_at\n"
        "deletes: keys\n"
        "new_columns: take\n"
        "columns:\n"
        "  order: {type: bigint unsigned, source_name: Order, nullable: false, description: its number}\n"
        "  e_mail: {type: varchar(255), source_name: e-mail, personal: true}\n"
        "  kind: {type: \"enum('a','b, c: {d}','it''s')\", nullable: false}\n"
        "  run_id: {type: tinyint, source_name: _run_id}\n"
        "  updated_at: {type: datetime(6), nullable: false}\n"
    )


def test_a_table_without_a_key_is_read_whole() -> None:
    found, _ = drafts(table("t", SourceColumn("a", "int", True), MOVED, keys=[]))
    assert text(found["crm_t"].contract) == (
        "# there is no unique key without nullable columns: every run reads all rows and replaces the table\n"
        "table: crm_t\n"
        "source_table: t\n"
        "description: Rows of the source table t.\n"
        "owner: unassigned\n"
        "grain: one row per row of the source, in which identical rows are told apart by nothing\n"
        "key: []\n"
        "deletes: none\n"
        "new_columns: take\n"
        "columns:\n"
        "  a: {type: int}\n"
        "  updated_at: {type: datetime(6), nullable: false}\n"
    )


def test_a_table_without_snapshots_says_so() -> None:
    found, _ = drafts(table("t", ID, has_snapshots=False))
    assert found["crm_t"].notes == [
        "its engine keeps no snapshots: rows are as they were when each was read, not as of one instant"
    ]


def test_a_date_that_says_zero_where_there_is_none_is_null_in_the_lake() -> None:
    since = SourceColumn("since", "date", False, has_zero_default=True)
    found, _ = drafts(table("t", ID, since))
    assert dict(found["crm_t"].contract["columns"]["since"]) == {"type": "date", "unreadable": "null"}
    assert found["crm_t"].notes == [
        "column since says 0000-00-00 where there is no date: that is NULL in the lake, and counted"
    ]
    Contract.model_validate({**found["crm_t"].contract, "source": "crm"})


def test_a_table_of_which_nothing_can_be_read_has_no_contract() -> None:
    found, (refusal,) = drafts(table("t", SourceColumn("a", "hyperplane", True)))
    assert found == {}
    assert refusal.startswith("table t is left out: column a is left out: 'hyperplane'")


@pytest.mark.parametrize(
    ("column", "more", "cursor", "note"),
    [
        (SourceColumn("Changed", "timestamp", False, is_kept_current=True), {}, "changed", ""),
        (SourceColumn("updated_at", "datetime", False), {}, None, "the server does not move it with every change"),
        (SourceColumn("updated_at", "datetime", True, is_kept_current=True), {}, None, "the server does not move it"),
        (MOVED, {"foreign_keys": [parent_of("p", "t", changes_rows=True)]}, None, "a foreign key changes rows without"),
        (MOVED, {"foreign_keys": None}, None, "grant it SHOW VIEW"),
    ],
)
def test_a_cursor_is_what_the_server_moves(
    column: SourceColumn, more: dict[str, object], cursor: str | None, note: str
) -> None:
    found, _ = drafts(table("t", ID, SourceColumn("p", "int", True), column, **more))
    assert found["crm_t"].contract.get("cursor") == cursor
    assert note in "\n".join(found["crm_t"].notes)


def test_references_are_kept_where_a_row_can_be_judged_by_them() -> None:
    def number(name: str) -> SourceColumn:
        return SourceColumn(name, "int", True)

    tables = (
        table("Parents", ID, SourceColumn("code", "char(2)", False), keys=[("id",), ("code",)]),
        table(
            "child", ID, number("p"), number("q"), SourceColumn("code", "char(2)", True), number("own"), number("gone"),
            foreign_keys=[
                parent_of("p", "Parents"), parent_of("code", "Parents", "code"), parent_of("own", "child"),
                parent_of("gone", "unwanted"), ForeignKey(("p", "q"), "Parents", ("id", "id")),
            ],
        ),
        table("hen", ID, number("egg"), foreign_keys=[parent_of("egg", "egg")]),
        table("egg", ID, number("hen"), foreign_keys=[parent_of("hen", "hen")]),
        table("unwanted", ID),
        table("words", SourceColumn("id", "varchar(9)", False)),
        table("of_words", ID, SourceColumn("word", "varchar(9)", True), foreign_keys=[parent_of("word", "words")]),
    )  # fmt: skip
    found, _ = drafts(*tables, wanted={item.name for item in tables} - {"unwanted"})
    held = {
        f"{name}.{column}": entry["references"]
        for name, drafted in found.items()
        for column, entry in drafted.contract["columns"].items()
        if "references" in entry
    }
    assert held == {"crm_child.p": "crm_parents.id", "crm_egg.hen": "crm_hen.id"}
    assert found["crm_child"].notes == [
        "the reference code -> Parents.code is left out: that is not the key of Parents",
        "the reference gone -> unwanted.id is left out: that table has no contract",
        "the reference own -> child.id is left out: a table's own rows are judged in one step",
        "the reference p, q -> Parents.id, id is left out: it has several columns",
    ]
    assert found["crm_hen"].notes == ["the reference egg -> egg.id is left out: references would go in a circle"]
    assert found["crm_of_words"].notes[0].endswith("by its collation, the lake letter by letter")


def test_what_is_drafted_reads_back(tmp_path: Path) -> None:
    labels = ["", " ", "two  spaces", "'", "\\", "#", ": ", "{", "%", "❤", "tab\t", "line\nbreak", "x" * 300]
    kind = "enum(" + ",".join("'" + label.replace("'", "''") + "'" for label in labels) + ")"
    names = ["id", "ID ", "yes", "null", "1", "1.5", "a: b", "- a", "{a}", "#a", "line\nbreak", "\x01", "'"]
    columns = [SourceColumn(name, kind, False, f"about {name}\nin two lines") for name in names]
    nasty = table("line\nbreak\x07", *columns, table("x", ID).columns["id"], comment=" \n ")
    found, _ = drafts(nasty, table("line break", ID))
    for name, drafted in found.items():
        write(drafted.contract, tmp_path / "crm" / f"{name}.yml")
    contracts = load_all(["crm"], tmp_path)
    assert {contract.name_in_source for contract in contracts.values()} == {"line\nbreak\x07", "line break"}
    (contract,) = [contract for contract in contracts.values() if len(contract.columns) > 1]
    assert {contract.column_in_source(name) for name in contract.columns} == set(names)
    assert contract.columns["yes"].type == kind
    # Drafting it again gives it the names that it has, whatever else has come.
    again, _ = draft(
        {nasty.name: nasty, "line-break": table("line-break", ID)}, {nasty.name}, "crm_", [contract], "crm"
    )
    assert list(again) == [contract.table]
    assert load(tmp_path / "crm" / f"{contract.table}.yml").source == "crm"
