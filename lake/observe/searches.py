"""Searches in the logs that have a name: ``infra/opensearch/searches.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from lake.errors import LakeError
from lake.observe.search import Asked
from lake.settings import PROJECT

FILE = PROJECT / "infra" / "opensearch" / "searches.toml"
FIELDS = ("service", "level", "logger", "run", "source", "table", "task")
"""What may be asked of a line beside its words."""


class Search(BaseModel):
    """One of them.

    Attributes:
        name: what a command calls it.
        title, about: for people.
        text: words, as `lake.observe.search.Asked` takes them.
        service, level, logger, run, source, table, task: values, one of which a line has; any, where none is named.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    title: str
    about: str
    text: str = ""
    service: tuple[str, ...] = ()
    level: tuple[str, ...] = ()
    logger: tuple[str, ...] = ()
    run: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    table: tuple[str, ...] = ()
    task: tuple[str, ...] = ()

    @property
    def only(self) -> Mapping[str, tuple[str, ...]]:
        """The values by the field that has them."""
        return {name: getattr(self, name) for name in FIELDS if getattr(self, name)}

    def narrowed(self, asked: Asked) -> Asked:
        """The same search, where what else is asked has to hold as well; a field that both name is as asked."""
        given = {name: value for name, value in asked.only.items() if value}
        text = " + ".join(f"({each})" for each in (self.text, asked.text) if each)
        return replace(asked, text=text, only={**self.only, **given})


@cache
def searches(file: Path = FILE) -> dict[str, Search]:
    """All of them by name, in the order of the file.

    Raises:
        LakeError: the file is not what it has to be.
    """
    try:
        told: list[dict[str, Any]] = tomllib.loads(file.read_text())["search"]
        found = [Search(**each) for each in told]
    except (OSError, KeyError, TypeError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise LakeError(
            f"{file} does not hold searches: {error}", f"a [[search]] has {', '.join(Search.model_fields)}"
        ) from error
    named = {each.name: each for each in found}
    if len(named) < len(found):
        twice = sorted(name for name in named if sum(each.name == name for each in found) > 1)
        raise LakeError(f"{file} has several searches named {', '.join(twice)}", "give each a name of its own")
    return named


def search_named(name: str) -> Search:
    """One by its name.

    Raises:
        LakeError: there is none of this name.
    """
    known = searches()
    if name in known:
        return known[name]
    near = get_close_matches(name, known, 1)
    hint = f"did you mean {near[0]}?" if near else "take one of those"
    raise LakeError(f"there is no saved search {name!r}; there are {', '.join(known)}", hint)
