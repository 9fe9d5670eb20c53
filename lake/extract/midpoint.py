"""A value between two others of any key's type, for halving the space in which keys lie.

It only has to make progress: whether it divides the rows well is asked of the database.
"""

from __future__ import annotations

from bisect import bisect_left
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import singledispatch
from typing import Any

DIGITS = 12
"""Characters or bytes behind the common beginning that take part."""


def between(low: Any, high: Any) -> Any:
    """A value above ``low`` and not above ``high``, near the middle; nothing when there is none.

    Nothing either for types that have no middle, and for values of two types: a zero date comes as text.
    """
    return _middle(low, high) if type(low) is type(high) else None


@singledispatch
def _middle(low: Any, high: Any) -> Any:
    return None


@_middle.register
def _(low: int, high: int) -> int | None:
    return None if high <= low else (low + high + 1) // 2


@_middle.register
def _(low: Decimal, high: Decimal) -> Decimal | None:
    scale = -min(int(low.as_tuple().exponent), int(high.as_tuple().exponent), 0)
    whole = between(int(low.scaleb(scale)), int(high.scaleb(scale)))
    return None if whole is None else Decimal(whole).scaleb(-scale)


@_middle.register
def _(low: float, high: float) -> float | None:
    middle = low + (high - low) / 2
    return middle if low < middle <= high else None


@_middle.register
def _(low: datetime, high: datetime) -> datetime | None:
    middle = between(_microseconds(low), _microseconds(high))
    return None if middle is None else datetime(1, 1, 1) + timedelta(microseconds=middle)


def _microseconds(instant: datetime) -> int:
    return (instant.replace(tzinfo=UTC) - datetime(1, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


@_middle.register
def _(low: date, high: date) -> date | None:
    middle = between(low.toordinal(), high.toordinal())
    return None if middle is None else date.fromordinal(middle)


@_middle.register
def _(low: timedelta, high: timedelta) -> timedelta | None:
    unit = timedelta(microseconds=1)
    middle = between(low // unit, high // unit)
    return None if middle is None else middle * unit


@_middle.register
def _(low: bytes, high: bytes) -> bytes | None:
    middle = _digits_between(list(low), list(high), 256)
    return None if middle is None else bytes(middle)


@_middle.register
def _(low: str, high: str) -> str | None:
    """In the blank, digits and small letters, which every collation that knows no case orders alike."""
    middle = _digits_between([_place(c) for c in low.lower()], [_place(c) for c in high.lower()], len(_ALPHABET))
    return None if middle is None else "".join(_ALPHABET[digit] for digit in middle)


_ALPHABET = " 0123456789abcdefghijklmnopqrstuvwxyz"


def _place(character: str) -> int:
    """Where a character stands in the alphabet; what is not in it takes the next one's place."""
    return min(bisect_left(_ALPHABET, character), len(_ALPHABET) - 1)


def between_code_points(low: str, high: str) -> str | None:
    """As `between`, for texts that are ordered by their characters' numbers."""
    base = max(map(ord, low + high), default=0) + 2
    middle = _digits_between([ord(c) for c in low], [ord(c) for c in high], max(base, 0x80))
    return None if middle is None else "".join(chr(digit) for digit in middle).encode("utf-8", "replace").decode()


def _digits_between(low: list[int], high: list[int], base: int) -> list[int] | None:
    """The middle of two fractions in a base, with as few digits as tell it from the lower one."""
    same = 0
    while same < min(len(low), len(high)) and low[same] == high[same]:
        same += 1
    width = same + DIGITS
    a, b = (_number(digits, width, base) for digits in (low, high))
    if b <= a:
        return None
    middle = (a + b + 1) // 2
    digits = []
    for _ in range(width):
        middle, digit = divmod(middle, base)
        digits.append(digit)
    digits.reverse()
    for length in range(same + 1, width):
        if a < _number(digits[:length], width, base):
            return digits[:length]
    return digits


def _number(digits: list[int], width: int, base: int) -> int:
    total = 0
    for digit in [*digits[:width], *[0] * (width - len(digits))]:
        total = total * base + digit
    return total
