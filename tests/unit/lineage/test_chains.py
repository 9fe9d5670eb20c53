"""The lineage of the lake as it is, held against chains that were written by hand from the code behind them."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from lake.commands.main import app
from lake.contracts import load_all, personal
from lake.errors import LakeError
from lake.lineage import build
from lake.lineage.graph import Graph
from lake.lineage.model import Column, Kind, Table, Use
from lake.runtime import access

I, T, A, C = Use.IDENTITY, Use.TRANSFORMATION, Use.AGGREGATION, Use.CONDITIONAL  # noqa: E741


def _way_back(graph: Graph, name: str) -> dict[str, dict[str, tuple[Use, ...]]]:
    """What goes into a column, and into each of these in turn, by name."""
    way: dict[str, dict[str, tuple[Use, ...]]] = {}
    waiting = [graph.find(name)]
    while waiting:
        column = waiting.pop()
        assert isinstance(column, Column)
        if inputs := graph.inputs(column):
            way[str(column)] = {str(found): uses for found, uses in inputs.items()}
            waiting += inputs
    return way


def test_revenue_through_a_case_and_two_sums(graph: Graph) -> None:
    # dbt/models/marts/sales/daily_revenue.sql sums fct_orders.revenue; `star.fct_orders` sums sales_value, makes 0 of
    # it where the status says that the order is cancelled.
    assert _way_back(graph, "marts.daily_revenue.revenue") == {
        "marts.daily_revenue.revenue": {"curated.fct_orders.revenue": (A,)},
        "curated.fct_orders.revenue": {"cleaned.order_items.sales_value": (A,), "cleaned.orders.status": (C,)},
        "cleaned.order_items.sales_value": {"raw.order_items.sales_value": (I,)},
        "cleaned.orders.status": {"raw.orders.status": (I,)},
        "raw.order_items.sales_value": {"shop.order_items.sales_value": (I,)},
        "raw.orders.status": {"shop.orders.status": (I,)},
    }


def test_a_date_through_a_rename(graph: Graph) -> None:
    # `star.dim_customer` calls created_at signed_up_at; int_customers and customer_value only hand it on.
    assert _way_back(graph, "marts.customer_value.signed_up_at") == {
        "marts.customer_value.signed_up_at": {"curated.dim_customer.signed_up_at": (I,)},
        "curated.dim_customer.signed_up_at": {"cleaned.customers.created_at": (I,)},
        "cleaned.customers.created_at": {"raw.customers.created_at": (I,)},
        "raw.customers.created_at": {"shop.customers.created_at": (I,)},
    }


def test_a_discount_over_a_table_of_dbt_and_three_columns(graph: Graph) -> None:
    # int_sold_items adds three columns up, int_product_months sums them by month, and int_products over all months.
    kinds = ("coupon_discount", "coupon_match_discount", "retail_discount")
    way = {
        "marts.product_performance.discount": {"intermediate.int_product_months.discount": (A,)},
        "intermediate.int_product_months.discount": {f"curated.fct_order_items.{kind}": (A,) for kind in kinds},
    }
    for above, below in (
        ("curated.fct_order_items", "cleaned.order_items"),
        ("cleaned.order_items", "raw.order_items"),
    ):
        way |= {f"{above}.{kind}": {f"{below}.{kind}": (I,)} for kind in kinds}
    way |= {f"raw.order_items.{kind}": {f"shop.order_items.{kind}": (I,)} for kind in kinds}
    assert _way_back(graph, "marts.product_performance.discount") == way


def test_a_count_of_rows_goes_by_what_decides_them(graph: Graph) -> None:
    # count(*) … where not is_cancelled group by order_date
    orders = graph.find("marts.daily_revenue.orders")
    assert isinstance(orders, Column)
    assert {str(column): uses for column, uses in graph.inputs(orders).items()} == {
        "curated.fct_orders.is_cancelled": (Use.FILTER,),
        "curated.fct_orders.order_date": (Use.GROUP_BY,),
    }
    assert {str(column): uses for column, uses in graph.sources(orders).items()} == {
        "shop.orders.ordered_at": (Use.GROUP_BY,),
        "shop.orders.status": (Use.FILTER,),
    }


def test_a_source_column_forward_to_what_people_see(graph: Graph) -> None:
    value = graph.find("shop.order_items.sales_value")
    assert isinstance(value, Column)
    seen = {str(column.table) for column in graph.seen_as(value)}
    assert seen == {
        *(
            f"business.{figure}"
            for figure in ("headline", "revenue", "categories", "products", "segments", "campaigns")
        ),
        *(f"daily.{metric}" for metric in ("revenue", "average_order_value")),
        *(f"weekly.{metric}" for metric in ("revenue", "average_order_value", "revenue_of_orders", "refund_rate")),
        *(
            f"monthly.{metric}"
            for metric in (
                "revenue",
                "net_revenue",
                "margin_rate",
                "average_order_value",
                "refund_rate",
                "discount_rate",
            )
        ),
        *(f"alerts.{rule}" for rule in ("revenue_of_yesterday", "department_falls", "refunds_rise")),
        *(f"alerts.{rule}" for rule in ("department_sinks", "department_loses_orders")),
    }


def test_every_column_of_the_lake_that_is_no_mark_comes_from_a_source(graph: Graph) -> None:
    without = [
        str(column)
        for table in graph.made
        if table.kind is Kind.LAKE
        for column in graph.columns(table)
        if not column.name.startswith("_") and not graph.sources(column)
    ]
    assert without == ["history.customers.is_current", "history.products.is_current"]


def test_the_cleaned_tables_have_the_names_of_the_contract_and_the_source_its_own(graph: Graph) -> None:
    assert set(map(str, graph.made)) >= {"shop.orders", "raw.orders", "cleaned.orders", "quarantine.orders"}
    assert graph.made[Table(Kind.LAKE, "marts", "daily_revenue")].by == "dbt.daily_revenue"


@pytest.mark.parametrize(
    ("asked", "what", "fix"),
    [
        ("marts.daily_revenu", "no table or column 'marts.daily_revenu'", "did you mean marts.daily_revenue or"),
        ("marts.daily_revenue.revenu", "marts.daily_revenue has no column 'revenu'", "did you mean revenue?"),
        ("daily_revenue", "no table or column 'daily_revenue'", "did you mean marts.daily_revenue?"),
        ("marts.orders.status", "no table or column", "cleaned.orders"),
        ("xyzzy", "no table or column 'xyzzy'", "LAYER.TABLE.COLUMN"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(graph: Graph, asked: str, what: str, fix: str) -> None:
    with pytest.raises(LakeError) as refused:
        graph.find(asked)
    assert what in refused.value.what
    assert fix in refused.value.fix


def test_the_command(graph: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "of_checkout", lambda: graph)
    said = CliRunner().invoke(app, ["lineage", "marts.daily_revenue.revenue", "--json"])
    told = json.loads(said.stdout)
    assert told["sources"] == [
        {"source": "shop", "table": "order_items", "column": "sales_value", "uses": ["AGGREGATION"]},
        {"source": "shop", "table": "orders", "column": "status", "uses": ["CONDITIONAL"]},
    ]
    assert {"column": "business.revenue.value", "kind": "report", "uses": ["IDENTITY"]} in told["goes_into"]
    tree = CliRunner().invoke(app, ["lineage", "marts.daily_revenue.revenue"]).stdout
    assert "└── source shop.order_items.sales_value (identity)" in tree
    table = CliRunner().invoke(app, ["lineage", "marts.daily_revenue"]).stdout
    assert "cancelled_orders" in table


def test_no_personal_column_has_another_name_where_readers_see_it(graph: Graph) -> None:
    """On Trino columns are masked by name. A personal one that reaches people by another name would stand there plain;
    and so is what has the name of one, and is none, not masked in vain."""
    marked = {
        Column(Table(Kind.SOURCE, "shop", contract.name_in_source), contract.column_in_source(name))
        for contract in load_all(["shop"]).values()
        for name, column in contract.columns.items()
        if column.personal
    }
    assert marked
    shown = [column for table in graph.made if table.space in access.SHOWN for column in graph.columns(table)]
    reached = {
        str(column)
        for column in shown
        if any(uses[0].is_direct for source, uses in graph.sources(column).items() if source in marked)
    }
    assert reached == {str(column) for column in shown if column.name in personal.masks()}
    assert {"curated.dim_customer.email", "curated.dim_customer.last_name"} <= reached
