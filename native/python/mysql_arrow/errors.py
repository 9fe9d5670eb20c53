"""What can go wrong while a result is read."""

from __future__ import annotations


class Error(Exception):
    """Any of the errors below."""


class ConnectionLost(Error):
    """The connection ended, or was silent for longer than its read timeout, in the middle of a result."""


class ProtocolError(Error):
    """The bytes are no result set, or no binlog, or a packet is longer than `max_packet`."""


class SchemaMismatch(Error):
    """The schema has other columns than the result, or the statement has no result."""


class ServerError(Error):
    """The server refuses the statement, or ends its result with an error.

    Attributes:
        errno: the server's number of the error, e.g. 1317.
        sqlstate: five characters, e.g. ``70100``.
        message: what the server says.
    """

    def __init__(self, errno: int, sqlstate: str, message: str):
        super().__init__(errno, sqlstate, message)
        self.errno, self.sqlstate, self.message = errno, sqlstate, message

    def __str__(self) -> str:
        return f"the server reports error {self.errno} ({self.sqlstate}): {self.message}"


class TypeRefused(Error, TypeError):
    """A column's MySQL type cannot become the schema's type at all; no row was read.

    Attributes:
        column: its name.
        mysql: its type as the server sends it.
        target: the schema's type.
    """

    def __init__(self, message: str, column: str, mysql: str, target: str):
        super().__init__(message, column, mysql, target)
        self.column, self.mysql, self.target = column, mysql, target

    def __str__(self) -> str:
        return str(self.args[0])


class ValueRefused(Error, ValueError):
    """A value cannot be held by its column's type, and the policy for it is ``error``.

    Attributes:
        column: its name.
        value: the value as a person reads it, shortened.
        target: the type.
    """

    def __init__(self, message: str, column: str, value: str, target: str):
        super().__init__(message, column, value, target)
        self.column, self.value, self.target = column, value, target

    def __str__(self) -> str:
        return str(self.args[0])
