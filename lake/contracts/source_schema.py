"""Tables as the source database describes them: what a contract is drafted from and held against."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class SourceColumn:
    """A column as the database describes it.

    Attributes:
        is_kept_current: the server itself sets it to the present at every insert and update.
        charset: of a text column, else empty.
        has_zero_default: it says ``0000-00-00`` where there is no date, as older schemas do.
    """

    name: str
    type: str
    nullable: bool
    comment: str = ""
    is_kept_current: bool = False
    charset: str = ""
    has_zero_default: bool = False


@dataclass(frozen=True)
class ForeignKey:
    """A reference to a table of the same database.

    Attributes:
        changes_rows: a change of the parent changes rows here, unseen by ``ON UPDATE CURRENT_TIMESTAMP``.
    """

    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]
    changes_rows: bool = False


@dataclass(frozen=True)
class SourceTable:
    """A table as the database describes it.

    Attributes:
        unique_keys: column lists of the unique indexes without nullable columns, the primary key first.
        foreign_keys: nothing where the server hides them from this user, as some do from one who may only read.
        has_snapshots: whether its engine shows a reader the state of one instant; MyISAM's and MEMORY's do not.
        bytes_estimate: size of the rows, by the server's statistics; for sizing only.
        row_bytes: average size of a row, by the same.
    """

    name: str
    comment: str
    columns: dict[str, SourceColumn]
    unique_keys: list[tuple[str, ...]] = field(default_factory=list)
    foreign_keys: list[ForeignKey] | None = field(default_factory=list)
    has_snapshots: bool = True
    bytes_estimate: int = 0
    row_bytes: int = 0
