"""What the demo shop sells; any other database is left alone."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from lake.observe import demo_shop
from lake.settings import Settings
from tests.unit.observe.test_published import shown


class Recorded:
    """A connection that answers by how a statement begins; counts what it is asked."""

    def __init__(self, *markers: str) -> None:
        self.asked = 0
        self._answers: dict[str, list[Any]] = {
            "SELECT table_comment": [{"marker": marker} for marker in markers],
            "SELECT COUNT(*) AS orders": [{"orders": 10}],
            "SELECT COALESCE(SUM(sales_value), 0) AS revenue": [{"revenue": Decimal("12.50")}],
        }

    def cursor(self) -> Recorded:
        return self

    def __enter__(self) -> Recorded:
        return self

    def __exit__(self, *_: object) -> None: ...

    def execute(self, statement: str, parameters: Any) -> None:
        self.asked += 1
        (self._answer,) = [rows for start, rows in self._answers.items() if statement.startswith(start)]

    def fetchall(self) -> list[Any]:
        return self._answer


def test_orders_a_minute_and_revenue_since_midnight() -> None:
    shop: Any = Recorded("shoplake demo: loaded, anchor 2026-01-01, seed 1, sample 1, scale 1")
    assert shown(demo_shop.samples(shop)) == {("shop_orders_per_minute",): 2, ("shop_revenue_today",): 12.5}


@pytest.mark.parametrize("markers", [(), ("",), ("our orders",), ("shoplake demo: loading",)])
def test_another_database_is_asked_for_nothing_more(markers: tuple[str, ...]) -> None:
    other: Any = Recorded(*markers)
    assert shown(demo_shop.samples(other)) == {}
    assert other.asked == 1


def test_a_lake_without_the_shop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_shop, "settings", lambda: Settings(source_host=""))
    assert demo_shop.collect() == []
