"""Row rules in Spark: which rows a contract refuses, and why. Rows are flagged, never dropped.

What the rules are says `lake.contracts.rules`; small tables are judged by them without Spark (`lake.layers.judged`).
"""

from __future__ import annotations

from decimal import Decimal

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lake.contracts import PROBLEMS, Contract
from lake.contracts import rules as contract_rules
from lake.contracts.model import Column as ContractColumn
from lake.contracts.rules import Rule
from lake.layers.layout import REASONS

ONLY_REFUSED = (REASONS, PROBLEMS)
"""Columns that refused rows have and valid ones do not."""


def _breaks(column: ContractColumn, rule: Rule) -> Column:
    """Whether a value passes a rule's test, and so breaks it; NULL where the value is missing and that is no matter."""
    value, kind = F.col(f"`{rule.column}`"), column.parsed
    if rule.test in ("missing", "present"):
        return value.isNull() if rule.test == "missing" else value.isNotNull()
    if rule.test in ("among", "not_among"):
        among = value.isin(*rule.values)
        return among if rule.test == "among" else ~among
    if isinstance(rule.bound, float):
        value, bound = value.cast("double"), F.lit(rule.bound)
    else:
        # As text, so that the bound has the very type of the column, and neither is brought to another.
        bound = F.lit(str(rule.bound)).cast(kind.sql)
    return value < bound if rule.test == "below" else value > bound


def _unreadable() -> Column:
    """The columns whose values the reader could not hold, as it told of them: ``column: '…' is no date; …``."""
    told = F.transform(F.split(PROBLEMS, "; "), lambda problem: F.substring_index(problem, ": ", 1))
    return F.coalesce(told, F.array().cast("array<string>"))


def _as_signed(value: Column) -> Column:
    """A number that is to be compared with an unsigned 64-bit one, as the signed integer of the same bits.

    Such a number is decimal(20,0), an object for each value, which joins and sorts feel. No two become one, and what no
    unsigned number equals becomes NULL.
    """
    half, whole = Decimal(2**63), Decimal(2**64)
    small = F.when((value >= 0) & (value < F.lit(half)), value.cast("bigint"))
    return small.when((value >= F.lit(half)) & (value < F.lit(whole)), (value - F.lit(whole)).cast("bigint"))


def _as_it_is(value: Column) -> Column:
    return value


def judge(rows: DataFrame, contract: Contract, parents: dict[str, DataFrame]) -> DataFrame:
    """Add the column ``_reasons`` (array of strings): empty where the row keeps every rule of its contract.

    Beside the rules of the columns there is ``unreadable:<column>``: the source has a value that could not be held. Its
    NULL is not held against it a second time.

    Args:
        parents: for each referencing column, one column (of any name) of distinct keys that exist. A row that points
            at none of them gets the reason ``orphan:<column>``; NULL points at nothing and is allowed.
    """
    reasons = [
        F.when(_breaks(contract.columns[rule.column], rule), F.lit(rule.reason)) for rule in contract_rules.of(contract)
    ]
    reasons += [F.when(is_orphan, F.lit(f"orphan:{name}")) for name, is_orphan in _orphans(parents).items()]
    flagged = _with_parents(rows, contract, parents) if parents else rows
    unreadable = _unreadable()
    broken = F.array_compact(F.array(*reasons)) if reasons else F.array().cast("array<string>")
    broken = F.array_except(broken, F.transform(unreadable, lambda name: F.concat(F.lit("null:"), name)))
    all_reasons = F.concat(broken, F.transform(unreadable, lambda name: F.concat(F.lit("unreadable:"), name)))
    return flagged.withColumn(REASONS, all_reasons).select(*rows.columns, REASONS)


def orphaned(rows: DataFrame, contract: Contract, parents: dict[str, DataFrame]) -> DataFrame:
    """The rows that point at a parent that is not there; each once.

    Args:
        parents: for some referencing columns, the keys that exist.
    """
    is_any = F.coalesce(*[F.when(is_orphan, F.lit(True)) for is_orphan in _orphans(parents).values()]).isNotNull()
    return _with_parents(rows, contract, parents).where(is_any).select(*rows.columns)


def _orphans(parents: dict[str, DataFrame]) -> dict[str, Column]:
    """For each referencing column, whether it points at a parent that is not there; of rows `_with_parents`."""
    return {name: F.col(f"`{name}`").isNotNull() & F.col(f"_parent_{i}").isNull() for i, name in enumerate(parents)}


def _with_parents(rows: DataFrame, contract: Contract, parents: dict[str, DataFrame]) -> DataFrame:
    """With a column ``_parent_<i>`` for the i-th referencing column: NULL where its value is no key of its parent.

    As one statement of SQL, because joins of DataFrames nest in each other, and a message to Spark may nest 100 levels.
    """
    pointers, keys = {}, {}
    for i, (name, parent) in enumerate(parents.items()):
        compared = _as_signed if contract.columns[name].parsed.is_unsigned_64 else _as_it_is
        pointers[f"_pointer_{i}"] = compared(F.col(f"`{name}`"))
        keys[f"keys_{i}"] = parent.select(compared(F.col(f"`{parent.columns[0]}`")).alias("key"))
    found = ", ".join(f"keys_{i}.key AS _parent_{i}" for i in range(len(keys)))
    joins = " ".join(f"LEFT JOIN {{keys_{i}}} AS keys_{i} ON _pointer_{i} = keys_{i}.key" for i in range(len(keys)))
    query = f"SELECT rows.*, {found} FROM {{rows}} AS rows {joins}"
    return rows.sparkSession.sql(query, rows=rows.withColumns(pointers), **keys)


def valid(judged: DataFrame) -> DataFrame:
    """The rows without a reason against them."""
    return judged.where(F.size(REASONS) == 0).drop(*ONLY_REFUSED)


def refused(judged: DataFrame) -> DataFrame:
    """The rows with their reasons."""
    return judged.where(F.size(REASONS) > 0)
