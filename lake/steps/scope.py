"""What a run reads: every source that has contracts, and of the demo shop only what is there.

The star schema, the marts, the reports and the alerts are the shop's. A lake that reads other databases alone ends in
``cleaned``, and a lake that had marts once is not allowed to lose their tables in silence.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from lake.contracts import Contract
from lake.contracts.load import files
from lake.errors import ContractError
from lake.platform import catalog
from lake.settings import settings
from lake.source import client, schema, sources
from lake.source.sources import Source

log = logging.getLogger(__name__)


def to_read(only: Sequence[str] = ()) -> tuple[list[str], bool]:
    """Names of the sources that a run is about, and whether it builds the marts.

    Args:
        only: sources of which alone something is to be read; then those that no run has read yet are left out beside
            them, because there is no state in which they could be left.

    Raises:
        ContractError: nothing is to be read, or the marts that the lake has would be left as they are for ever.
        SourceError: the shop cannot be reached.
    """
    published = set(catalog.tables())
    chosen = []

    def is_in_lake(tables: list[str]) -> bool:
        return any(f"raw.{table}" in published for table in tables)

    for origin in sources.known().values():
        tables = [file.stem for file in files(origin.name)]
        if not tables:
            log.warning("source %s has no contract: see `lake add-table --all --source %s`", origin.name, origin.name)
        elif only and origin.name not in only and not is_in_lake(tables):
            log.warning("source %s is left out: no run has read it yet, and this one is asked for others", origin.name)
        elif origin.prefix or is_in_lake(tables) or _has_tables(origin):
            chosen.append(origin.name)
        else:
            log.warning("the demo shop is left out: its database is empty, `lake shop load` fills it")
    for folder in sorted(settings().contracts.glob("*/")):
        if folder.name not in sources.known() and files(folder.name):
            log.warning("the contracts in %s are left alone: this lake has no source of that name", folder)
    if not chosen:
        raise ContractError(
            "there is nothing to read",
            "fill the demo shop with `lake shop load`, or take a database of yours in with `lake add-source mysql://…` "
            "and `lake add-table --all`",
        )
    has_marts = settings().source_name in chosen
    frozen = sorted(name for name in published if name.startswith("marts."))
    if frozen and not has_marts:
        raise ContractError(
            f"the lake has {', '.join(frozen)}, which no run would bring up to date: "
            f"the contracts of source {settings().source_name!r} are gone from {settings().contracts}",
            "put them back",
        )
    return chosen, has_marts


def check_asked(contracts: Mapping[str, Contract], sources: Sequence[str], tables: Sequence[str]) -> None:
    """Whether what a run is asked for is there to be read.

    Args:
        contracts: of all tables that the run is about.

    Raises:
        ContractError: a source or a table is not known, or is one of a source that no run has read yet.
    """
    known = {contract.source for contract in contracts.values()}
    if unknown := sorted({*sources} - known):
        raise ContractError(
            f"no source with contracts is called {', '.join(map(repr, unknown))}",
            f"there are {', '.join(sorted(known))}",
        )
    if unknown := sorted({*tables} - contracts.keys()):
        close = get_close_matches(unknown[0], contracts)
        hint = f"is it {' or '.join(close)}?" if close else "`lake tables` shows them"
        raise ContractError(f"no table of the lake is called {', '.join(map(repr, unknown))}", hint)
    published = set(catalog.tables())
    read = {contract.source for name, contract in contracts.items() if f"raw.{name}" in published}
    if new := sorted({contracts[table].source for table in tables} - read - {*sources}):
        raise ContractError(
            f"no run has read source {', '.join(new)} yet, and the first takes all of its tables",
            f"`lake run --source {new[0]}`",
        )


def _has_tables(origin: Source) -> bool:
    with client.connected(origin) as connection:
        return bool(schema.read_tables(connection, origin))
