"""Names and values as they stand in a statement for the source."""

from __future__ import annotations

from typing import Any

from pymysql.connections import Connection


def quote(name: str) -> str:
    """A name as MySQL wants it in a statement, which is a template: its ``%`` are doubled."""
    return "`" + name.replace("`", "``").replace("%", "%%") + "`"


def literal(connection: Connection[Any], value: Any) -> str:
    """A value as it stands in a statement, which is a template: its ``%`` are doubled."""
    return str(connection.escape(value)).replace("%", "%%")
