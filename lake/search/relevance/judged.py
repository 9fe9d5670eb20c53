"""The judged queries, and the grade of a product for one of them. ``queries.toml`` says how they were made."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lake.errors import LakeError, problems

FILE = Path(__file__).with_name("queries.toml")
WANTED, ACCEPTED, WRONG = 2, 1, 0
"""Grades."""

Kind = Literal["plain", "otherwise", "trade", "mistyped", "attribute", "need"]
_ORGANIC = re.compile(r"\borganic\b", re.IGNORECASE)


class Judged(Protocol):
    """What a product is judged by."""

    @property
    def name(self) -> str:
        """As the shop prints it."""

    @property
    def category(self) -> str:
        """Name of its category."""

    @property
    def kind(self) -> str:
        """The shop's finest name for it."""

    @property
    def brand(self) -> str | None:
        """``National`` or ``Private``."""

    @property
    def size(self) -> str | None:
        """Of the package."""


class Query(BaseModel):
    """One of them; its fields are told in the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str = Field(min_length=1)
    kind: Kind
    wanted: tuple[str, ...] = Field(min_length=1)
    accepted: tuple[str, ...] = ()
    brand: str = ""
    size: tuple[str, ...] = ()
    organic: bool = False
    is_held_out: bool = False

    def grade(self, product: Judged) -> int:
        """How well a product answers it."""
        what = f"{product.category} > {product.kind}"
        if _is_one(what, self.wanted):
            return WANTED if self._has_all(product) else ACCEPTED
        return ACCEPTED if _is_one(what, self.accepted) else WRONG

    def _has_all(self, product: Judged) -> bool:
        if self.brand and product.brand != self.brand:
            return False
        if self.organic and not _ORGANIC.search(product.name):
            return False
        return not self.size or any(fnmatchcase((product.size or "").strip(), each) for each in self.size)


def _is_one(what: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(what, each if " > " in each else f"{each} > *") for each in patterns)


@cache
def queries(file: Path = FILE) -> tuple[Query, ...]:
    """All of them, in the order of the file; the half whose texts have the lowest SHA-256 is held out.

    Raises:
        LakeError: the file is not what it has to be; what is wrong is named.
    """
    try:
        told = [Query(**each) for each in tomllib.loads(file.read_text())["query"]]
    except ValidationError as error:
        raise LakeError(f"{file}:{problems(error, 'a query')}", "its head says what a query has") from error
    except (OSError, KeyError, TypeError, tomllib.TOMLDecodeError) as error:
        raise LakeError(f"{file} does not hold queries: {error}", "its head says what a query has") from error
    texts = [query.text for query in told]
    if len(set(texts)) < len(texts):
        twice = sorted({text for text in texts if texts.count(text) > 1})
        raise LakeError(f"{file} has {', '.join(twice)} twice", "leave one of each")
    by_hash = sorted(texts, key=lambda text: hashlib.sha256(text.encode()).hexdigest())
    held_out = set(by_hash[: len(by_hash) // 2])
    return tuple(query.model_copy(update={"is_held_out": query.text in held_out}) for query in told)
