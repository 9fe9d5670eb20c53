"""`lake add-source` and `lake add-table`: a database that the lake has never seen, and contracts from its schema."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lake.contracts import draft, load
from lake.contracts.load import files
from lake.contracts.source_schema import SourceTable
from lake.errors import ContractError, SourceError
from lake.settings import settings
from lake.source import client, schema, sources
from lake.source.sources import Source


@dataclass
class Added:
    """What was written, and what was left out and why, in sentences."""

    written: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def add_source(origin: Source, replace: bool = False) -> str:
    """Try a source and remember it; what was found there, in a sentence.

    Raises:
        SourceError: it cannot be reached or refuses us, or there is a source of this name. Nothing is remembered then.
    """
    with client.connected(origin) as connection:
        (row,) = client.fetch(connection, "SELECT VERSION() AS version")
        tables = schema.read_tables(connection, origin)
    sources.add(origin, replace)
    found = f"{len(tables)} tables" if tables else "no table that its user may read"
    return f"source {origin.name}: {origin.where}, server {row['version']}, {found}"


def add_tables(
    names: Sequence[str], every: bool = False, source_name: str | None = None, replace: bool = False
) -> Added:
    """Write the contracts of some tables, or of ``every`` table that has none yet.

    Args:
        names: as the source has them.
        source_name: where the tables are; else all added sources are looked at, or the shop where none was added.
        replace: overwrite contracts that exist; with ``every``, all of them.

    Raises:
        ContractError: a table is in no source or in several, can have no contract, or has one already.
        SourceError: a source cannot be reached, or there is none of this name.
    """
    known = sources.known()
    chosen = (
        [sources.named(source_name)] if source_name else [s for s in known.values() if s.prefix] or [*known.values()]
    )
    if not chosen:
        raise SourceError("there is no source", "add one with `lake add-source mysql://…`")
    result, tables = Added(), {}
    for origin in chosen:
        with client.connected(origin) as connection:
            tables[origin.name] = schema.read_tables(connection, origin)
            others = schema.others(connection, origin)
        if every:
            result.notes += [f"{origin.name}: {kind} {name} is left out" for name, kind in others.items()]
    for name in names:
        holders = [origin for origin, found in tables.items() if name in found]
        if len(holders) != 1:
            raise _ambiguous(name, holders, tables)
    for origin in chosen:
        wanted = set(tables[origin.name]) if every else set(names) & set(tables[origin.name])
        _write(origin, tables[origin.name], wanted, every, replace, result)
    return result


def _ambiguous(name: str, holders: list[str], tables: dict[str, dict[str, SourceTable]]) -> ContractError:
    if holders:
        return ContractError(f"table {name!r} is in {' and '.join(holders)}", "say which with --source")
    there = "; ".join(f"{origin} has {', '.join(found) or 'no table'}" for origin, found in tables.items())
    return ContractError(f"there is no table {name!r}", f"{there}; --source names another source")


def _write(
    origin: Source,
    tables: dict[str, SourceTable],
    wanted: set[str],
    every: bool,
    replace: bool,
    result: Added,
) -> None:
    """Write the contracts of one source."""
    folder = settings().contracts / origin.name
    existing = [load(file) for name in {*sources.known(), origin.name} for file in files(name)]
    held = {contract.name_in_source: contract for contract in existing if contract.source == origin.name}
    if not replace:
        if every:
            wanted -= set(held)
        elif taken := wanted & set(held):
            file = folder / f"{held[min(taken)].table}.yml"
            raise ContractError(f"{file} exists", "delete it, or write it anew with --replace")
    drafts, refusals = draft.draft(tables, wanted, origin.prefix, existing, origin.name)
    if refusals and not every:
        raise ContractError("\n".join(refusals), "see docs/sources.md for what can be extracted")
    result.notes += [f"{origin.name}: {refusal}" for refusal in refusals]
    for name, drafted in drafts.items():
        file = folder / f"{name}.yml"
        draft.write(drafted.contract, file)
        result.written.append(file)
        result.notes += [f"{name}: {note}" for note in drafted.notes]
