"""The currency of a report's money: what the shop's orders are in. None is converted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from lake.reports.definition import Report

ORDERS = "curated.fct_orders"


def found(run: Callable[[str], list[dict[str, Any]]]) -> list[str]:
    """Currencies of the orders of a lake, sorted."""
    rows = run(f"SELECT DISTINCT currency FROM {ORDERS} WHERE currency IS NOT NULL ORDER BY currency")
    return [str(row["currency"]) for row in rows]


def settled(report: Report, currencies: Sequence[str]) -> tuple[Report, tuple[str, ...]]:
    """A report whose money is called by the currency that it is in, and what has to be said of that.

    Args:
        currencies: of the orders; none where there are no orders.
    """
    if list(currencies) in ([], [report.currency]):
        return report, ()
    called = report.model_copy(update={"currency": "/".join(currencies)})
    if len(currencies) == 1:
        said = f"The shop's orders are in {currencies[0]}, and so is all money here; {report.currency} was expected."
    else:
        said = f"The shop's orders are in {' and '.join(currencies)}: no sum of money here is of one currency."
    return called, (f"{said} Nothing is converted.",)
