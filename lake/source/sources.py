"""The databases that the lake reads: the demo shop, which the settings name, and those that were added.

Of an added source the state directory remembers the address (``sources.json``) and, apart from it, the password
(``secrets.env``). Neither is beside the contracts: where a database is differs from one installation to the next, what
its tables are does not.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from filelock import FileLock
from pydantic import SecretStr

from lake import secret_file
from lake.errors import SourceError
from lake.settings import settings

NAME = r"[a-z][a-z0-9_]{0,29}"
_FORM = "write mysql://USER:PASSWORD@HOST:PORT/DATABASE, with %-signs for what has a meaning in it (@ is %40)"


@dataclass(frozen=True)
class Source:
    """One database of a MySQL or MariaDB server, as the extraction reaches it.

    Attributes:
        name: unique in the lake; the folder of its contracts and of its landing files.
        mend: how to correct its address or login, for errors.
        is_required: whether a run fails when it is away; the tables of another are held back then at their last state.
    """

    name: str
    host: str
    port: int
    user: str
    database: str
    password: SecretStr
    mend: str = ""
    is_required: bool = False

    @property
    def where(self) -> str:
        """Its address without the password, for people."""
        return f"{self.user}@{self.host}:{self.port}/{self.database}"

    @property
    def prefix(self) -> str:
        """What names of its tables begin with in the lake: nothing for the shop, whose tables came first."""
        return "" if self.name == settings().source_name else f"{self.name}_"


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
        is_required=config.source_required,
    )


def known() -> dict[str, Source]:
    """Every source by name, the shop first; an empty ``LAKE_SOURCE_HOST`` says that there is no shop."""
    first = [shop()] if settings().source_host else []
    return {source.name: source for source in [*first, *_added()]}


def named(name: str) -> Source:
    """A source.

    Raises:
        SourceError: there is none of this name.
    """
    sources = known()
    if name not in sources:
        raise SourceError(
            f"there is no source {name!r}; there are: {', '.join(sources) or 'none'}",
            f"add it with `lake add-source mysql://… --name {name}`",
        )
    return sources[name]


def from_url(url: str, name: str | None = None, is_required: bool = False) -> Source:
    """A source as ``mysql://user:password@host:port/database`` names it; its port is 3306 unless said.

    Args:
        name: its name in the lake; else made from the database's.
        is_required: whether a run fails when it is away.

    Raises:
        SourceError: a part is missing or is not understood. The password is in no message.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or 3306
    except ValueError as error:
        raise SourceError(f"the address of the source cannot be read: {error}", _FORM) from error
    user, host, database = unquote(parts.username or ""), parts.hostname or "", unquote(parts.path.removeprefix("/"))
    if parts.scheme not in ("mysql", "mariadb"):
        raise SourceError(f"a source's address begins with mysql://, not {parts.scheme or 'nothing'}://", _FORM)
    if parts.query or parts.fragment:
        raise SourceError("a source's address ends with the database: options behind it are not understood", _FORM)
    for what, value in (("user", user), ("host", host), ("database", database)):
        if not value:
            raise SourceError(f"the address of the source names no {what}", _FORM)
    wanted = name or re.sub(r"[^a-z0-9]+", "_", database.lower()).strip("_")
    if not re.fullmatch(NAME, wanted):
        raise SourceError(
            f"{wanted!r} is no name for a source", "give one with --name: a letter, then up to 29 letters, digits or _"
        )
    return Source(
        wanted,
        host,
        port,
        user,
        database,
        SecretStr(unquote(parts.password or "")),
        _mend(wanted),
        is_required,
    )


def add(source: Source, replace: bool = False) -> None:
    """Remember a source; ``replace`` another address of the same name.

    Raises:
        SourceError: the name is the shop's, or there is a source of this name.
    """
    if source.name == settings().source_name:
        raise SourceError(
            f"{source.name!r} is the name of the demo shop's source",
            "give another one with --name, or set LAKE_SOURCE_*",
        )
    with FileLock(_file().with_suffix(".lock")):
        entries = _entries()
        if source.name in entries and not replace:
            raise SourceError(f"there is a source {source.name!r} already", "give another --name, or --replace it")
        secret_file.update(settings().home, {_secret(source.name): source.password.get_secret_value()})
        kept = ("host", "port", "user", "database", "is_required")
        address = {name: getattr(source, name) for name in kept}
        _write(entries | {source.name: address})


def remove(name: str) -> None:
    """Forget an added source and its password. Its contracts and its tables in the lake stay.

    Raises:
        SourceError: there is none of this name.
    """
    with FileLock(_file().with_suffix(".lock")):
        entries = _entries()
        if name not in entries:
            raise SourceError(f"no source {name!r} was added; there are: {', '.join(entries) or 'none'}")
        _write({other: entry for other, entry in entries.items() if other != name})
        secret_file.update(settings().home, {_secret(name): None})


def _added() -> list[Source]:
    secrets = secret_file.read(settings().home)
    return [
        Source(name=name, password=SecretStr(_password(name, secrets)), mend=_mend(name), **entry)
        for name, entry in _entries().items()
    ]


def _password(name: str, secrets: dict[str, str]) -> str:
    """The environment wins, as everywhere: a container gets its secrets there."""
    return os.environ.get(_secret(name)) or secrets.get(_secret(name), "")


def _secret(name: str) -> str:
    return f"LAKE_SOURCE_{name.upper()}_PASSWORD"


def _mend(name: str) -> str:
    return f"correct it with `lake add-source mysql://… --name {name} --replace`"


def _file() -> Path:
    return settings().home / "sources.json"


def _entries() -> dict[str, dict[str, Any]]:
    try:
        entries: dict[str, dict[str, Any]] = json.loads(_file().read_text(encoding="utf-8"))
        return entries
    except FileNotFoundError:
        return {}
    except json.JSONDecodeError as error:
        raise SourceError(f"{_file()} is not JSON: {error}", "correct it, or add the sources again") from error


def _write(entries: dict[str, dict[str, Any]]) -> None:
    staging = _file().with_suffix(".new")
    staging.write_text(json.dumps(entries, indent=1), encoding="utf-8")
    staging.replace(_file())
