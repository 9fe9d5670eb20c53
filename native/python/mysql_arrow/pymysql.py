"""A query on a PyMySQL connection: PyMySQL connects, encrypts and logs in; the reply is read here."""

from __future__ import annotations

import os
import struct
from typing import Any

import mysql_arrow
from mysql_arrow.errors import ConnectionLost, Error

COM_QUERY = 0x03
COM_STMT_PREPARE = 0x16
COM_STMT_EXECUTE = 0x17
COM_STMT_CLOSE = 0x19
COMPRESS = 1 << 5

_ERR = 0xFF


def query(
    connection: Any,
    sql: str,
    parameters: Any = None,
    *,
    protocol: str = "binary",
    decoder: str | None = None,
    **options: Any,
) -> Any:
    """Run a statement and give its result as a stream of Arrow batches.

    The stream is read from the connection's socket with the GIL released, or through PyMySQL with TLS and on Windows.
    While it is not at its end the connection takes no other statement. A stream that is left before its end closes the
    connection, since the server would go on sending.

    Args:
        connection: of PyMySQL, its character set utf8mb4. Its read timeout is honoured.
        sql: one statement with a result.
        parameters: put into the statement by PyMySQL, as in ``cursor.execute``.
        protocol: ``binary`` prepares the statement first; ``text`` sends it as it is.
        decoder: ``native`` is the extension, ``plain`` the decoder in plain Python; without it the extension if there
            is one.
        options: of `Decoder`: ``schema``, ``rows_per_batch``, ``bytes_per_batch``, ``max_packet``, ``dates``,
            ``text``, ``range``, ``columns``, ``problems``, ``hashes``.

    Raises:
        Error: the extension is asked for and missing.
        ServerError: the server refuses the statement.
        TypeRefused: a column cannot become what the schema says.
        SchemaMismatch: the result has other columns than the schema.
    """
    return _open(connection, sql, parameters, protocol, options, _decoders(decoder))


def drain(connection: Any, sql: str, *, protocol: str = "binary") -> tuple[int, int]:
    """Read a result and throw it away: the least that any reader must do. Returns its rows and bytes."""
    stream = _open(connection, sql, None, protocol, {"discard": True}, mysql_arrow)
    for _ in stream:
        pass
    return stream.stats.rows, stream.stats.bytes


def _open(connection: Any, sql: str, parameters: Any, protocol: str, options: dict[str, Any], decoders: Any) -> Any:
    if connection.client_flag & COMPRESS:
        raise Error("the connection is compressed, which cannot be read")
    decoder = decoders.Decoder(protocol=protocol, **options)
    if parameters is not None:
        sql = connection.cursor().mogrify(sql, parameters)
    statement = None
    if protocol == "binary":
        statement = _prepare(connection, sql)
        send(connection, COM_STMT_EXECUTE, struct.pack("<IBI", statement, 0, 1))
    else:
        send(connection, COM_QUERY, sql)
    guard = Reading(connection, statement)
    connection._result = guard
    return decoders.Stream(decoder, on_end=guard.end, **source(connection, decoder))


def _decoders(name: str | None) -> Any:
    """The module whose `Decoder` and `Stream` read."""
    if name not in (None, "native", "plain"):
        raise ValueError(f"{name!r} is no decoder; known are native, plain")
    if name == "plain":
        from mysql_arrow import _fallback

        return _fallback
    if name == "native" and not mysql_arrow.NATIVE:
        raise Error("the extension is missing, so that there is no native decoder")
    return mysql_arrow


def source(connection: Any, decoder: Any) -> dict[str, Any]:
    """How the reply is read: from the descriptor, after what PyMySQL has read ahead, or through its file."""
    if _is_encrypted(connection) or os.name == "nt":
        connection._sock.settimeout(connection._read_timeout)
        connection._current_timeout = connection._read_timeout
        return {"file": connection._rfile}
    connection._sock.setblocking(False)
    try:
        if ahead := connection._rfile.peek(1):
            decoder.feed(connection._rfile.read(len(ahead)))
    finally:
        connection._sock.settimeout(connection._read_timeout)
        connection._current_timeout = connection._read_timeout
    return {"fd": connection._sock.fileno(), "timeout": connection._read_timeout}


def _is_encrypted(connection: Any) -> bool:
    import ssl

    return isinstance(connection._sock, ssl.SSLSocket)


def send(connection: Any, command: int, payload: str | bytes) -> None:
    """Send a command, whose reply is read by others than PyMySQL."""
    connection._execute_command(command, payload)


def _prepare(connection: Any, sql: str) -> int:
    """The number of the prepared statement. What the server tells of its columns comes again with the result."""
    send(connection, COM_STMT_PREPARE, sql)
    reply = _packet(connection)
    if reply[0] == _ERR:
        errno, _, sqlstate = struct.unpack_from("<Hc5s", reply, 1)
        raise mysql_arrow.ServerError(errno, sqlstate.decode("ascii", "replace"), reply[9:].decode("utf-8", "replace"))
    statement, columns, parameters = struct.unpack_from("<IHH", reply, 1)
    for count in (parameters, columns):
        # PyMySQL does not ask for CLIENT_DEPRECATE_EOF, so that an EOF packet follows each list.
        for _ in range(count + 1 if count else 0):
            _packet(connection)
    if parameters:
        _close_statement(connection, statement)
        raise Error("the statement has a ? in it: give parameters as %s")
    return int(statement)


def _packet(connection: Any) -> bytes:
    from pymysql.err import OperationalError
    from pymysql.protocol import MysqlPacket

    class Raw(MysqlPacket):  # type: ignore[misc]
        def is_error_packet(self) -> bool:
            return False

    try:
        return bytes(connection._read_packet(Raw).get_all_data())
    except OperationalError as error:
        raise ConnectionLost(f"the connection is lost: {error}") from error


def _close_statement(connection: Any, statement: int) -> None:
    send(connection, COM_STMT_CLOSE, struct.pack("<I", statement))


class Reading:
    """Stands in the connection while its reply is being read, where PyMySQL keeps a result that is not read yet."""

    has_next = False

    def __init__(self, connection: Any, statement: int | None):
        self.connection, self.statement = connection, statement
        self.unbuffered_active = True

    def end(self, clean: bool) -> None:
        """Give the connection back after the reply's end, or close it when the rest of the reply was left."""
        self.unbuffered_active = False
        if self.connection._result is self:
            self.connection._result = None
        if not clean:
            self.connection._force_close()
        elif self.statement is not None and self.connection.open:
            _close_statement(self.connection, self.statement)

    def _finish_unbuffered_query(self) -> None:
        raise Error("the connection's stream is not at its end: read it, or close it")
