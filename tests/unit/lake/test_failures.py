"""What people are told of an error of the source: what is wrong, and what to do about it."""

from __future__ import annotations

from typing import Any

import pymysql
import pytest
from pydantic import SecretStr

from lake.errors import SourceLostError
from lake.source.failures import source_error
from lake.source.sources import Source

SOURCE = Source(
    "quick", "db.example", 3306, "reader", "quick", SecretStr("x"), mend="correct it with `lake add-source`"
)
IS_UP = "is the database up"


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        (pymysql.err.OperationalError(2003, "Can't connect to MySQL server on 'db.example'"), IS_UP),
        (pymysql.err.OperationalError(2013, "Lost connection to MySQL server during query"), IS_UP),
        (pymysql.err.OperationalError(1053, "Server shutdown in progress"), IS_UP),
        (pymysql.err.OperationalError(1045, "Access denied for user 'reader'@'host'"), "correct it with"),
        (
            pymysql.err.OperationalError(1370, "execute command denied to user 'reader'@'%' for routine 'quick.MD5'"),
            "INSTALL COMPONENT 'file://component_classic_hashing'",
        ),
        (pymysql.err.OperationalError(1305, "FUNCTION quick.MD5 does not exist"), "no function of this name"),
        (pymysql.err.ProgrammingError(1064, "You have an error in your SQL syntax"), "does not know the statement"),
        (pymysql.err.OperationalError(3024, "Query execution was interrupted, maximum statement"), "raise the limit"),
        (pymysql.err.ProgrammingError(1142, "SELECT command denied to user"), "SELECT on the table"),
        (pymysql.err.InternalError(9999, "something new"), "what error 9999 means, its manual and its own log tell"),
    ],
)
def test_the_hint_is_about_what_happened(error: Exception, hint: str) -> None:
    told = source_error(error, "cannot read the source", SOURCE)
    assert str(error.args[1]) in told.what and "reader@db.example:3306/quick" in told.what
    assert hint in told.fix
    assert (IS_UP in told.fix) == (hint == IS_UP)


@pytest.mark.parametrize(("code", "is_lost"), [(2013, True), (1927, True), (3169, True), (1412, True), (1370, False)])
def test_what_another_try_may_mend(code: int, is_lost: bool) -> None:
    error: Any = source_error(pymysql.err.OperationalError(code, "…"), "cannot read the source", SOURCE)
    assert isinstance(error, SourceLostError) == is_lost
