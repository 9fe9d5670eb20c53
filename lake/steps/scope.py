"""What a run reads: every source that has contracts, and of the demo shop only what is there.

The star schema, the marts, the reports and the alerts are the shop's. A lake that reads other databases alone ends in
``cleaned``, and a lake that had marts once is not allowed to lose their tables in silence.
"""

from __future__ import annotations

import logging

from lake.contracts.load import files
from lake.errors import ContractError
from lake.platform import catalog
from lake.settings import settings
from lake.source import client, schema, sources
from lake.source.sources import Source

log = logging.getLogger(__name__)


def to_read() -> tuple[list[str], bool]:
    """Names of the sources that a run reads, and whether it builds the marts.

    Raises:
        ContractError: nothing is to be read, or the marts that the lake has would be left as they are for ever.
        SourceError: the shop cannot be reached.
    """
    published = set(catalog.tables())
    chosen = []
    for origin in sources.known().values():
        tables = [file.stem for file in files(origin.name)]
        if not tables:
            log.warning("source %s has no contract: see `lake add-table --all --source %s`", origin.name, origin.name)
        elif origin.prefix or any(f"raw.{table}" in published for table in tables) or _has_tables(origin):
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


def _has_tables(origin: Source) -> bool:
    with client.connected(origin) as connection:
        return bool(schema.read_tables(connection, origin))
