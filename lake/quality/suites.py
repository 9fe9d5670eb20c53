"""What is checked of a table that a run changed: a Great Expectations suite, generated from its contract."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import great_expectations.expectations as gxe
    from great_expectations.expectations.expectation import Expectation
    from great_expectations.expectations.row_conditions import Column

from lake.contracts import RUN_ID, Contract
from lake.quality.severity import BLOCK


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


def cleaned(contract: Contract, run_id: str = "") -> Suite:
    """What a person has demanded of the values in ``cleaned.<table>``; no expectation where nothing is demanded.

    Args:
        run_id: of the rows of this run alone; of all rows where it is empty.

    What the source's own schema says (how many rows and keys there are, that what is required is there, that an ENUM
    has nothing but its labels) `lake.quality.counts` finds for all tables at once.
    """
    found: list[Expectation] = []
    demand: dict[str, Any] = {"severity": BLOCK}
    if run_id:
        demand["row_condition"] = Column(RUN_ID) == run_id
    for name, column in contract.columns.items():
        if column.min is not None:
            found.append(gxe.ExpectColumnMinToBeBetween(column=name, min_value=column.min, **demand))
        if column.max is not None:
            found.append(gxe.ExpectColumnMaxToBeBetween(column=name, max_value=column.max, **demand))
        if column.accepted is not None:
            accepted = list(column.accepted)
            found.append(gxe.ExpectColumnValuesToBeInSet(column=name, value_set=accepted, **demand))
    return Suite("cleaned", contract.table, found)


def completeness(contract: Contract, expected: int) -> str:
    """What the row count of ``cleaned.<table>`` says."""
    notes = "complete: the source's rows, less those in quarantine"
    if contract.key and contract.deletes == "none":
        notes += "; the contract says `deletes: none`, with `deletes: keys` rows that the source deleted are found"
    return f"{notes}; expected {expected}"
