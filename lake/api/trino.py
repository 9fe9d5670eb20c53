"""Where the API meets Trino: a question about one state of the lake, as the user `api`, in a catalog of its commit.

A catalog of a commit shows the same for ever, so its name is enough to know what it shows. It is made when it is first
needed, which takes a fifth of a second; Trino forgets all of them when it starts, and then they are made again.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Protocol

from lake.api.problems import Problem
from lake.api.published import Lake
from lake.errors import LakeError
from lake.platform import sql
from lake.runtime import access
from lake.settings import settings

log = logging.getLogger(__name__)

OUTLASTS = 3
"""How many times as long as a request a statement may take: who asks again finds what the first one has begun."""

MOST_CATALOGS = 16
"""Of commits, the least lately asked for of which goes when another is made."""

ABSENT = frozenset({"TABLE_NOT_FOUND", "SCHEMA_NOT_FOUND", "COLUMN_NOT_FOUND"})
"""What Trino calls it that a lake of earlier holds no such thing yet."""


class Asks(Protocol):
    """Asks the lake."""

    def ask(self, lake: Lake, statement: str, values: Sequence[Any] = ()) -> tuple[list[str], list[list[Any]]]:
        """Column names and rows of a statement on a state of the lake, as `lake.platform.sql.query` gives them.

        Args:
            statement: names tables as ``layer.table``.
            values: for its question marks.

        Raises:
            Problem: the lake of that receipt holds no such table or column.
            LakeError: Trino refuses the statement, or does not answer.
        """


class Trino:
    """Asks Trino. Threads may share it."""

    def __init__(self) -> None:
        self._made: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()
        self._has_looked = False

    def ask(self, lake: Lake, statement: str, values: Sequence[Any] = ()) -> tuple[list[str], list[list[Any]]]:
        """See `Asks`."""
        self._make(lake)
        try:
            try:
                return sql.query(statement, lake.catalog, _login(), values)
            except sql.RefusedError as error:
                if error.name != "CATALOG_NOT_FOUND":
                    raise
                # Trino was started anew.
                with self._lock:
                    self._made.pop(lake.catalog, None)
                self._make(lake)
                return sql.query(statement, lake.catalog, _login(), values)
        except sql.RefusedError as error:
            if lake.is_past and error.name in ABSENT:
                said = f"the lake of receipt {lake.receipt} does not hold what this is worked out from"
                raise Problem("not-in-this-lake", said) from error
            raise

    def _make(self, lake: Lake) -> None:
        with self._lock:
            if not self._has_looked:
                # What a former process of ours has made is ours to clear away.
                _, found = sql.query("SHOW CATALOGS", lake.catalog, _login())
                self._made |= {str(name): None for (name,) in found if str(name).startswith(access.API_CATALOG)}
                self._has_looked = True
            if lake.catalog not in self._made:
                sql.make_catalog(lake.catalog, lake.reference, _login())
                self._made[lake.catalog] = None
            self._made.move_to_end(lake.catalog)
            while len(self._made) > MOST_CATALOGS:
                self._drop(self._made.popitem(last=False)[0])

    def _drop(self, name: str) -> None:
        try:
            sql.query(f'DROP CATALOG IF EXISTS "{name}"', name, _login())
        except LakeError as error:
            log.warning("the catalog %s stays until Trino is started anew: %s", name, error)


def _login() -> sql.Login:
    config = settings()
    seconds = OUTLASTS * config.api_timeout_seconds
    return sql.Login(access.API, config.trino_api_password, "LAKE_TRINO_API_PASSWORD", seconds)
