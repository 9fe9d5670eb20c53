"""What people see in place of personal columns."""

from __future__ import annotations

import pyarrow as pa

from lake.contracts.load import files, load_all
from lake.settings import settings

HIDDEN = "'***'"


def masks() -> dict[str, str]:
    """For each column that a contract of the shop calls personal, by its name: SQL that stands in its place.

    The star schema and the marts are made of the shop alone, and call a column as its contract does; a test compares
    this with their lineage. A text is replaced by one that shows that there is something, anything else by NULL.

    Raises:
        ContractError: a contract is malformed, so that it is not known what is personal.
    """
    source = settings().source_name
    contracts = load_all([source]).values() if files(source) else ()
    kinds: dict[str, set[bool]] = {}
    for contract in contracts:
        for name, column in contract.columns.items():
            if column.personal:
                kinds.setdefault(name, set()).add(pa.types.is_string(column.parsed.arrow))
    return {name: HIDDEN if are_text == {True} else "NULL" for name, are_text in kinds.items()}
