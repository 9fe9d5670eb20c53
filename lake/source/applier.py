"""Hold a replica's applier for the moment in which views are opened, and never leave it standing.

That it is held is noted in the object store first. Whoever dies in between leaves the note, and the next extraction
lets the replica go on.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pymysql
from pymysql.connections import Connection

from lake import faultpoints
from lake.errors import SourceError
from lake.platform import storage
from lake.source.dialect import Dialect
from lake.source.sources import Source

log = logging.getLogger(__name__)


def _note(origin: Source) -> str:
    return f"{storage.LANDING}/{origin.name}/replication-held.json"


@contextmanager
def held(dialect: Dialect, connection: Connection[Any], origin: Source) -> Iterator[bool]:
    """Stop the applier for the block; gives whether it stands. It does not where there is none or we may not stop it.

    Raises:
        SourceError: somebody else started it while the block ran, so other transactions may have come.
    """
    if not _is_applying(dialect, connection):
        yield False
        return
    storage.put(_note(origin), b"{}", "application/json")
    try:
        dialect.stop_applier(connection)
    except pymysql.err.MySQLError as error:
        log.info("the replica's applier cannot be held: %s", error)
        storage.delete(_note(origin))
        yield False
        return
    faultpoints.reach("snapshot.held")
    try:
        # Of MariaDB's named connections only the one without a name is stopped.
        is_held = not _is_applying(dialect, connection)
        yield is_held
        if is_held and _is_applying(dialect, connection):
            raise SourceError(f"the replica of {origin.name} was started while its applier was held", "run again")
    finally:
        dialect.start_applier(connection)
        storage.delete(_note(origin))


def _is_applying(dialect: Dialect, connection: Connection[Any]) -> bool:
    return any(state.is_applying for state in dialect.replication(connection) or ())


def let_go(dialect: Dialect, connection: Connection[Any], origin: Source) -> None:
    """Start the applier again if an extraction that did not come to its end has left it standing."""
    if not storage.exists(_note(origin)):
        return
    dialect.start_applier(connection)
    storage.delete(_note(origin))
    log.warning("the replica of %s stood still since an extraction that broke off, and replicates again", origin.name)
