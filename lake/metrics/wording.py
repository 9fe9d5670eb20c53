"""How a metric's value is written for people, by its unit."""

from __future__ import annotations

from decimal import Decimal


def told(value: Decimal | None, unit: str) -> str:
    """A value in words that are short enough for a line.

    >>> told(Decimal("1234.5"), "money"), told(Decimal("0.0512"), "share"), told(Decimal(12), "count")
    ('1,234.50', '5.12 %', '12')
    >>> told(Decimal("1.254"), "times")
    '1.25 ×'
    """
    if value is None:
        return "–"
    if unit == "share":
        return f"{value * 100:.2f} %"
    if unit == "times":
        return f"{value:,.2f} ×"
    if unit == "count" and value == int(value):
        return f"{int(value):,}"
    return f"{value:,.2f}"
