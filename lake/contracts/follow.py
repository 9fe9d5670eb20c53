"""A table whose shape in the source is not its contract's: what of that the contract follows by itself.

What loses nothing and has one meaning is followed: a new or reordered label of an ENUM or SET, a type that holds more
than before, and, where the contract says so, a new column or one that is gone. A table that is gone stays as it was,
where the contract says that. What could mean several things is an obstacle, which a person has to settle: a column or
key that is gone (dropped, or renamed?), a type that holds less or other things.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from lake.contracts import naming, types
from lake.contracts.model import HISTORY, RESERVED, Column, Contract
from lake.contracts.source_schema import SourceColumn, SourceTable
from lake.contracts.types import ColumnType

SETTLE = "correct the contract, or write it again with `lake add-table TABLE --replace`"
"""What a person does about an obstacle."""

INTEGERS = ("tinyint", "smallint", "mediumint", "int", "bigint")
TEXTS = ("tinytext", "text", "mediumtext", "longtext")
BLOBS = ("tinyblob", "blob", "mediumblob", "longblob")
WITH_LENGTH = {"char": TEXTS, "varchar": TEXTS, "binary": BLOBS, "varbinary": BLOBS}
"""Types with a length in characters or bytes, and those that hold more of the same."""

PROMOTED = {(pa.int32(), pa.int64()), (pa.float32(), pa.float64())}
"""What Iceberg takes besides decimals of more digits: https://iceberg.apache.org/spec/#schema-evolution"""


@dataclass(frozen=True)
class Followed:
    """One thing in which a contract followed its table.

    Attributes:
        was: the type that the contract says; empty for a column that is new.
        now: the type in the source; empty for a column that is gone.
    """

    column: str
    was: str
    now: str

    def __str__(self) -> str:
        if not self.now:
            return f"{self.column}: {self.was} is gone, and NULL from now on"
        return f"{self.column}: {self.was} is now {self.now}" if self.was else f"{self.column}: new, {self.now}"


@dataclass(frozen=True)
class Fit:
    """How a contract fits its table.

    Attributes:
        contract: as the table is to be read: the one that was given, or what it has followed to.
        followed: in what it is not the one that was given.
        obstacles: why the table cannot be read, in sentences, by what each is about: a column, ``key`` or ``table``.
        left_out: columns of the source that the contract does not read.
        is_gone: whether the source has dropped the table, and the contract says that the lake keeps it then.
    """

    contract: Contract
    followed: list[Followed] = field(default_factory=list)
    obstacles: dict[tuple[str, ...], str] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    is_gone: bool = False

    @property
    def refusal(self) -> str:
        """All obstacles, a line each."""
        return "\n".join(self.obstacles.values())


def write(file: Path, shape: Fit) -> None:
    """Bring a contract's file to what the contract has followed to; all else in it, comments too, stays as it is."""
    yaml: Any = YAML()
    yaml.width = 200
    document = yaml.load(file.read_text(encoding="utf-8"))
    for change in shape.followed:
        if not change.now:
            del document["columns"][change.column]
            continue
        column = shape.contract.columns[change.column]
        if change.was:
            document["columns"][change.column]["type"] = column.type
        else:
            entry = CommentedMap(column.model_dump(mode="json", by_alias=True, exclude_defaults=True))
            entry.fa.set_flow_style()
            document["columns"][change.column] = entry
    with file.open("w", encoding="utf-8") as stream:
        yaml.dump(document, stream)


def fit(contract: Contract, table: SourceTable | None, unread: Iterable[SourceTable] = ()) -> Fit:
    """Hold a contract against its table as the source has it now; ``None`` for one that is not there.

    Args:
        unread: tables of the source that are in no contract. A table that is gone may be one of them now.
    """
    if table is None:
        return _missing(contract, unread)
    followed: list[Followed] = []
    obstacles: dict[tuple[str, ...], str] = {}
    columns = dict(contract.columns)
    read = {contract.column_in_source(name) for name in contract.columns}
    others = {name: column for name, column in table.columns.items() if name not in read}
    for name, declared in contract.columns.items():
        found = table.columns.get(contract.column_in_source(name))
        if found is None and _may_go(contract, name, others):
            del columns[name]
            followed.append(Followed(name, declared.type, ""))
        elif found is None:
            obstacles["columns", name] = f"is not in the source, which has {', '.join(table.columns)}"
        elif not types.same(declared.type, found.type):
            if holds_all(declared, found.type):
                columns[name] = declared.with_type(types.normalised(found.type))
                followed.append(Followed(name, declared.type, columns[name].type))
            else:
                obstacles["columns", name] = f"is {found.type!r} in the source, not {declared.type!r}"
    key_in_source = {contract.column_in_source(column) for column in contract.key}
    if contract.key and not any(key_in_source == set(key) for key in table.unique_keys):
        known = "; ".join(",".join(key) for key in table.unique_keys) or "none"
        obstacles["key",] = f"({','.join(contract.key)}) is no unique key of {contract.table}, which has: {known}"
    taken = _new_columns(contract, others) if contract.new_columns == "take" else {}
    followed += [Followed(name, "", column.type) for name, column in taken.items()]
    left_out = [name for name in others if name not in {column.source_name or n for n, column in taken.items()}]
    if followed:
        contract = contract.with_columns(columns | taken)
    return Fit(contract, followed, obstacles, left_out)


def _missing(contract: Contract, unread: Iterable[SourceTable]) -> Fit:
    names = {contract.column_in_source(name) for name in contract.columns}
    alike = [table.name for table in unread if names <= table.columns.keys()]
    if contract.gone_table == "keep" and not alike:
        return Fit(contract, is_gone=True)
    missing = f"table {contract.name_in_source!r} is not in the source, or its user may not read it"
    if alike:
        missing += f"; has it become {' or '.join(map(repr, alike))}, with all its columns? 'source_table' says so"
    return Fit(contract, obstacles={("table",): missing})


def _may_go(contract: Contract, name: str, others: Mapping[str, SourceColumn]) -> bool:
    """Whether a column that the source has no longer was dropped for certain: where the source has one that is in no
    contract, it may be that one now."""
    return contract.gone_columns == "keep" and not others and name not in (*contract.key, contract.cursor)


def holds_all(declared: Column, actual: str) -> bool:
    """Whether a type holds whatever a column's declared type holds, in the source and in the lake's tables."""
    try:
        old, new = declared.parsed, types.parse(types.normalised(actual), declared.as_)
    except ValueError:
        return False
    return _holds_in_lake(old.arrow, new.arrow) and _holds_in_source(old, new)


def _holds_in_lake(old: pa.DataType, new: pa.DataType) -> bool:
    if pa.types.is_decimal(old) and pa.types.is_decimal(new):
        return bool(old.scale == new.scale and old.precision <= new.precision)
    return old == new or (old, new) in PROMOTED


def _holds_in_source(old: ColumnType, new: ColumnType) -> bool:
    if old.labels or new.labels:
        return old.base == new.base and {*old.labels} <= {*new.labels}
    if old.base in INTEGERS and new.base in INTEGERS:
        # Without its sign a type holds twice as much, but nothing below zero; the next larger one holds it all.
        larger = INTEGERS.index(new.base) - INTEGERS.index(old.base)
        return larger >= 0 if old.is_unsigned == new.is_unsigned else old.is_unsigned and larger > 0
    if old.base in WITH_LENGTH:
        more = WITH_LENGTH[old.base]
        is_longer = new.base in (old.base, f"var{old.base}") and old.length <= new.length
        return is_longer or (new.base in more and old.length <= LONGEST[more.index(new.base)])
    for family in (TEXTS, BLOBS):
        if old.base in family and new.base in family:
            return family.index(old.base) <= family.index(new.base)
    if (old.base, new.base) == ("float", "double"):
        return True
    # Decimals of more digits, and times of more digits behind the second.
    is_decimal = pa.types.is_decimal(old.arrow)
    return old.base == new.base and (is_decimal or old.length <= new.length)


LONGEST = (2**8 - 1, 2**16 - 1, 2**24 - 1, 2**32 - 1)
"""Bytes of TINYTEXT and TINYBLOB to LONGTEXT and LONGBLOB."""


def _new_columns(contract: Contract, others: Mapping[str, SourceColumn]) -> dict[str, Column]:
    """Columns of the source that are in no contract yet, by the names that they get; not those of unknown types."""
    readable = {name: column for name, column in others.items() if _is_readable(column)}
    reserved = (*RESERVED, *(HISTORY if contract.history else ()))
    names = naming.distinct(readable, taken={*contract.columns, *reserved})
    return {
        names[name]: Column(
            type=types.normalised(column.type),
            source_name=name if name != names[name] else None,
            nullable=column.nullable or column.has_zero_default,
            unreadable="null" if column.has_zero_default else None,
            personal=naming.is_personal(name) and types.parse(types.normalised(column.type)).sql == "string",
            description=" ".join(column.comment.split()),
        )
        for name, column in readable.items()
    }


def _is_readable(column: SourceColumn) -> bool:
    try:
        types.parse(types.normalised(column.type))
    except ValueError:
        return False
    return True
