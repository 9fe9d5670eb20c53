"""Tables that are followed through the binlog of a real server, from pass to pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pymysql
from mysql_arrow import binlog
from support import DATABASE, connect

INSERT, UPDATE, DELETE = "insert", "update", "delete"


def is_mariadb(connection: pymysql.Connection) -> bool:
    return "mariadb" in connection.get_server_info().lower()


def ask(connection: pymysql.Connection, sql: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()


def here(connection: pymysql.Connection) -> binlog.Place | binlog.Gtids:
    """Where the binlog stands."""
    if is_mariadb(connection):
        file, offset, *_ = ask(connection, "SHOW MASTER STATUS")
        return binlog.Place(file, offset)
    return binlog.Gtids(ask(connection, "SELECT @@GLOBAL.gtid_executed")[0])


class Followed:
    """Tables of one database, followed from pass to pass."""

    def __init__(self, connection: pymysql.Connection, keys: dict[str, pa.Schema], **options: Any):
        self.connection, self.keys, self.options = connection, keys, options
        self.start = here(connection)
        self.statements: list[str] = []
        self.ended: Any = None

    def table(self, name: str) -> binlog.Table:
        with self.connection.cursor() as cursor:
            cursor.execute(
                "SELECT column_name, column_type, COALESCE(character_set_name, '') FROM information_schema.columns "
                "WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position",
                (DATABASE, name),
            )
            columns = [
                binlog.Column(*(part.decode() if isinstance(part, bytes) else part for part in row))
                for row in cursor.fetchall()
            ]
        return binlog.Table(name, columns, self.keys[name].names, self.keys[name])

    def read(self, **options: Any) -> dict[str, binlog.Found]:
        """One pass to where the binlog stands now."""
        end = here(self.connection)
        tables = [self.table(name) for name in self.keys]
        self.statements = []
        ended = binlog.Pass(DATABASE, tables, self.start, end, **self.options, **options)
        with ended.over(connect()) as statements:
            self.statements = [statement.text for statement in statements]
        assert ended.is_reached
        self.start, self.ended = end, ended
        return {name: ended.found(name) for name in self.keys}

    def changes(self, name: str = "t", **options: Any) -> dict[Any, str]:
        """Key and what happened to it last."""
        found = self.read(**options)[name]
        assert found.keys is not None, found.reason
        return changed(found)


def changed(found: binlog.Found) -> dict[Any, str]:
    rows = [tuple(row.values()) for row in pa.record_batch(found.keys).to_pylist()]
    return {key[0] if len(key) == 1 else tuple(key): operation for *key, operation in rows}


Follow = Callable[..., Followed]
ID = pa.schema([pa.field("id", pa.int64(), nullable=False)])


PLAIN = "CREATE TABLE t (id BIGINT PRIMARY KEY, name VARCHAR(300), n INT, big BLOB)"


def xid(name: str) -> str:
    """Of this run alone, as the binlog has it: one that is left behind by a test that failed stays on the server."""
    return f"X'{f'{DATABASE}-{name}'.encode().hex()}',X'',1"
