"""Spark and Arrow judge alike: for any contract and any rows both give the same reasons, in the same order."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lake.contracts import EXTRACTED_AT, OPERATION, PROBLEMS, RUN_ID, Contract
from lake.layers.judged import judge
from spark_jobs import rules

NOW = datetime(2026, 1, 1, tzinfo=UTC)
# Such as differ in nothing but case, blanks at the end, accents or a NUL.
TEXT = st.sampled_from(["", " ", "a", "A", "a ", "a\0", "ä", "a\u0308", "b;c: d"]) | st.text(
    st.characters(codec="utf-8"), max_size=5
)


def _decimal(precision: int, scale: int) -> st.SearchStrategy[Decimal]:
    top = 10**precision - 1
    return st.integers(-top, top).map(lambda number: Decimal(f"{number}E-{scale}"))


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "int": st.integers(-3, 3) | st.integers(-(2**31), 2**31 - 1),
    "bigint": st.integers(-3, 3) | st.integers(-(2**63), 2**63 - 1),
    "bigint unsigned": st.integers(0, 3).map(Decimal) | st.integers(2**63 - 2, 2**64 - 1).map(Decimal),
    "decimal(5,2)": _decimal(5, 2),
    "decimal(38,10)": _decimal(38, 10),
    "decimal(38,30)": _decimal(38, 30),
    "float": st.floats(width=32, allow_nan=False, allow_infinity=False),
    "double": st.floats(allow_nan=False, allow_infinity=False),
    "enum('a','A','a ')": TEXT,
    "enum('','a')": TEXT,
    "enum('a?','b')": TEXT,
    "varchar(5)": TEXT,
    "varbinary(5)": st.binary(max_size=3),
    "date": st.dates(date(1, 1, 1), date(9999, 12, 31)),
    "datetime(6)": st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)).map(lambda at: at.replace(tzinfo=UTC)),
}
BOUNDED = ("int", "bigint", "bigint unsigned", "decimal(5,2)", "decimal(38,10)", "decimal(38,30)", "float", "double")
POINTING = ("int", "bigint", "bigint unsigned", "decimal(38,10)", "varchar(5)", "varbinary(5)", "date", "datetime(6)")
BOUND = st.none() | st.sampled_from([0.0, 0.5, 0.1, -1.0, 99.99, 1e300, -1e300, 2.0**63]) | st.floats(-1e6, 1e6)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Contract, list[dict[str, Any]], dict[str, list[Any]]]:
    """A contract with a column of each type, some rows, and the keys that exist for each column that points at some."""
    columns: dict[str, dict[str, Any]] = {}
    for place, kind in enumerate(VALUES):
        column: dict[str, Any] = {"type": kind, "nullable": draw(st.booleans())}
        if kind in BOUNDED:
            column |= {"min": draw(BOUND), "max": draw(BOUND)}
        columns[f"c{place}"] = column
    accepted = draw(st.lists(TEXT, max_size=3))
    if accepted:
        columns[f"c{list(VALUES).index('varchar(5)')}"]["accepted"] = accepted
    said = {"table": "t", "description": "x", "owner": "x", "grain": "x", "deletes": "none", "key": []}
    contract = Contract.model_validate({**said, "columns": columns})
    told = "; ".join(f"{name}: 'x' is none" for name in draw(st.lists(st.sampled_from(list(columns)), max_size=2)))
    row = st.fixed_dictionaries(
        {
            **{name: st.none() | VALUES[column["type"]] for name, column in columns.items()},
            PROBLEMS: st.sampled_from([None, None, told or None]),
        }
    )
    pointing = [name for name, column in columns.items() if column["type"] in POINTING]
    chosen = draw(st.lists(st.sampled_from(pointing), max_size=4, unique=True))
    rows = draw(st.lists(row, min_size=1, max_size=12))
    # Half of the keys are such that a row points at.
    there = {name: [each[name] for each in rows if each[name] is not None] for name in chosen}
    keys = {
        name: draw(st.lists(VALUES[columns[name]["type"]] | st.sampled_from(there[name] or [None]), max_size=6))
        for name in chosen
    }
    return contract, rows, {name: [key for key in found if key is not None] for name, found in keys.items()}


def test_both_engines_give_the_same_reasons(spark: Any) -> None:
    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(cases())
    def check(case: tuple[Contract, list[dict[str, Any]], dict[str, list[Any]]]) -> None:
        contract, listed, keys = case
        schema = pa.schema([column for column in contract.raw_schema if column.name != OPERATION])
        rows = pa.Table.from_pylist(
            [{**row, RUN_ID: str(n), EXTRACTED_AT: NOW} for n, row in enumerate(listed)], schema
        )
        existing = {name: pa.array(found, schema.field(name).type) for name, found in keys.items()}
        judged = judge(rows, contract, existing)

        # A NULL, to which nothing is equal, because Spark refuses a table without rows.
        padded = {name: pa.concat_arrays([found, pa.nulls(1, found.type)]) for name, found in existing.items()}
        parents = {name: spark.createDataFrame(pa.table({"key": found})).distinct() for name, found in padded.items()}
        found = rules.judge(spark.createDataFrame(rows), contract, parents).select(RUN_ID, rules.REASONS).collect()
        by_spark = {row[RUN_ID]: row[rules.REASONS] for row in found}

        by_arrow: dict[str, list[str]] = {key: [] for key in judged.valid.column(RUN_ID).to_pylist()}
        by_arrow |= {row[RUN_ID]: row[rules.REASONS] for row in judged.refused.to_pylist()}
        assert by_arrow == by_spark

    check()
