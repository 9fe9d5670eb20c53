"""Judges rows that lie in memory by their contract's rules: which are valid, and which are refused and why.

The rules are those of `lake.contracts.rules`, as in Spark; the tests of values are Arrow's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from lake.contracts import PROBLEMS, Contract
from lake.contracts import rules as contract_rules
from lake.contracts.rules import Rule
from lake.layers.keys import orphans, places
from lake.layers.layout import REASONS


@dataclass(frozen=True)
class Judged:
    """Rows, dealt out.

    Attributes:
        valid: rows that keep every rule, as they stand in ``cleaned``.
        refused: the others, with the reader's problems and their reasons, as they stand in ``quarantine``.
        reasons: how often each reason stands against a row.
    """

    valid: pa.Table
    refused: pa.Table
    reasons: dict[str, int] = field(default_factory=dict)


def can_judge(contract: Contract, parents: Mapping[str, pa.DataType]) -> bool:
    """Whether every rule of a contract is one that Arrow applies as Spark does.

    Args:
        parents: for each referencing column, the type of the keys that it points at.
    """
    kinds = {name: contract.schema.field(name).type for name in contract.columns}
    listing = [rule for rule in contract_rules.of(contract) if rule.test in ("among", "not_among")]
    texts = all(pa.types.is_string(kinds[rule.column]) and rule.values for rule in listing)
    # Two types would have to be brought to one, and what equals a floating number is a matter of taste.
    alike = all(kinds[name] == kind and not pa.types.is_floating(kind) for name, kind in parents.items())
    return texts and alike


def judge(rows: pa.Table, contract: Contract, keys: Mapping[str, pa.Array]) -> Judged:
    """Deal rows out.

    Args:
        rows: the contract's columns, the reader's problems and the marks.
        keys: for each referencing column, the keys that exist. A row that points at none of them gets the reason
            ``orphan:<column>``; NULL points at nothing and is allowed.
    """
    reasons = _reasons(rows, contract, keys)
    if not reasons:
        none = rows.slice(0, 0).append_column(REASONS, pa.array([], pa.list_(pa.string())))
        return Judged(rows.drop_columns([PROBLEMS]), none)
    is_refused = pa.array([index in reasons for index in range(rows.num_rows)], pa.bool_())
    refused = rows.filter(is_refused)
    told = pa.array([reasons[index] for index in sorted(reasons)], pa.list_(pa.string()))
    return Judged(
        rows.filter(pc.invert(is_refused)).drop_columns([PROBLEMS]),
        refused.append_column(REASONS, told),
        dict(Counter(reason for listed in reasons.values() for reason in listed)),
    )


def _reasons(rows: pa.Table, contract: Contract, keys: Mapping[str, pa.Array]) -> dict[int, list[str]]:
    """The reasons against each row that is refused, by its place."""
    found: dict[int, list[str]] = {}
    for rule in contract_rules.of(contract):
        for index in places(_breaks(rows.column(rule.column), rule)):
            found.setdefault(index, []).append(rule.reason)
    for name, existing in keys.items():
        for index in places(orphans(rows.column(name), existing)):
            found.setdefault(index, []).append(f"orphan:{name}")
    problems = rows.column(PROBLEMS)
    for index in places(pc.is_valid(problems)):
        columns = contract_rules.unreadable(problems[index].as_py())
        # Its NULL is not held against a row a second time.
        nulls = {f"null:{column}" for column in columns}
        known = [reason for reason in found.get(index, []) if reason not in nulls]
        found[index] = [*known, *(f"unreadable:{column}" for column in columns)]
    return found


def _breaks(values: pa.ChunkedArray, rule: Rule) -> Any:
    """Which values pass a rule's test, and so break it."""
    if rule.test == "missing":
        return pc.is_null(values)
    if rule.test == "present":
        return pc.is_valid(values)
    if rule.test in ("among", "not_among"):
        among = pc.is_in(values, value_set=pa.array(rule.values, values.type))
        return among if rule.test == "among" else pc.and_(pc.is_valid(values), pc.invert(among))
    if pa.types.is_floating(values.type):
        values = values.cast(pa.float64())
    bound: Any = pa.scalar(rule.bound, values.type)
    compared = pc.less(values, bound) if rule.test == "below" else pc.greater(values, bound)
    return pc.fill_null(compared, False)
