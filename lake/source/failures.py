"""What an error of the source means, and what a person can do about it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import mysql_arrow
import pymysql
from pymysql.constants import CR, ER

from lake.errors import SourceError, SourceLostError
from lake.source.sources import Source

LOST = frozenset({
    CR.CR_SERVER_GONE_ERROR,
    CR.CR_SERVER_LOST,
    ER.TABLE_DEF_CHANGED,
    ER.SERVER_SHUTDOWN,
    ER.QUERY_INTERRUPTED,
    1927,  # MariaDB: connection was killed
    3169,  # MySQL: session was killed
    4031,  # MySQL: disconnected because of inactivity
})  # fmt: skip
"""Errors after which another try, as of a new snapshot, may succeed."""

_UNREACHABLE = LOST - {ER.TABLE_DEF_CHANGED, ER.QUERY_INTERRUPTED} | {
    CR.CR_CONNECTION_ERROR, CR.CR_CONN_HOST_ERROR, CR.CR_UNKNOWN_HOST, CR.CR_IPSOCK_ERROR, CR.CR_SERVER_HANDSHAKE_ERR,
    2055,  # lost connection, as libmysql says it
}  # fmt: skip
"""Errors that say nothing but that the server cannot be reached, or not any more."""

_WRONG_ADDRESS = {
    ER.ACCESS_DENIED_ERROR, ER.BAD_DB_ERROR, ER.HOST_NOT_PRIVILEGED,
    1698,  # MariaDB: access denied, to an account without a password
}  # fmt: skip

_NO_FUNCTION = (
    "the server has no function of this name; MySQL 9.6 and later have MD5 and SHA1 only where an administrator ran "
    "INSTALL COMPONENT 'file://component_classic_hashing'"
)
_TOO_LONG = (
    "raise the limit: of a task, LAKE_TASK_TIMEOUT_MINUTES, or the server's own for the extraction user, where that is "
    "lower; or read a replica"
)
_PASSWORD_EXPIRED = "the password of the extraction user has expired: give it a new one"

_HINTS = {
    ER.DBACCESS_DENIED_ERROR: "grant the extraction user SELECT on the database",
    ER.TABLEACCESS_DENIED_ERROR: "grant the extraction user SELECT on the table",
    ER.COLUMNACCESS_DENIED_ERROR: "grant the extraction user SELECT on the column",
    ER.SPECIFIC_ACCESS_DENIED_ERROR: "grant the extraction user the privilege that the message names",
    # Who may not EXECUTE is told this of a function that there is not.
    ER.PROCACCESS_DENIED_ERROR: _NO_FUNCTION,
    ER.SP_DOES_NOT_EXIST: _NO_FUNCTION,
    ER.NO_SUCH_TABLE: "the table is gone: restore it, or delete its contract",
    ER.BAD_FIELD_ERROR: "the column is gone: correct the contract",
    ER.TABLE_DEF_CHANGED: "the table was altered while it was read: run again",
    ER.QUERY_INTERRUPTED: "somebody ended our statement on the server: run again",
    ER.PARSE_ERROR: "this server does not know the statement: is it one of those that docs/extraction.md names?",
    ER.CON_COUNT_ERROR: "the server has no connection left: raise max_connections, or lower LAKE_SOURCE_CONNECTIONS",
    ER.TOO_MANY_USER_CONNECTIONS: "the user has no connection left: raise its limit, or lower LAKE_SOURCE_CONNECTIONS",
    ER.USER_LIMIT_REACHED: "the user's limit is reached: raise it, or lower LAKE_SOURCE_CONNECTIONS",
    ER.HOST_IS_BLOCKED: "the server blocks this machine after failed connections: FLUSH HOSTS there",
    1820: _PASSWORD_EXPIRED,  # ER_MUST_CHANGE_PASSWORD
    1862: _PASSWORD_EXPIRED,  # ER_MUST_CHANGE_PASSWORD_LOGIN
    3118: "the account is locked: ALTER USER … ACCOUNT UNLOCK",
    CR.CR_AUTH_PLUGIN_CANNOT_LOAD: "give the user another way to log in: the client does not know this plugin",
    ER.NOT_SUPPORTED_AUTH_MODE: "give the user another way to log in: the client does not know this plugin",
    CR.CR_SSL_CONNECTION_ERROR: "the server's TLS was refused: look at its certificate and at its tls_version",
    ER.LOCK_WAIT_TIMEOUT: "somebody holds a lock on the table: run again when it is free",
    ER.NET_PACKET_TOO_LARGE: "a value is larger than the server sends: raise its max_allowed_packet",
    ER.DISK_FULL: "the server's disk is full: make room there",
    ER.RECORD_FILE_FULL: "the server has no room for a temporary table: make room there",
    ER.CRASHED_ON_USAGE: "the table is damaged: REPAIR TABLE on the server",
    ER.CRASHED_ON_REPAIR: "the table is damaged: REPAIR TABLE on the server",
    3024: _TOO_LONG,  # MySQL: max_execution_time exceeded
    1969: _TOO_LONG,  # MariaDB: max_statement_time exceeded
}


def source_error(error: Exception, doing: str, source: Source) -> SourceError:
    """The error in one line: what was being done, the server's words, and the way out."""
    code, said = error.args[0] if error.args else 0, error.args[-1] if error.args else error
    if isinstance(error, mysql_arrow.ServerError):
        said = error.message
    words = f"{code}: {said}" if isinstance(code, int) and code else str(error)
    is_lost = isinstance(error, mysql_arrow.ConnectionLost) or code in LOST
    kind = SourceLostError if is_lost else SourceError
    return kind(f"{doing} {source.name} ({source.where}): {words}", _way_out(error, code, source))


def _way_out(error: Exception, code: int, source: Source) -> str:
    if code in _HINTS:
        return _HINTS[code]
    if code in _WRONG_ADDRESS:
        return source.mend
    if isinstance(error, mysql_arrow.ConnectionLost) or code in _UNREACHABLE:
        return f"is the database up, and reachable from here? look at `lake status`, or {source.mend}"
    return f"the server answered, so it is up; what error {code} means, its manual and its own log tell"


@contextmanager
def errors(source: Source, doing: str = "cannot read the source") -> Iterator[None]:
    """Turn what the client and the reader raise into errors that name the source and the way out.

    Raises:
        SourceLostError: the connection was lost.
        SourceError: the database refused us.
    """
    try:
        yield
    except (pymysql.err.MySQLError, mysql_arrow.ServerError, mysql_arrow.ConnectionLost) as error:
        raise source_error(error, doing, source) from error
