"""One column of a batch: made at once, and value by value where that leaves doubt, with the policies for the rest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from mysql_arrow._fallback.bulk import choose
from mysql_arrow._fallback.columns import Column
from mysql_arrow._fallback.convert import Reject, array, convert, is_text
from mysql_arrow._fallback.values import from_binary, from_text, piece, show
from mysql_arrow.errors import ValueRefused

_HINTS = {
    "range": "; the type is too narrow",
    "text": "; its bytes are no UTF-8",
    "nature": "; the server sent something else than it announced",
}


class Cell:
    """A column of a result, made batch by batch: `begin`, `push` what that leaves, `finish`.

    Attributes:
        nulled: how many values a policy made NULL.
        replaced: how many texts a policy repaired.
    """

    def __init__(self, column: Column, field: pa.Field, policies: dict[str, str], *, binary: bool, hashes: bool):
        self.column, self.nulled, self.replaced = column, 0, 0
        self._field, self._policies, self._hashes = field, policies, hashes
        self._parse = from_binary if binary else from_text
        self._bulk = choose(column, field.type, binary=binary)

    def begin(self, sent: pa.Array) -> Iterable[tuple[int, bytes | None]]:
        """Make what can be made at once. Gives row and value of what is left for `push`, in their order."""
        own = self._bulk.read(sent)
        self._made = self._bulk.convert(own)
        self._pieces = self._bulk.pieces(sent, own).cast(pa.large_binary()) if self._hashes else None
        self._is_left = self._made.is_null()
        if self._field.nullable:
            self._is_left = pc.and_(self._is_left, sent.is_valid())
        self._pushed: list[Any] = []
        self._pushed_pieces: list[bytes] = []
        rows = pc.indices_nonzero(self._is_left)
        return zip(rows.to_pylist(), sent.take(rows).to_pylist(), strict=True)

    def push(self, sent: bytes | None) -> str | None:
        """A value that was left. Returns what is wrong with it, if the policy wants that told."""
        if sent is None:
            raise self._error("NULL", "; the schema says that the column has none")
        value = self._parse(self.column, sent)
        if self._hashes:
            self._pushed_pieces.append(piece(value, self.column))
        try:
            self._pushed.append(convert(value, self.column, self._field.type))
            return None
        except Reject as rejected:
            why = str(rejected)
        policy = self._policies.get(why, "error")
        # In hexadecimal whole: what is valid before the wrong byte could read like another column's problem.
        shown = show(value, replace(self.column, kind="bytes") if why == "text" else self.column)
        if policy == "replace":
            self._pushed.append(bytes(value).decode("utf-8", "replace"))
            self.replaced += 1
            return None
        if policy == "error" or not self._field.nullable:
            raise self._error(shown, _HINTS.get(why, ""))
        self._pushed.append(None)
        self.nulled += 1
        return f"{self.column.name}: {shown} is no {_person(self._field.type)}" if policy == "problem" else None

    def finish(self) -> tuple[pa.Array, pa.Array | None]:
        """The column, and with hashes what is hashed of it."""
        if not self._pushed:
            return self._made, self._pieces
        made = pc.replace_with_mask(self._made, self._is_left, array(self._pushed, self._field.type))
        if self._pieces is None:
            return made, None
        pieces = pa.array(self._pushed_pieces, pa.large_binary())
        return made, pc.replace_with_mask(self._pieces, self._is_left, pieces)

    def _error(self, shown: str, hint: str) -> ValueRefused:
        name, target = self.column.name, str(self._field.type)
        return ValueRefused(f"column {name}: {shown} is no {target}{hint}", name, shown, target)


def _person(target: pa.DataType) -> str:
    if pt.is_date(target):
        return "date"
    if pt.is_timestamp(target):
        return "date and time"
    return "text" if is_text(target) else str(target)
