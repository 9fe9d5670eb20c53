"""Write contracts from the database's own schema: a start that works, for a person to refine."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

import networkx  # type: ignore[import-untyped]
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from lake.contracts import naming, types
from lake.contracts.model import RESERVED, Contract
from lake.contracts.source_schema import ForeignKey, SourceColumn, SourceTable

CURSORS = ("updated_at", "modified_at", "last_modified", "changed_at")


@dataclass
class Draft:
    """A contract, and what was left out of it and why, in sentences.

    Attributes:
        names: source column -> lake column, of the columns that are in the contract.
    """

    contract: CommentedMap
    names: dict[str, str]
    notes: list[str] = field(default_factory=list)

    @property
    def key(self) -> tuple[str, ...]:
        """Lake columns of the key."""
        return tuple(self.contract["key"])


def draft(
    tables: Mapping[str, SourceTable], wanted: Collection[str], prefix: str, existing: Collection[Contract], source: str
) -> tuple[dict[str, Draft], list[str]]:
    """Contracts of some tables of a source.

    Args:
        tables: every table of the source, by its name there: names in the lake depend on all of them.
        wanted: those that get a contract.
        prefix: what the lake names of this source's tables begin with.
        existing: the contracts of all sources; one of a wanted table gives it its lake name, and is not read further.

    Returns:
        The drafts by lake name, and a sentence for each wanted table that can have none.
    """
    lake_names = _lake_names(tables, prefix, existing, source)
    drafts: dict[str, Draft] = {}
    refusals = []
    for name in sorted(wanted):
        drafted = _draft(tables[name], lake_names[name])
        if drafted.names:
            drafts[lake_names[name]] = drafted
        else:
            refusals.append(f"table {name} is left out: {'; '.join(drafted.notes) or 'it has no column'}")
    kept = [contract for contract in existing if contract.table not in drafts]
    _refer(drafts, {lake_names[name]: tables[name] for name in wanted}, lake_names, kept, source)
    for drafted in drafts.values():
        if drafted.notes:
            drafted.contract.yaml_set_start_comment("\n".join(map(_printable, drafted.notes)))
    return drafts, refusals


def _lake_names(
    tables: Mapping[str, SourceTable], prefix: str, existing: Collection[Contract], source: str
) -> dict[str, str]:
    """Lake name of every table; one that has a contract keeps the name that it has there."""
    known = {contract.name_in_source: contract.table for contract in existing if contract.source == source}
    fresh = [name for name in tables if name not in known]
    return known | naming.distinct(fresh, prefix, {contract.table for contract in existing})


def _draft(table: SourceTable, lake_name: str) -> Draft:
    """The contract of one table, without its references."""
    notes = []
    known = {}
    for column in table.columns.values():
        try:
            types.parse(types.normalised(column.type))
            known[column.name] = column
        except ValueError as error:
            notes.append(f"column {column.name} is left out: {error}")
    if not table.has_snapshots:
        notes.append("its engine keeps no snapshots: rows are as they were when each was read, not as of one instant")
    names = naming.distinct(known, taken=RESERVED)
    # One line: quoted names of the source may hold anything.
    description = " ".join(table.comment.split()) or f"Rows of the source table {' '.join(table.name.split())}."
    contract = CommentedMap(table=lake_name)
    if table.name != lake_name:
        contract["source_table"] = table.name
    contract["description"], contract["owner"] = description, "unassigned"
    key = next((key for key in table.unique_keys if all(column in known for column in key)), ())
    notes += [
        f"column {column.name} says 0000-00-00 where there is no date: that is NULL in the lake, and counted"
        for column in known.values()
        if column.has_zero_default and column.name not in key
    ]
    cursor = _cursor(table, known, notes) if key else None
    if key:
        contract["grain"] = f"one row per {', '.join(names[column] for column in key)}"
    else:
        contract["grain"] = "one row per row of the source, in which identical rows are told apart by nothing"
        notes.append("there is no unique key without nullable columns: every run reads all rows and replaces the table")
    contract["key"] = _flow([names[column] for column in key])
    if cursor:
        contract["cursor"] = names[cursor]
    contract["deletes"] = "keys" if key else "none"
    contract["new_columns"] = "take"
    listed = CommentedMap({names[name]: _column(column, names[name], name in key) for name, column in known.items()})
    for name, entry in listed.items():
        if caveat := types.parse(entry["type"]).caveat:
            listed.yaml_add_eol_comment(caveat, key=name)
    contract["columns"] = listed
    return Draft(contract, names, notes)


def _column(column: SourceColumn, lake_name: str, is_key: bool) -> CommentedMap:
    entry = CommentedMap(type=types.normalised(column.type))
    if column.name != lake_name:
        entry["source_name"] = column.name
    if column.has_zero_default and not is_key:
        entry["unreadable"] = "null"
    elif not column.nullable:
        entry["nullable"] = False
    if naming.is_personal(column.name) and types.parse(entry["type"]).sql == "string":
        entry["personal"] = True
    if column.comment:
        entry["description"] = column.comment
    entry.fa.set_flow_style()
    return entry


def _cursor(table: SourceTable, known: Mapping[str, SourceColumn], notes: list[str]) -> str | None:
    """A column that the server moves with every insert and update.

    One that only bears the name of a cursor is none: an application may forget it, and the lake would never know.
    """
    moving = [name for name, column in known.items() if column.is_kept_current and not column.nullable]
    named = next((name for name in known if name.lower() in CURSORS), None)
    cursor = named if named in moving else next(iter(moving), None)
    if cursor and (table.foreign_keys is None or any(key.changes_rows for key in table.foreign_keys)):
        why = (
            "a foreign key may change rows without moving it, and the user does not see them (grant it SHOW VIEW)"
            if table.foreign_keys is None
            else "a foreign key changes rows without moving it"
        )
        notes.append(f"{cursor} is no cursor: {why}; every run reads all rows")
        return None
    if named and not cursor:
        notes.append(f"{named} is no cursor: the server does not move it with every change; every run reads all rows")
    return cursor


def _refer(
    drafts: dict[str, Draft],
    tables: Mapping[str, SourceTable],
    lake_names: Mapping[str, str],
    kept: Collection[Contract],
    source: str,
) -> None:
    """Add the references that can be judged row by row, and note the others."""
    graph = networkx.DiGraph(
        (contract.table, parent) for contract in kept for parent, _ in contract.references.values()
    )
    keys = {name: drafted.key for name, drafted in drafts.items()}
    keys |= {contract.table: contract.key for contract in kept if contract.source == source}
    in_lake = {name: drafted.names for name, drafted in drafts.items()}
    in_lake |= {c.table: {c.column_in_source(name): name for name in c.columns} for c in kept if c.source == source}
    for child, drafted in sorted(drafts.items()):
        for reference in sorted(tables[child].foreign_keys or (), key=lambda reference: reference.columns):
            parent = lake_names.get(reference.parent, "")
            problem = _problem(reference, child, parent, drafted, keys, in_lake)
            if not problem and parent in graph and child in graph and networkx.has_path(graph, parent, child):
                problem = "references would go in a circle"
            if problem:
                where = f"{', '.join(reference.columns)} -> {reference.parent}.{', '.join(reference.parent_columns)}"
                drafted.notes.append(f"the reference {where} is left out: {problem}")
                continue
            graph.add_edge(child, parent)
            column = drafted.contract["columns"][drafted.names[reference.columns[0]]]
            column["references"] = f"{parent}.{keys[parent][0]}"


def _problem(
    reference: ForeignKey,
    child: str,
    parent: str,
    drafted: Draft,
    keys: Mapping[str, tuple[str, ...]],
    in_lake: Mapping[str, Mapping[str, str]],
) -> str:
    """Why rows cannot be judged by this reference; empty where they can."""
    if len(reference.columns) != 1:
        return "it has several columns"
    if parent == child:
        return "a table's own rows are judged in one step"
    if parent not in keys:
        return "that table has no contract"
    column = drafted.names.get(reference.columns[0])
    if column is None:
        return "its column is left out"
    if keys[parent] != (in_lake[parent].get(reference.parent_columns[0]),):
        return f"that is not the key of {reference.parent}"
    if types.parse(drafted.contract["columns"][column]["type"]).sql == "string":
        return "the source compares text by its collation, the lake letter by letter"
    if "references" in drafted.contract["columns"][column]:
        return "the column has another reference"
    return ""


def write(contract: CommentedMap, file: Path) -> None:
    """Write a contract as YAML, one line a column."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text(contract), encoding="utf-8")


def text(contract: CommentedMap) -> str:
    """A contract as YAML."""
    yaml: Any = YAML()
    yaml.width = 200
    stream = StringIO()
    yaml.dump(contract, stream)
    return stream.getvalue()


def _printable(sentence: str) -> str:
    """A sentence on one line; the names in it may hold anything."""
    return "".join(letter if letter.isprintable() else "?" for letter in " ".join(sentence.split()))


def _flow(values: list[str]) -> CommentedSeq:
    """A list on one line."""
    sequence = CommentedSeq(values)
    sequence.fa.set_flow_style()
    return sequence
