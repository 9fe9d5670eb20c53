"""Which dialect a server speaks: by what it answers, never by the number of its version.

Forks number differently, and what a number promises an administrator can switch off.
"""

from __future__ import annotations

from typing import Any

from pymysql.connections import Connection

from lake.source.client import fetch
from lake.source.dialect import VARIABLES, Dialect
from lake.source.mariadb import MariaDb
from lake.source.mysql import MySql


def detect(connection: Connection[Any]) -> Dialect:
    """The dialect of the server that answers."""
    names = ", ".join(f"'{name}'" for name in VARIABLES)
    rows = fetch(connection, f"SHOW GLOBAL VARIABLES WHERE Variable_name IN ({names})")
    variables = {str(row["variable_name"]).lower(): str(row["value"]) for row in rows}
    # Domains of GTIDs are MariaDB's own.
    return (MariaDb if "gtid_domain_id" in variables else MySql)(variables)
