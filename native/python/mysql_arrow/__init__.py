"""MySQL and MariaDB result sets as Arrow record batches and Parquet files.

``query`` runs a statement on a PyMySQL connection and gives a stream; ``Decoder`` takes bytes from wherever they come.
Where the extension is missing a plain Python decoder does the same, slower; ``NATIVE`` tells which one it is.
"""

from __future__ import annotations

from mysql_arrow.errors import (
    ConnectionLost,
    Error,
    ProtocolError,
    SchemaMismatch,
    ServerError,
    TypeRefused,
    ValueRefused,
)
from mysql_arrow.hashes import NULL, UNHASHED, UNREADABLE, hash_expression, row_hash_expression, row_hashes
from mysql_arrow.stats import Stats

try:
    from mysql_arrow._native import Decoder, Stream

    NATIVE = True
except ImportError:
    from mysql_arrow._fallback import Decoder, Stream  # type: ignore[assignment]

    NATIVE = False

from mysql_arrow.pymysql import drain, query

__all__ = [
    "NATIVE",
    "NULL",
    "UNHASHED",
    "UNREADABLE",
    "ConnectionLost",
    "Decoder",
    "Error",
    "ProtocolError",
    "SchemaMismatch",
    "ServerError",
    "Stats",
    "Stream",
    "TypeRefused",
    "ValueRefused",
    "drain",
    "hash_expression",
    "query",
    "row_hash_expression",
    "row_hashes",
]
