"""How values are written in reports."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from math import isfinite
from typing import Any

SIGNS = {"USD": "$", "EUR": "€", "GBP": "£"}
NOTHING = "no data"
"""Stands for a value that is not there, or that cannot be computed: nothing to divide by, or no number."""
NO_CHANGE = "–"
"""Stands for a change of which there is no per cent: from nothing, or from what is not known."""
SHORT = {"hours": " h", "days": " days", "stars": " stars", "position": "", "times": " times"}
"""What follows a value, by its unit."""
MONEY_COLUMNS = ("revenue", "discount", "average_order_value", "average_price", "list_price")


def _money(number: str, currency: str) -> str:
    sign = SIGNS.get(currency, currency + " ")
    return f"−{sign}{number[1:]}" if number.startswith("-") else sign + number


def exact(value: Any, unit: str, currency: str) -> str:
    """A value in full: money to the cent, shares as per cent with one decimal.

    >>> exact(Decimal("-1234.5"), "money", "USD")
    '−$1,234.50'
    >>> exact(Decimal("12491.00"), "count", "USD")
    '12,491'
    """
    if not is_finite(value):
        return NOTHING
    if unit == "money":
        return _money(f"{value:,.2f}", currency)
    if unit == "share":
        return f"{value * 100:.1f} %".replace("-", "−")
    if unit in SHORT:
        return f"{value:,.{2 if unit in ('stars', 'times') else 1}f}{SHORT[unit]}".replace("-", "−")
    # A count that shared a column with money comes back as 12491.00; one per something else is no whole number.
    return f"{int(value):,}" if value == int(value) else f"{value:,.2f}"


def difference(value: Decimal, unit: str, currency: str) -> str:
    """What something added, with its sign; shares differ by points of a per cent.

    >>> difference(Decimal("-12.5"), "money", "USD"), difference(Decimal("0.0123"), "share", "USD")
    ('−$12.50', '+1.23 points')
    """
    if unit == "share":
        said = f"{value * 100:,.2f} points"
    else:
        said = f"{value:,.2f}{SHORT[unit]}" if unit in SHORT else exact(value, unit, currency)
    return ("+" if value > 0 else "") + said.replace("-", "−")


def is_finite(value: Any) -> bool:
    """Whether a value is there, and a number."""
    return value is not None and isfinite(value)


def brief(value: Any, unit: str, currency: str) -> str:
    """A value in few characters, for charts.

    >>> brief(Decimal("1234.50"), "money", "USD"), brief(Decimal("0.256"), "share", "USD")
    ('$1.2k', '26 %')
    """
    if not is_finite(value):
        return NOTHING
    if unit == "share":
        return f"{value * 100:.0f} %" if abs(value) >= Decimal("0.1") or not value else f"{value * 100:.1f} %"
    for size, suffix in ((1_000_000, "M"), (1_000, "k")):
        if abs(value) >= size:
            number = f"{value / size:,.1f}".removesuffix(".0") + suffix
            break
    else:
        number = f"{value:,.0f}" if value == int(value) or abs(value) >= 10 else f"{value:,.1f}"
    if unit == "money":
        return _money(number, currency)
    return number + SHORT.get(unit, "")


def unit_of(column: str) -> str:
    """Unit of a table's column, told by its name, as everywhere in the lake: ``_share``, ``_hours``, money."""
    if column.endswith("_share"):
        return "share"
    if column.endswith("_hours"):
        return "hours"
    return "money" if column.startswith(MONEY_COLUMNS) else "count"


def cell(column: str, value: Any, currency: str) -> str:
    """A cell of a table."""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if value is None:
        return NO_CHANGE
    if isinstance(value, int | Decimal | float) and not isinstance(value, bool):
        return exact(value, unit_of(column), currency)
    return str(value)


def heading(column: str) -> str:
    """Words for a column's name; the cells carry the unit.

    >>> heading("median_hours"), heading("late_share")
    ('Median', 'Late')
    """
    words = column.removesuffix("_share").removesuffix("_hours").replace("_", " ")
    return words[:1].upper() + words[1:]


def change(value: Any, previous: Any, unit: str = "count") -> tuple[str, str]:
    """How a value moved against an earlier one, and whether that is ``up``, ``down`` or ``flat``.

    It is told in per cent of the earlier one; of a share, which is per cent itself, in points.

    >>> change(Decimal(110), Decimal(100)), change(Decimal(1), Decimal(0))
    (('+10.0 %', 'up'), ('–', 'flat'))
    >>> change(Decimal(-5), Decimal(-10))  # a loss that halved
    ('+50.0 %', 'up')
    """
    if not (is_finite(value) and is_finite(previous)):
        return NO_CHANGE, "flat"
    if unit == "share":
        shown = difference(Decimal(value) - Decimal(previous), unit, "")
    elif previous:
        moved = (Decimal(value) - Decimal(previous)) / abs(Decimal(previous)) * 100
        shown = f"{moved:+,.1f} %".replace("-", "−")
    else:
        return NO_CHANGE, "flat"
    # What is too little to be shown has no direction either.
    if not any(digit in shown for digit in "123456789"):
        return shown.lstrip("+−"), "flat"
    return shown, "up" if value > previous else "down"
