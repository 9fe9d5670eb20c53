"""A contract: what we know and demand of one source table.

Everything else comes from it: the extraction's query, the Spark schema, the row rules that send rows to quarantine,
the Great Expectations suite, the documentation.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Literal, Self

import pyarrow as pa
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from lake.contracts import naming, types

RUN_ID, EXTRACTED_AT, OPERATION = "_run_id", "_extracted_at", "_operation"
"""Columns that the extraction adds to every row: the run, the snapshot's instant, and what was found."""

READ, DELETE = "read", "delete"
"""Values of ``_operation``: the row was read as it is, or its key is gone from the source."""

PROBLEMS = "_problems"
"""Column of raw and quarantine in which the reader tells, as text, which values of the row could not be held."""

RESERVED = (RUN_ID, EXTRACTED_AT, OPERATION, PROBLEMS, "_reasons", "_row_hash")

HISTORY = ("valid_from", "valid_to", "is_current")
"""Columns that the history layer adds."""

Unreadable = Literal["quarantine", "null", "refuse"]
"""What becomes of a value that no type of the lake can hold: the row goes to quarantine, the value becomes NULL and is
counted, or the extraction fails. `docs/types.md` lists such values."""


_RULES = ("type", "as_", "nullable", "min", "max", "accepted", "references", "unreadable")
"""Of a column, what rows are judged by."""


def _one_line(text: str) -> str:
    if not text.strip() or "\n" in text.strip():
        raise ValueError("expected one line of text")
    return text.strip()


Line = Annotated[str, AfterValidator(_one_line)]


class Column(BaseModel):
    """One column of the source table, and the rules that its values keep."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: str = Field(description="the MySQL type, as `SHOW CREATE TABLE` prints it")
    source_name: str | None = Field(default=None, description="its name in the source, where the lake's is another")
    as_: Literal["boolean", "bigint"] | None = Field(default=None, alias="as", description="what it is read as")
    nullable: bool = True
    personal: bool = Field(default=False, description="holds personal data")
    description: str = ""
    min: float | None = Field(default=None, allow_inf_nan=False)
    max: float | None = Field(default=None, allow_inf_nan=False)
    accepted: tuple[str, ...] | None = Field(default=None, description="the only values allowed; an ENUM's labels")
    references: str | None = Field(default=None, description="`table.column` whose value must exist")
    warn_null_share_above: float | None = Field(default=None, ge=0, le=1)
    unreadable: Unreadable | None = Field(default=None, description="what becomes of values that cannot be held")

    @cached_property
    def parsed(self) -> types.ColumnType:
        """The type in all engines."""
        return types.parse(self.type, self.as_)

    def with_type(self, type_: str) -> Column:
        """The column with another type. It is made anew: a copy would keep what was worked out of the old one."""
        return Column.model_validate({**self.model_dump(by_alias=True), "type": type_})

    @property
    def allowed(self) -> tuple[str, ...] | None:
        """The only values allowed: as the contract says, else an ENUM's labels, else anything.

        The server's own description shows a character beyond U+FFFF as ``?``. Where a label has one, the labels are not
        known exactly, and only the empty value, which an ENUM takes for a wrong one, can be told (`has_empty`).
        """
        if self.accepted or not self.is_enum or any("?" in label for label in self.parsed.labels):
            return self.accepted
        return self.parsed.labels

    @property
    def is_enum(self) -> bool:
        """Whether the source holds one of some labels, or nothing (``''``) where a wrong one was written."""
        return self.parsed.base == "enum"

    @property
    def has_empty(self) -> bool:
        """Whether ``''`` is one of an ENUM's labels."""
        return "" in self.parsed.labels

    @model_validator(mode="after")
    def _check(self) -> Self:
        parsed = self.parsed
        if (self.min is not None or self.max is not None) and not (
            pa.types.is_integer(parsed.arrow) or pa.types.is_decimal(parsed.arrow) or pa.types.is_floating(parsed.arrow)
        ):
            raise ValueError(f"'min' and 'max' are for numbers, and this column is {self.type!r}")
        if self.references is not None and not re.fullmatch(r"\w+\.\w+", self.references):
            raise ValueError(f"'references' is written table.column, not {self.references!r}")
        return self


class Contract(BaseModel):
    """What we know and demand of one source table."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str = Field(default="shop", description="name of the source; not in the file, whose folder says it")
    table: str = Field(pattern=r"^[a-z0-9_]+$", description="name of the table in every layer of the lake")
    source_table: str | None = Field(default=None, description="its name in the source, where the lake's is another")
    description: Line
    owner: Line
    grain: Line
    key: tuple[str, ...] = Field(description="columns that identify a row, a unique index of the source; or none")
    cursor: str | None = Field(default=None, description="column that every insert and update moves forward")
    lateness_seconds: int = Field(default=60, ge=0, description="how far behind the watermark a commit may come late")
    deletes: Literal["keys", "none"] = Field(description="how deleted rows are found: by comparing all keys, or never")
    increment: Literal["auto", "cursor", "sweep", "binlog", "full"] = Field(
        default="auto", description="how changed rows are found; `auto` takes the best that the source allows"
    )
    stale_after_minutes: int | None = Field(
        default=None, ge=1, description="age at which it is too old; else LAKE_STALE_AFTER_MINUTES or the schedule says"
    )
    history: bool = Field(default=False, description="keep every version of each row (SCD2)")
    unreadable: Unreadable = Field(default="quarantine", description="for the columns that do not say it themselves")
    new_columns: Literal["take", "leave"] = Field(
        default="leave", description="whether columns that the source gets later are read without being asked for"
    )
    gone_columns: Literal["hold", "keep"] = Field(
        default="hold", description="whether a column that the source drops holds the table back, or stays as NULL"
    )
    gone_table: Literal["hold", "keep"] = Field(
        default="hold", description="whether it is held back once the source has dropped it, or stays as it was"
    )
    columns: dict[str, Column] = Field(min_length=1)

    @model_validator(mode="after")
    def _check(self) -> Self:
        unsafe = [name for name in self.columns if not re.fullmatch(naming.SAFE, name)]
        if unsafe:
            raise ValueError(
                f"columns are named in lower-case letters, digits and _, not {', '.join(map(repr, unsafe))}; "
                "the name in the source stands under source_name"
            )
        if not self.key and (self.cursor or self.history or self.deletes == "keys"):
            raise ValueError(
                "without a key the table is read whole and replaced in every run: it has no cursor and no history, "
                "and says 'deletes: none'"
            )
        for role, names in (("key", self.key), ("cursor", (self.cursor,) if self.cursor else ())):
            for name in names:
                if name not in self.columns:
                    raise ValueError(f"{role} names the column {name!r}, which is not among {', '.join(self.columns)}")
        for name in self.key:
            if self.columns[name].nullable:
                raise ValueError(f"the key column {name!r} must say 'nullable: false'")
            if self.columns[name].unreadable not in (None, "refuse"):
                raise ValueError(f"the key column {name!r} cannot say 'unreadable': without its key no row can be told")
        for name, column in self.columns.items():
            if column.unreadable == "null" and not column.nullable:
                raise ValueError(f"the column {name!r} says 'unreadable: null' and 'nullable: false'")
        if self.cursor and self.columns[self.cursor].parsed.arrow != types.INSTANT:
            raise ValueError(f"the cursor {self.cursor!r} must be a datetime or timestamp")
        if self.increment == "cursor" and not self.cursor:
            raise ValueError(
                "'increment: cursor' needs a 'cursor', a column that every insert and update moves forward"
            )
        taken = [name for name in self.columns if name in (*RESERVED, *(HISTORY if self.history else ()))]
        if taken:
            raise ValueError(f"{', '.join(taken)} are names that the lake itself uses")
        return self

    @cached_property
    def schema(self) -> pa.Schema:
        """Arrow schema of the source columns. All fields are nullable: refusing a NULL is quarantine's work."""
        return pa.schema([pa.field(name, column.parsed.arrow) for name, column in self.columns.items()])

    @cached_property
    def read_schema(self) -> pa.Schema:
        """Arrow schema of what the reader gives: the columns, and its problems with the row."""
        return self.schema.append(pa.field(PROBLEMS, pa.string()))

    @cached_property
    def raw_schema(self) -> pa.Schema:
        """Arrow schema of the landing files and of ``raw.<table>``."""
        marks = [pa.field(RUN_ID, pa.string()), pa.field(EXTRACTED_AT, types.INSTANT), pa.field(OPERATION, pa.string())]
        return pa.schema([*self.read_schema, *marks])

    def with_columns(self, columns: Mapping[str, Column]) -> Contract:
        """The contract with other columns."""
        fields = {name: getattr(self, name) for name in Contract.model_fields}
        return Contract.model_validate({**fields, "columns": dict(columns)})

    def when_unreadable(self, name: str) -> Unreadable:
        """What becomes of a column's values that cannot be held: as it says itself, else as the table does.

        A key is always refused, for a row without its key cannot be told from others. The table's ``null`` is not for
        columns that may not be NULL: their rows go to quarantine.
        """
        column = self.columns[name]
        if name in self.key:
            return "refuse"
        asked = column.unreadable or self.unreadable
        return "quarantine" if asked == "null" and not column.nullable else asked

    @cached_property
    def rules_sha256(self) -> str:
        """Hash of what decides whether a row is valid, and whether its versions are kept.

        Rows that are held were judged by the rules of their time: where this hash has changed, all are judged anew.
        """
        of_columns = {
            name: column.model_dump(include=set(_RULES), by_alias=True) for name, column in self.columns.items()
        }
        rules = {"key": self.key, "history": self.history, "unreadable": self.unreadable, "columns": of_columns}
        return hashlib.sha256(json.dumps(rules, sort_keys=True).encode()).hexdigest()

    @property
    def name_in_source(self) -> str:
        """Name of the table in the source database."""
        return self.source_table or self.table

    def column_in_source(self, name: str) -> str:
        """Name in the source table of a column of the lake."""
        return self.columns[name].source_name or name

    @property
    def references(self) -> dict[str, tuple[str, str]]:
        """Column -> (parent table, parent column)."""
        pairs = {name: column.references for name, column in self.columns.items() if column.references}
        return {name: (target.split(".")[0], target.split(".")[1]) for name, target in pairs.items()}
