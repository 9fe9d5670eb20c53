"""Something that `make lint` refuses, and where in a YAML file it stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError


@dataclass(frozen=True, order=True)
class Problem:
    """What is wrong at a line of a file."""

    file: Path
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}"


def read(file: Path) -> tuple[Any, list[Problem]]:
    """A YAML file whose parts know their lines; nothing, and why, where it is none."""
    try:
        return YAML(typ="rt").load(file.read_text()), []
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        return None, [Problem(file, line, f"not YAML: {error.problem}")]


def line_of(part: Any, key: str = "") -> int:
    """Where a mapping of such a file begins, or its entry ``key`` where it has that."""
    return int(part.lc.key(key)[0] if key in part else part.lc.line) + 1


def at(file: Path, line: int, said: Iterable[str]) -> Iterator[Problem]:
    """Each as a problem of one line."""
    for what in said:
        yield Problem(file, line, what)
