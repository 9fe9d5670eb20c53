"""What is checked of a table that a run changed: a Great Expectations suite, generated from its contract."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import great_expectations.expectations as gxe
    from great_expectations.expectations.expectation import Expectation

from lake.contracts import Contract

BLOCK, WARN = "critical", "warning"


@dataclass(frozen=True)
class Suite:
    """Expectations about one table of the run's branch.

    Each statement costs Trino a tenth of a second before it reads a row, so what can be asked as an aggregate is: Great
    Expectations puts all aggregates of a table into one statement.
    """

    layer: str
    table: str
    expectations: list[Expectation]

    @property
    def name(self) -> str:
        """``layer.table``."""
        return f"{self.layer}.{self.table}"


def cleaned(contract: Contract) -> Suite:
    """What a person has demanded of the values in ``cleaned.<table>``; no expectation where nothing is demanded.

    What the source's own schema says (how many rows and keys there are, that what is required is there, that an ENUM
    has nothing but its labels) `lake.quality.counts` finds for all tables at once.
    """
    found: list[Expectation] = []
    for name, column in contract.columns.items():
        if column.warn_null_share_above is not None:
            found.append(_filled(name, 1 - column.warn_null_share_above, WARN))
        if column.min is not None:
            found.append(gxe.ExpectColumnMinToBeBetween(column=name, min_value=column.min, severity=BLOCK))
        if column.max is not None:
            found.append(gxe.ExpectColumnMaxToBeBetween(column=name, max_value=column.max, severity=BLOCK))
        if column.accepted is not None:
            accepted = list(column.accepted)
            found.append(gxe.ExpectColumnValuesToBeInSet(column=name, value_set=accepted, severity=BLOCK))
    return Suite("cleaned", contract.table, found)


def _filled(column: str, share: float, severity: str) -> Expectation:
    return gxe.ExpectColumnProportionOfNonNullValuesToBeBetween(column=column, min_value=share, severity=severity)


def completeness(contract: Contract, expected: int) -> str:
    """What the row count of ``cleaned.<table>`` says."""
    notes = "complete: the source's rows, less those in quarantine"
    if contract.key and contract.deletes == "none":
        notes += "; the contract says `deletes: none`, with `deletes: keys` rows that the source deleted are found"
    return f"{notes}; expected {expected}"
