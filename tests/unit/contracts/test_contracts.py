"""Contracts: types, and mistakes that are refused with file and line."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from lake.contracts import Column, Contract, load, load_all, types
from lake.errors import ContractError

GOOD = """\
table: things
description: Things.
owner: me
grain: one row per thing
key: [thing_id]
cursor: updated_at
deletes: none
columns:
  thing_id: {type: bigint unsigned, nullable: false}
  price: {type: 'decimal(12,2)', min: 0}
  updated_at: {type: datetime(6), nullable: false}
"""


@pytest.mark.parametrize(
    ("mysql", "expected"),
    [
        ("bigint(20) unsigned", pa.decimal128(20, 0)),
        ("int unsigned", pa.int64()),
        ("tinyint(1)", pa.int32()),
        ("decimal(38,10)", pa.decimal128(38, 10)),
        ("decimal", pa.decimal128(10, 0)),
        ("enum('a','it''s')", pa.string()),
        ("datetime(6)", pa.timestamp("us", tz="UTC")),
        ("json", pa.string()),
        ("date", pa.date32()),
        ("year(4)", pa.int32()),
        ("time(6)", pa.string()),
        ("bit(31)", pa.int32()),
        ("bit(63)", pa.int64()),
        ("bit(64)", pa.decimal128(20, 0)),
        ("decimal(39,0)", pa.string()),
        ("float(7,3) unsigned zerofill", pa.float32()),
        ("int(5) unsigned zerofill", pa.int64()),
        ("inet4", pa.string()),
        ("inet6", pa.string()),
        ("uuid", pa.string()),
        ("vector(3)", pa.binary()),
        ("geomcollection", pa.binary()),
        ("text /*M!100301 COMPRESSED*/", pa.string()),
        ("timestamp(3) /* mariadb-5.3 */", pa.timestamp("us", tz="UTC")),
    ],
)
def test_types(mysql: str, expected: pa.DataType) -> None:
    assert types.parse(mysql).arrow == expected


def test_enum_labels_are_unquoted() -> None:
    assert types.parse("enum('a','it''s')").labels == ("a", "it's")
    assert types.parse(r"enum('b\\c','n\nl','x,y)','','\0')").labels == (r"b\c", "n\nl", "x,y)", "", "\0")


def test_labels_that_the_server_shows_with_a_question_mark_are_not_taken_for_the_only_ones() -> None:
    assert Column(type="enum('a','b')").allowed == ("a", "b")
    assert Column(type="enum('a','?')").allowed is None
    assert Column(type="enum('a','?')", accepted=("a",)).allowed == ("a",)


def test_boolean_where_the_contract_says_so() -> None:
    for mysql in ("tinyint(1)", "tinyint(4) unsigned", "bit(1)", "bit"):
        assert types.parse(mysql, "boolean").arrow == pa.bool_()
    with pytest.raises(ValueError, match=r"tinyint and bit\(1\) can"):
        types.parse("bit(2)", "boolean")


def test_an_unsigned_key_as_a_signed_number_where_the_contract_says_so() -> None:
    assert types.parse("bigint(20) unsigned", "bigint").arrow == pa.int64()
    for mysql in ("bigint(20)", "int unsigned"):
        with pytest.raises(ValueError, match="bigint unsigned as 'bigint'"):
            types.parse(mysql, "bigint")


def test_what_becomes_of_unreadable_values() -> None:
    columns = {
        "k": {"type": "date", "nullable": False},
        "a": {"type": "date"},
        "b": {"type": "date", "nullable": False},
        "c": {"type": "date", "unreadable": "refuse"},
    }
    common = {"table": "t", "description": "x", "owner": "x", "grain": "x", "deletes": "none", "key": ["k"]}
    policies = {}
    for said in ("quarantine", "null", "refuse"):
        contract = Contract.model_validate({**common, "columns": columns, "unreadable": said})
        policies[said] = [contract.when_unreadable(name) for name in columns]
    assert policies == {
        "quarantine": ["refuse", "quarantine", "quarantine", "refuse"],
        "null": ["refuse", "null", "quarantine", "refuse"],
        "refuse": ["refuse", "refuse", "refuse", "refuse"],
    }


@pytest.mark.parametrize(
    ("before", "after", "line", "message"),
    [
        ("key: [thing_id]", "key: [id]", 1, "key names the column 'id'"),
        ("decimal(12,2)", "money", 10, "'money' is not a type that can be extracted"),
        ("decimal(12,2)", "decimal(65,30)", 10, "'min' and 'max' are for numbers, and this column is 'decimal(65,30)'"),
        ("nullable: false}\n  price", "nullable: false, unreadable: 'null'}\n  price", 1, "the key column 'thing_id'"),
        ("min: 0", "unreadable: 'null', nullable: false", 1, "'price' says 'unreadable: null' and 'nullable: false'"),
        (
            "min: 0",
            "unreadable: drop",
            10,
            "columns.price.unreadable: Input should be 'quarantine', 'null' or 'refuse'",
        ),
        ("deletes: none", "deletes: maybe", 7, "Input should be 'keys' or 'none' (given: 'maybe')"),
        ("deletes: none", "deletes: none\nincrement: log", 8, "Input should be 'auto', 'cursor', 'sweep', 'binlog' or"),
        ("cursor: updated_at", "increment: cursor", 1, "'increment: cursor' needs a 'cursor'"),
        ("min: 0", "minimum: 0", 10, "columns.price.minimum: Extra inputs are not permitted"),
        ("table: things", "table: other", 1, "expected 'things' as the file's name"),
        ("key: [thing_id]\n", "", 1, "key: Field required"),
        ("key: [thing_id]", "key: []", 1, "it has no cursor and no history, and says 'deletes: none'"),
        ("  price:", "  Price:", 1, "lower-case letters, digits and _, not 'Price'; the name in the source stands"),
        ("price:", "_price:", 1, "not '_price'"),
        ("table: things", "table: things\nsource: shop", 2, "source: is said by the folder, not here"),
        ("  price:", "  thing_id: {type: int}\n  price:", 10, 'found duplicate key "thing_id"'),
    ],
)
def test_a_mistake_is_refused_with_file_and_line(
    tmp_path: Path, before: str, after: str, line: int, message: str
) -> None:
    assert before in GOOD
    file = tmp_path / "things.yml"
    file.write_text(GOOD.replace(before, after))
    with pytest.raises(ContractError) as refused:
        load(file)
    assert f"{file}:{line}: " in refused.value.what
    assert message in refused.value.what


@pytest.mark.parametrize("name", ["no", "on", "y", "null_", "0x1f", "1e3", "08", "1_000", "12"])
def test_a_column_is_called_as_its_contract_says(tmp_path: Path, name: str) -> None:
    """Of a reader for YAML 1.1 `no` would be false, and others numbers."""
    file = tmp_path / "things.yml"
    file.write_text(GOOD.replace("price:", f"'{name}':" if name[0].isdigit() else f"{name}:"))
    assert list(load(file).columns)[1] == name


def test_a_number_without_quotes_is_no_name(tmp_path: Path) -> None:
    file = tmp_path / "things.yml"
    file.write_text(GOOD.replace("price:", "12:"))
    with pytest.raises(ContractError, match="should be a valid string"):
        load(file)


def test_a_table_with_history_leaves_its_columns_to_it(tmp_path: Path) -> None:
    file = tmp_path / "things.yml"
    file.write_text(GOOD.replace("deletes: none", "deletes: none\nhistory: true").replace("price:", "valid_from:"))
    with pytest.raises(ContractError, match="valid_from are names that the lake itself uses"):
        load(file)


def test_two_sources_cannot_have_a_table_of_one_name(tmp_path: Path) -> None:
    for source in ("crm", "shop"):
        (tmp_path / source).mkdir()
        (tmp_path / source / "things.yml").write_text(GOOD)
    with pytest.raises(ContractError, match=r"crm/things\.yml:1: table: shop has a table of this name too"):
        load_all(["shop", "crm"], tmp_path)
    assert load_all(["crm"], tmp_path)["things"].source == "crm"


def test_a_reference_to_nowhere_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "things.yml").write_text(GOOD.replace("min: 0", "references: owners.owner_id"))
    with pytest.raises(ContractError, match=r"things\.yml:10: .*no contract for table 'owners'"):
        load_all(["shop"], tmp_path)


def test_references_in_a_circle_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "things.yml").write_text(GOOD.replace("min: 0", "references: things.thing_id"))
    with pytest.raises(ContractError, match="references go in a circle: things -> things"):
        load_all(["shop"], tmp_path)


def test_the_shop_has_its_contracts() -> None:
    assert len(load_all(["shop"])) == 16
