"""What contracts say of lineage: from the source's table to raw, cleaned, quarantine and history.

Extraction and cleaning carry each column over by itself; what a contract calls by another name or reads as another type
is the only thing that happens to a value on this way.
"""

from __future__ import annotations

from collections.abc import Iterator

from lake.contracts import EXTRACTED_AT, OPERATION, PROBLEMS, RUN_ID, Contract
from lake.contracts.model import HISTORY
from lake.layers.layout import REASONS
from lake.lineage.model import Column, Input, Kind, Made, Table, Use, lake_table

_MARKS = (RUN_ID, EXTRACTED_AT)


def made(contract: Contract) -> Iterator[Made]:
    """The tables that the lake has of one source table, the source's own first."""
    source, raw = Table(Kind.SOURCE, contract.source, contract.name_in_source), lake_table("raw", contract.table)
    nothing: frozenset[Input] = frozenset()
    yield Made(source, "", {contract.column_in_source(name): nothing for name in contract.columns})
    read = {
        name: frozenset({Input(Column(source, contract.column_in_source(name)), _read(contract, name))})
        for name in contract.columns
    }
    yield Made(raw, f"extract.{contract.table}", read | dict.fromkeys((PROBLEMS, *_MARKS, OPERATION), nothing))
    yield _carried(contract, "cleaned", raw, ())
    yield _carried(contract, "quarantine", raw, (PROBLEMS,), REASONS)
    if contract.history:
        yield _history(contract)


def _read(contract: Contract, name: str) -> Use:
    return Use.TRANSFORMATION if contract.columns[name].as_ else Use.IDENTITY


def _carried(contract: Contract, layer: str, of: Table, marks: tuple[str, ...], *given: str) -> Made:
    """A table with the columns of another.

    Args:
        marks: columns of the other table, beside the contract's and the marks of every row.
        given: columns that it does not have.
    """
    names = (*contract.columns, *_MARKS, *marks)
    same = {name: frozenset({Input(Column(of, name), Use.IDENTITY)}) for name in names}
    return Made(lake_table(layer, contract.table), f"clean.{contract.table}", same | dict.fromkeys(given, frozenset()))


def _history(contract: Contract) -> Made:
    """Its versions begin when the row says it was written, else when it was read, and end when the next one does."""
    cleaned = lake_table("cleaned", contract.table)
    carried = _carried(contract, "history", cleaned, ())
    written = [name for name in (contract.cursor, EXTRACTED_AT) if name]
    instants = frozenset(Input(Column(cleaned, name), Use.TRANSFORMATION) for name in written)
    since, until, is_current = HISTORY
    return Made(
        carried.table, carried.by, {**carried.columns, since: instants, until: instants, is_current: frozenset()}
    )
