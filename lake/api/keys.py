"""API keys: who may ask for what, and until when. A key is shown once, when it is made; kept is its hash.

They lie in a file of the state folder, which is complete at every moment; the API sees a change with its next request.
A key is 256 random bits, so that a plain SHA-256 of it tells nothing: there is nothing to guess.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from filelock import FileLock

from lake.errors import LakeError, nearest
from lake.settings import settings

SCOPES = {
    "metrics": "business metrics",
    "products": "products",
    "receipts": "receipts: what was published, and on what evidence",
    "recommendations": "what customers will likely buy next, and what is bought together",
    "search": "search in the products, and suggestions",
}
"""What a key can be allowed to ask for."""

PREFIX = "shoplake"
KEY = re.compile(rf"{PREFIX}_([0-9a-f]{{12}})_([A-Za-z0-9_-]{{43}})")
LONGEST_NAME = 100
LONGEST_DAYS = 3650


@dataclass(frozen=True)
class Key:
    """What is kept of a key.

    Attributes:
        id: the part of it by which it is found, and told from others.
        name: for people: whose it is.
        sha256: of the whole key.
        scopes: of `SCOPES`.
        per_minute: requests that it may make.
        created_at, expires_at, revoked_at: UTC, ISO 8601; the last is empty while it holds.
    """

    id: str
    name: str
    sha256: str
    scopes: tuple[str, ...]
    per_minute: int
    created_at: str
    expires_at: str
    revoked_at: str = ""

    def state(self, now: datetime) -> str:
        """``valid``, ``expired`` or ``revoked``."""
        if self.revoked_at:
            return "revoked"
        return "valid" if now < datetime.fromisoformat(self.expires_at) else "expired"


def file() -> Path:
    """Where the keys are kept."""
    return settings().home / "api" / "keys.json"


def load(path: Path) -> dict[str, Key]:
    """The keys by id; none where there is no file.

    Raises:
        LakeError: the file is not one of ours.
    """
    try:
        found = json.loads(path.read_text())
        return {each["id"]: Key(**{**each, "scopes": tuple(each["scopes"])}) for each in found}
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, KeyError) as error:
        raise LakeError(f"{path} cannot be read: {error}", "restore it, or remove it and make new keys") from error


def add(name: str, scopes: Sequence[str], days: int, per_minute: int) -> tuple[Key, str]:
    """Make a key; what is kept of it, and the key itself, which nobody can tell again.

    Args:
        days: for which it is valid.

    Raises:
        LakeError: a scope does not exist, or the name or a number is out of bounds.
    """
    for scope in scopes:
        if scope not in SCOPES:
            raise LakeError(f"there is no scope {scope!r}", nearest(scope, SCOPES))
    if not scopes:
        raise LakeError("a key without a scope may ask for nothing", f"name some of {', '.join(SCOPES)}")
    if not (name.strip() and len(name) <= LONGEST_NAME and name.isprintable()):
        raise LakeError(f"{name!r} is no name for a key", f"take 1 to {LONGEST_NAME} characters that can be printed")
    if not 1 <= days <= LONGEST_DAYS:
        raise LakeError(f"a key cannot be valid for {days} days", f"take 1 to {LONGEST_DAYS}")
    if per_minute < 1:
        raise LakeError(f"a key cannot make {per_minute} requests a minute", "take 1 or more")
    now = datetime.now(UTC)
    id_ = secrets.token_hex(6)
    secret = f"{PREFIX}_{id_}_{secrets.token_urlsafe(32)}"
    expires = now + timedelta(days=days)
    key = Key(id_, name, _hash(secret), tuple(dict.fromkeys(scopes)), per_minute, now.isoformat(), expires.isoformat())
    with _alone():
        _write([*load(file()).values(), key])
    return key, secret


def revoke(id_: str) -> Key:
    """Let a key be refused from now on; one that is revoked already stays as it is.

    Raises:
        LakeError: there is none of this id.
    """
    with _alone():
        found = load(file())
        if id_ not in found:
            raise LakeError(f"there is no key {id_!r}", "`lake keys list` shows their ids")
        if not found[id_].revoked_at:
            found[id_] = replace(found[id_], revoked_at=datetime.now(UTC).isoformat())
            _write(found.values())
    return found[id_]


class Keys:
    """The keys as requests see them, read anew when the file is another.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read: tuple[int, int] | None = None
        self._keys: dict[str, Key] = {}

    def find(self, secret: str) -> Key | None:
        """The key that a request shows, valid or not; None for one that was never made.

        Raises:
            LakeError: the file cannot be read.
        """
        if not (form := KEY.fullmatch(secret)):
            return None
        key = self._current().get(form[1])
        return key if key and hmac.compare_digest(key.sha256, _hash(secret)) else None

    def _current(self) -> dict[str, Key]:
        try:
            status = self._path.stat()
            now: tuple[int, int] | None = (status.st_mtime_ns, status.st_ino)
        except FileNotFoundError:
            now = None
        if now is None or now != self._read:
            self._keys, self._read = load(self._path), now
        return self._keys


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _alone() -> FileLock:
    folder = file().parent
    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(file().with_suffix(".lock"))


def _write(keys: Iterable[Key]) -> None:
    staging = file().with_suffix(".new")
    staging.unlink(missing_ok=True)
    with open(os.open(staging, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        json.dump([asdict(key) for key in keys], stream, indent=1)
    staging.replace(file())
