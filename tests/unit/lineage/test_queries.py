"""What is read from single queries, and what of them is refused."""

from __future__ import annotations

import pytest

from lake.contracts import Contract
from lake.errors import LakeError
from lake.lineage import build, queries
from lake.lineage.model import Kind, Made, Table, Use, lake_table

KNOWN = {lake_table("cleaned", "t"): ("a", "b", "c"), lake_table("cleaned", "u"): ("a", "d")}


def _read(query: str) -> Made:
    return queries.read(lake_table("marts", "m"), "dbt.m", query, KNOWN)


@pytest.mark.parametrize(
    ("query", "inputs"),
    [
        ("select a as x from cleaned.t", {"t.a IDENTITY"}),
        ("select (a) as x from (select * from lake.cleaned.t) as s", {"t.a IDENTITY"}),
        ("select coalesce(a, b) as x from cleaned.t", {"t.a TRANSFORMATION", "t.b TRANSFORMATION"}),
        ("select 1 + max(a) as x from cleaned.t", {"t.a AGGREGATION"}),
        ("select case when a > 0 then b else c end as x from cleaned.t",
         {"t.a CONDITIONAL", "t.b TRANSFORMATION", "t.c TRANSFORMATION"}),
        ("select if(a, sum(b)) as x from cleaned.t group by a", {"t.a CONDITIONAL", "t.b AGGREGATION"}),
        ("select sum(a) filter (where b) as x from cleaned.t", {"t.a AGGREGATION", "t.b FILTER"}),
        ("select sum(a) over (partition by b order by c) as x from cleaned.t",
         {"t.a AGGREGATION", "t.b WINDOW", "t.c WINDOW"}),
        ("select a as x from cleaned.t union all select d from cleaned.u", {"t.a IDENTITY", "u.d IDENTITY"}),
        ("select (select max(d) from cleaned.u) as x from cleaned.t", {"u.d AGGREGATION"}),
        ("with s as (select sum(a) as y from cleaned.t) select y > 1 as x from s", {"t.a AGGREGATION"}),
        ("with s as (select a = 1 as y, b from cleaned.t) select if(y, b) as x from s",
         {"t.a CONDITIONAL", "t.b TRANSFORMATION"}),
        ("select count(*) as x from cleaned.t where b = 1 group by a", {"t.a GROUP_BY", "t.b FILTER"}),
        ("select 1 + count(1) as x from cleaned.t where b = 1", {"t.b FILTER"}),
        ("select count(a) as x from cleaned.t where b = 1", {"t.a AGGREGATION"}),
        ("select 'constant' as x from cleaned.t", set()),
    ],
)  # fmt: skip
def test_what_goes_into_a_column(query: str, inputs: set[str]) -> None:
    found = _read(query).columns["x"]
    assert {f"{one.column.table.name}.{one.column.name} {one.use}" for one in found} == inputs


@pytest.mark.parametrize(
    ("clauses", "rows"),
    [
        ("", set()),
        ("where a in (select d from cleaned.u where u.a = 1)", {"t.a FILTER", "u.d FILTER", "u.a FILTER"}),
        ("inner join cleaned.u using (a)", {"t.a JOIN", "u.a JOIN"}),
        ("group by 1 having max(b) > 0", {"t.c GROUP_BY", "t.b FILTER"}),
        ("order by b", set()),
        ("order by b limit 3", {"t.b SORT"}),
    ],
)
def test_what_decides_the_rows(clauses: str, rows: set[str]) -> None:
    found = _read(f"select c as x from cleaned.t {clauses}").rows
    assert {f"{one.column.table.name}.{one.column.name} {one.use}" for one in found} == rows


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("select nothing from cleaned.t", "nothing"),
        ("select a from cleaned.nowhere", "there is no table cleaned.nowhere"),
        ("select 1 as x from cleaned.t where nothing = 1", "nothing"),
        ("select from where", "Expected"),
        ("delete from cleaned.t", "not a SELECT"),
    ],
)
def test_what_cannot_be_read_is_named(query: str, told: str) -> None:
    with pytest.raises(LakeError, match=told) as refused:
        _read(query)
    assert "marts.m" in refused.value.what
    assert "dbt.m" in refused.value.fix


def test_a_lake_without_the_shop_has_what_its_contracts_say() -> None:
    contract = Contract.model_validate(
        {
            "source": "crm",
            "table": "crm_leads",
            "source_table": "Leads",
            "description": "Leads.",
            "owner": "sales",
            "grain": "one row a lead",
            "key": ["id"],
            "deletes": "none",
            "history": True,
            "columns": {
                "id": {"type": "bigint unsigned", "as": "bigint", "nullable": False},
                "e_mail": {"type": "varchar(99)", "source_name": "E-Mail"},
            },
        }
    )
    made = build.made({"crm_leads": contract}, has_marts=False)
    source = Table(Kind.SOURCE, "crm", "Leads")
    layers = ("raw", "cleaned", "quarantine", "history")
    assert [one.table for one in made] == [source, *(lake_table(layer, "crm_leads") for layer in layers)]
    read = {name: [(str(one.column), one.use) for one in inputs] for name, inputs in made[1].columns.items()}
    assert read["e_mail"] == [("crm.Leads.E-Mail", Use.IDENTITY)]
    assert read["id"] == [("crm.Leads.id", Use.TRANSFORMATION)]
    assert read["_run_id"] == []
