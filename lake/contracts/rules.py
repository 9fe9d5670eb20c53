"""Row rules: which rows a contract refuses, and why.

They are said here once, as data. Two engines apply them, Spark to tables of any size and Arrow to small ones, and each
knows no more than the six tests; a property test holds them against each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from typing import Literal

import pyarrow as pa

from lake.contracts.model import Column, Contract

Test = Literal["missing", "present", "below", "above", "among", "not_among"]
"""Of a value. What is missing is neither below nor above anything, nor among some values or not among them."""

_ANY = Context(prec=400)
"""Digits enough for every double and for every decimal of the lake."""


@dataclass(frozen=True)
class Rule:
    """One way in which a value can break its contract.

    Attributes:
        kind: null, below_minimum, above_maximum or not_accepted.
        test: a value that passes it is refused.
        bound: of `below` and `above`: exact, as a value of the column's own type; of a floating column a double.
        values: of `among` and `not_among`.
    """

    kind: str
    column: str
    test: Test
    bound: int | Decimal | float = 0
    values: tuple[str, ...] = ()

    @property
    def reason(self) -> str:
        """What stands in ``_reasons`` of a row that is refused."""
        return f"{self.kind}:{self.column}"


def of(contract: Contract) -> list[Rule]:
    """The rules of a contract's columns, in the order in which a row's reasons stand."""
    return [rule for name, column in contract.columns.items() for rule in _of_column(name, column)]


def _of_column(name: str, column: Column) -> Iterator[Rule]:
    if not column.nullable:
        yield Rule("null", name, "missing")
    kind = column.parsed.arrow
    if column.min is not None and (found := _below(column.min, kind)):
        yield Rule("below_minimum", name, *found)
    if column.max is not None and (found := _above(column.max, kind)):
        yield Rule("above_maximum", name, *found)
    if column.allowed is not None:
        yield Rule("not_accepted", name, "not_among", values=column.allowed)
    elif column.is_enum and not column.has_empty:
        yield Rule("not_accepted", name, "among", values=("",))


def _below(least: float, kind: pa.DataType) -> tuple[Test, int | Decimal | float] | None:
    """Which values are less than a minimum; nothing where none of the type can be.

    The type's own values lie on steps, so that to be below 0.5 is, for a whole number, to be below 1. So nothing is
    rounded, whatever an engine would make of a decimal beside a double.
    """
    if pa.types.is_floating(kind):
        return "below", least
    bound, (lowest, highest) = _on_step(least, kind, ROUND_CEILING), _range(kind)
    if bound <= lowest:
        return None
    return ("below", _plain(bound, kind)) if bound <= highest else ("present", 0)


def _above(greatest: float, kind: pa.DataType) -> tuple[Test, int | Decimal | float] | None:
    """Which values are greater than a maximum; nothing where none of the type can be."""
    if pa.types.is_floating(kind):
        return "above", greatest
    bound, (lowest, highest) = _on_step(greatest, kind, ROUND_FLOOR), _range(kind)
    if bound >= highest:
        return None
    return ("above", _plain(bound, kind)) if bound >= lowest else ("present", 0)


def _scale(kind: pa.DataType) -> int:
    return int(kind.scale) if pa.types.is_decimal(kind) else 0


def _on_step(bound: float, kind: pa.DataType, rounding: str) -> Decimal:
    """A bound as the contract's file says it, brought to the nearest value of a type's scale."""
    said = Decimal(int(bound)) if bound.is_integer() else Decimal(repr(bound))
    return said.quantize(Decimal(1).scaleb(-_scale(kind)), rounding, _ANY)


def _range(kind: pa.DataType) -> tuple[Decimal, Decimal]:
    """Least and greatest value that an exact type holds."""
    if pa.types.is_decimal(kind):
        highest = (Decimal(10) ** kind.precision - 1).scaleb(-kind.scale, _ANY)
        return -highest, highest
    half = Decimal(2 ** (kind.bit_width - 1))
    return -half, half - 1


def _plain(bound: Decimal, kind: pa.DataType) -> int | Decimal:
    return bound if pa.types.is_decimal(kind) else int(bound)


def unreadable(told: str) -> list[str]:
    """The columns whose values the reader could not hold, as it told of them: ``column: '…' is no date; …``."""
    return [problem.split(": ", 1)[0] for problem in told.split("; ")]
