"""What happens to the binlog itself: rotated, cut by a crash, purged, reset. On a server of our own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pymysql
import pytest
from tenacity import Retrying, stop_after_delay, wait_fixed

from tests.numbers import numbers
from tests.statements import RESET_BINLOG

MakeLab = Callable[..., Any]

ITEMS = "CREATE TABLE items (id BIGINT PRIMARY KEY, n INT, at DATETIME(6) NOT NULL DEFAULT NOW(6) ON UPDATE NOW(6))"
CONTRACT = {
    "table": "items",
    "key": ["id"],
    "cursor": "at",
    "columns": {
        "id": {"type": "bigint", "nullable": False},
        "n": {"type": "int"},
        "at": {"type": "datetime(6)", "nullable": False},
    },
}


@pytest.fixture
def items(private_server: Any, lab: MakeLab) -> Iterator[Any]:
    """A hundred rows that the lake has, on the server of our own."""
    with pymysql.connect(**private_server.connect, autocommit=True) as connection:
        connection.query("CREATE DATABASE own")
    connect = {**private_server.connect, "database": "own"}
    assert isinstance(lab, partial)
    shop = lab.func(connect, ITEMS, CONTRACT)
    shop.do(f"INSERT INTO items (id, n) SELECT seq, 0 FROM {numbers(1, 100)}")
    assert shop.run().kind == "full"
    yield shop
    with pymysql.connect(**private_server.connect, autocommit=True) as connection:
        connection.query("DROP DATABASE own")


def test_a_pass_goes_through_several_files(items: Any) -> None:
    for n in range(3):
        items.do(f"UPDATE items SET n = 1 WHERE id = {n}", "FLUSH BINARY LOGS")
        items.do(f"INSERT INTO items (id) VALUES ({1000 + n})")
    ran = items.run()
    assert (ran.kind, sorted(ran.landed)) == ("binlog", [(1,), (2,), (1000,), (1001,), (1002,)])


def test_a_file_that_a_crash_cut_off_is_followed_by_the_next(items: Any, private_server: Any) -> None:
    items.do("CREATE TABLE other (id BIGINT PRIMARY KEY, n INT, at DATETIME(6))", "UPDATE items SET n = 1 WHERE id = 1")
    private_server.kill()
    private_server.start()
    # Tables are numbered anew: the other one may have the number that this one had.
    items.do("INSERT INTO other VALUES (5, 5, NOW())", "UPDATE items SET n = 2 WHERE id = 2")
    ran = items.run()
    assert (ran.kind, sorted(ran.landed), ran.deleted) == ("binlog", [(1,), (2,)], set())


def test_a_purged_binlog_makes_the_table_be_read_anew(items: Any) -> None:
    items.do("DELETE FROM items WHERE id = 1")
    _purge(items)
    ran = items.run()
    assert ran.kind == "full" and "purged" in ran.reason
    items.do("DELETE FROM items WHERE id = 2")
    ran = items.run()
    assert (ran.kind, ran.deleted) == ("binlog", {(2,)})


def test_a_binlog_that_began_anew_makes_the_table_be_read_anew(items: Any, server_kind: str) -> None:
    items.do(RESET_BINLOG[server_kind])
    items.do(*(f"UPDATE items SET n = {n}" for n in range(50)))
    ran = items.run()
    assert ran.kind == "full"
    assert any(words in ran.reason for words in ("set back", "purged", "does not know all of the transactions"))


RIGHTS = {
    "not the binlog": {
        "mariadb": ("SELECT", "cursor", "REPLICATION SLAVE"),
        "mysql": ("SELECT", "cursor", "REPLICATION SLAVE"),
    },
    "not its end": {
        "mariadb": ("SELECT, REPLICATION SLAVE", "cursor", "BINLOG MONITOR"),
        "mysql": ("SELECT, REPLICATION SLAVE", "cursor", "REPLICATION CLIENT"),
    },
    # Who may not ask whether the server is a replica has to take it for one. MySQL has one right for this and the last.
    "not whom it follows": {
        "mariadb": ("SELECT, REPLICATION SLAVE, BINLOG MONITOR", "cursor", "log_slave_updates=OFF"),
    },
    "all of these": {
        "mariadb": ("SELECT, REPLICATION SLAVE, BINLOG MONITOR, PROCESS, REPLICA MONITOR", "binlog", "every change"),
        "mysql": ("SELECT, REPLICATION SLAVE, REPLICATION CLIENT, PROCESS", "binlog", "every change"),
    },
}


@pytest.mark.both_servers
@pytest.mark.parametrize("lacks", RIGHTS)
def test_the_best_way_that_the_privileges_allow(items: Any, server_kind: str, lacks: str) -> None:
    if server_kind not in RIGHTS[lacks]:
        pytest.skip("the server has no such right")
    rights, kind, reason = RIGHTS[lacks][server_kind]
    root = dict(items.connect)
    items.do("DROP USER IF EXISTS few", "CREATE USER few IDENTIFIED BY 'few'", f"GRANT {rights} ON *.* TO few")
    items.connect.update(user="few", password="few")
    try:
        items.states.clear()
        items.run()
        items.connect.update(root)
        items.do("UPDATE items SET n = 1 WHERE id = 1", "DELETE FROM items WHERE id = 2")
        items.connect.update(user="few", password="few")
        ran = items.run()
    finally:
        items.connect.update(root)
    assert ran.kind == kind and reason in ran.reason
    assert (ran.landed, ran.deleted) == ([(1,)], {(2,)})


def _purge(items: Any) -> None:
    """Drop every file but the newest. One that a reader has not let go of yet, or that a crash would need, stays."""
    items.do("FLUSH BINARY LOGS")
    for attempt in Retrying(stop=stop_after_delay(60), wait=wait_fixed(0.2), reraise=True):
        with attempt, items.session() as connection, connection.cursor() as cursor:
            cursor.execute("SHOW BINARY LOGS")
            cursor.execute(f"PURGE BINARY LOGS TO '{cursor.fetchall()[-1]['Log_name']}'")
            cursor.execute("SHOW BINARY LOGS")
            assert len(cursor.fetchall()) == 1
