"""Money that is not in the currency that a report's file names."""

from __future__ import annotations

import pytest

from lake.reports.currency import found, settled
from tests.unit.reports.made_up import report

TABLE = {"kind": "table", "query": "SELECT 1"}


@pytest.mark.parametrize(
    ("currencies", "called", "said"),
    [
        ([], "USD", ()),
        (["USD"], "USD", ()),
        (
            ["EUR"],
            "EUR",
            ("The shop's orders are in EUR, and so is all money here; USD was expected. Nothing is converted.",),
        ),
        (
            ["EUR", "USD"],
            "EUR/USD",
            ("The shop's orders are in EUR and USD: no sum of money here is of one currency. Nothing is converted.",),
        ),
    ],
)
def test_money_is_called_by_what_it_is_in(currencies: list[str], called: str, said: tuple[str, ...]) -> None:
    settled_report, remarks = settled(report(None, TABLE, currency="USD"), currencies)
    assert (settled_report.currency, remarks) == (called, said)


def test_the_lake_is_asked_what_its_orders_are_in() -> None:
    def run(query: str) -> list[dict[str, str]]:
        assert "curated.fct_orders" in query
        return [{"currency": "EUR"}, {"currency": "USD"}]

    assert found(run) == ["EUR", "USD"]
