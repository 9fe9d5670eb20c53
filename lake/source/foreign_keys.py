"""What foreign keys do to rows by themselves, which fires no trigger and moves no cursor."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import pymysql
from pymysql.connections import Connection
from pymysql.constants import ER

from lake.source.client import fetch
from lake.source.quoting import quote

SILENT = ("CASCADE", "SET NULL", "SET DEFAULT")
"""Rules by which rows change or go with their parent, without a statement of their own."""


def actions(connection: Connection[Any], tables: Iterable[str]) -> dict[str, frozenset[str]]:
    """Table -> actions by which a foreign key changes it, of `DELETE` and `UPDATE`; tables without any are left out.

    From the tables' own definitions: the catalogue hides foreign keys from a user who may only read.

    Args:
        tables: by their names in the source. One that is not there has none; the contracts are held against the
            source elsewhere.
    """
    found = {}
    for table in tables:
        try:
            (row,) = fetch(connection, f"SHOW CREATE TABLE {quote(table)}")
        except pymysql.err.ProgrammingError as error:
            if error.args[0] != ER.NO_SUCH_TABLE:
                raise
            continue
        # A view's definition has another name, and no foreign keys.
        found[table] = of_definition(str(row.get("create table", "")))
    return {table: of_table for table, of_table in found.items() if of_table}


def of_definition(definition: str) -> frozenset[str]:
    """What the foreign keys of a table do to its rows by themselves: `DELETE` them, `UPDATE` them.

    Args:
        definition: as ``SHOW CREATE TABLE`` gives it.
    """
    found: set[str] = set()
    for line in re.sub(r"`(?:[^`]|``)*`", "", definition).splitlines():
        if re.match(r"\s*CONSTRAINT\s+FOREIGN KEY", line):
            rules = dict(re.findall(rf"ON (DELETE|UPDATE) ({'|'.join(SILENT)})", line))
            if rules.get("DELETE") == "CASCADE":
                found.add("DELETE")
            if "UPDATE" in rules or rules.get("DELETE", "CASCADE") != "CASCADE":
                found.add("UPDATE")
    return frozenset(found)
