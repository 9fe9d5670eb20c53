"""The databases that the lake reads: their addresses, and who reads them."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import SecretStr

from lake.settings import settings


@dataclass(frozen=True)
class Source:
    """One database of a MySQL or MariaDB server, as the extraction reaches it.

    Attributes:
        name: unique in the lake; the folder of its contracts and of its landing files.
        mend: how to correct its address or login, for errors.
    """

    name: str
    host: str
    port: int
    user: str
    database: str
    password: SecretStr
    mend: str = ""

    @property
    def where(self) -> str:
        """Its address without the password, for people."""
        return f"{self.user}@{self.host}:{self.port}/{self.database}"


def shop() -> Source:
    """The demo shop, which the settings name (``LAKE_SOURCE_*``)."""
    config = settings()
    return Source(
        name=config.source_name,
        host=config.source_host,
        port=config.source_port,
        user=config.source_user,
        database=config.source_database,
        password=config.source_password,
        mend="correct LAKE_SOURCE_HOST, _PORT, _USER, _PASSWORD or _DATABASE",
    )
