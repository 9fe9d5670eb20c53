"""Errors that name the thing, the value and the way out."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError


class LakeError(Exception):
    """Something a person can mend.

    Args:
        what: what went wrong, naming the thing and the value.
        fix: what to do about it, in one sentence.
    """

    def __init__(self, what: str, fix: str = "") -> None:
        super().__init__(what, fix)
        self.what = what
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.what}\n  -> {self.fix}" if self.fix else self.what


class InstallError(LakeError):
    """A part of the platform could not be fetched, verified or built."""


class ServiceError(LakeError):
    """A service did not start, is not healthy, or cannot be reached."""


class ContractError(LakeError):
    """A contract is malformed, or the source does not match it."""


class SourceError(LakeError):
    """The source database refused us, is away, or answered something unexpected."""


class SourceLostError(SourceError):
    """The connection, and with it the read view, was lost in the middle; another try may succeed."""


class CatalogError(LakeError):
    """The catalog refused a change: an unknown branch, or a conflict on merge."""


class HeldFileError(LakeError):
    """A file of the lake cannot be read, though the object store is well.

    Attributes:
        table: whose rows it holds.
        rows: how many the catalog says it has.
    """

    def __init__(self, what: str, fix: str, table: str, rows: int) -> None:
        super().__init__(what, fix)
        self.table = table
        self.rows = rows


class SparkTimeoutError(LakeError):
    """Spark took longer than `settings.spark_timeout_seconds`; another try would take as long."""


class AuditError(LakeError):
    """A blocking check failed, so the run is not published."""


def nearest(name: str, names: Iterable[str]) -> str:
    """The way out for a name that is not known: the one that was meant, or all where none is like it.

    >>> nearest("revenu", ["revenue", "refunds"]), nearest("x", ["up", "down"]), nearest("x", [])
    ('did you mean revenue?', 'there is down, up', 'there is none')
    """
    choices = sorted(names)
    if found := get_close_matches(name, choices, n=1):
        return f"did you mean {found[0]}?"
    if not choices:
        return "there is none"
    return f"there is {', '.join(choices)}" if len(choices) <= 12 else "nothing is like it"


def problems(error: ValidationError, whole: str) -> str:
    """What is wrong with something that was read, an indented line for each of its parts.

    Args:
        whole: what it is called where no part of it is to blame.
    """
    said = [f"{'.'.join(map(str, item['loc'])) or whole}: {item['msg']}" for item in error.errors()]
    return "\n  " + "\n  ".join(said)
