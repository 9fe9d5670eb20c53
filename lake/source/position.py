"""A place in a server's binlog: the one from which the next run reads what changed, or to which this one does."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Position:
    """A place in the binlog of one server.

    Attributes:
        server: the server's identity.
        gtid: MariaDB's list ``domain-server-sequence,…`` or MySQL's set; empty where there are no GTIDs.
        file: name of the binlog file; empty where only the transactions are known.
        offset: bytes into the file.
    """

    server: str
    gtid: str = ""
    file: str = ""
    offset: int = 0

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Position:
        """The inverse of `to_json`."""
        return cls(**value)

    @property
    def place(self) -> tuple[int, int]:
        """File number and offset: greater is later, within one server's binlog."""
        return int(self.file.rpartition(".")[2]), self.offset
