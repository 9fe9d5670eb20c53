"""Write a contract from the database's own schema: a start that works, for a person to refine."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from lake.contracts import types

CURSORS = ("updated_at", "modified_at", "last_modified", "changed_at")
PERSONAL = ("email", "name", "phone", "street", "address", "postcode", "birth")


def draft(
    table: str,
    columns: list[tuple[str, str, bool, str]],
    keys: list[tuple[str, ...]],
    references: dict[str, str],
    has_contract: Callable[[str], bool],
    comment: str = "",
) -> CommentedMap:
    """A contract for a table.

    Args:
        columns: name, MySQL type, whether NULL is allowed, comment; in the table's order.
        keys: unique keys without nullable columns, the primary key first.
        references: column -> ``table.column``; kept where that table has a contract.

    Raises:
        ValueError: the table has no key, or a column's type cannot be extracted.
    """
    if not keys:
        raise ValueError(
            f"table {table!r} has no unique key without nullable columns, so its rows cannot be told apart"
        )
    listed = CommentedMap()
    for name, mysql, nullable, note in columns:
        column = CommentedMap(type=types.normalised(mysql))
        if types.normalised(mysql) == "tinyint" and name.startswith(("is_", "has_")):
            column["as"] = "boolean"
        types.parse(column["type"], column.get("as"))
        if not nullable:
            column["nullable"] = False
        if any(word in name.lower() for word in PERSONAL) and types.parse(mysql).sql == "string":
            column["personal"] = True
        parent = references.get(name, "").split(".")[0]
        # A reference to the table itself cannot be judged row by row: the parent is judged in the same step.
        if parent and parent != table and has_contract(parent):
            column["references"] = references[name]
        if note:
            column["description"] = note
        column.fa.set_flow_style()
        listed[name] = column
        if caveat := types.parse(mysql).caveat:
            listed.yaml_add_eol_comment(caveat, key=name)
    names = [name for name, *_ in columns]
    contract = CommentedMap(
        table=table,
        description=comment.replace("\n", " ") or f"Rows of the source table {table}.",
        owner="unassigned",
        grain=f"one row per {', '.join(keys[0])}",
        key=_flow(keys[0]),
    )
    cursor = next((name for name in CURSORS if name in names), None)
    if cursor:
        contract["cursor"] = cursor
    contract["deletes"] = "keys"
    contract["columns"] = listed
    return contract


def write(contract: CommentedMap, file: Path) -> None:
    """Write a contract as YAML, one line a column."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text(contract))


def text(contract: CommentedMap) -> str:
    """A contract as YAML."""
    yaml: Any = YAML()
    yaml.width = 200
    stream = StringIO()
    yaml.dump(contract, stream)
    return stream.getvalue()


def _flow(values: tuple[str, ...]) -> CommentedSeq:
    """A list on one line."""
    sequence = CommentedSeq(values)
    sequence.fa.set_flow_style()
    return sequence
