"""How values are written in reports."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

SIGNS = {"USD": "$", "EUR": "€", "GBP": "£"}
NOTHING = "–"
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
    if value is None:
        return NOTHING
    if unit == "money":
        return _money(f"{value:,.2f}", currency)
    if unit == "share":
        return f"{value * 100:.1f} %"
    if unit == "hours":
        return f"{value:,.1f} h"
    # A count that shared a column with money comes back as 12491.00.
    return f"{int(value):,}" if value == int(value) else f"{value:,}"


def brief(value: Any, unit: str, currency: str) -> str:
    """A value in few characters, for charts.

    >>> brief(Decimal("1234.50"), "money", "USD"), brief(Decimal("0.256"), "share", "USD")
    ('$1.2k', '26 %')
    """
    if value is None:
        return NOTHING
    if unit == "share":
        return f"{value * 100:.0f} %"
    for size, suffix in ((1_000_000, "M"), (1_000, "k")):
        if abs(value) >= size:
            number = f"{value / size:,.1f}".removesuffix(".0") + suffix
            break
    else:
        number = f"{value:,.0f}"
    if unit == "money":
        return _money(number, currency)
    return f"{number} h" if unit == "hours" else number


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
    if value is None or (isinstance(value, int | Decimal | float) and not isinstance(value, bool)):
        return exact(value, unit_of(column), currency)
    return str(value)


def heading(column: str) -> str:
    """Words for a column's name; the cells carry the unit.

    >>> heading("median_hours"), heading("late_share")
    ('Median', 'Late')
    """
    words = column.removesuffix("_share").removesuffix("_hours").replace("_", " ")
    return words[:1].upper() + words[1:]


def change(value: Any, previous: Any) -> tuple[str, str]:
    """How a value moved against an earlier one: in per cent, and as ``up``, ``down`` or ``flat``.

    >>> change(Decimal(110), Decimal(100)), change(Decimal(1), Decimal(0))
    (('+10.0 %', 'up'), ('–', 'flat'))
    """
    if value is None or not previous:
        return NOTHING, "flat"
    moved = (Decimal(value) / Decimal(previous) - 1) * 100
    shown = f"{moved:+.1f} %".replace("-", "−")
    return shown, "up" if moved > 0 else "down" if moved < 0 else "flat"
