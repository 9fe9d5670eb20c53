"""What is wrong in a YAML file that a person writes, told with the line and the nearest name that there is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError

from lake.errors import nearest

Place = tuple[int | str, ...]
"""Keys and numbers that lead to a part of a file."""


@dataclass(frozen=True, order=True)
class Mistake:
    """What is wrong at a line of a file."""

    file: Path
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}"


def read(file: Path) -> tuple[Any, list[Mistake]]:
    """A YAML file whose parts know their lines; nothing, and why, where it is none."""
    try:
        return YAML(typ="rt").load(file.read_text("utf-8")), []
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        return None, [Mistake(file, line, f"not YAML: {error.problem or error}")]


def line_of(part: Any, key: str = "") -> int:
    """Where a mapping of such a file begins, or its entry ``key`` where it has that."""
    return int(part.lc.key(key)[0] if key in part else part.lc.line) + 1


def at_line(file: Path, line: int, said: Iterable[str]) -> Iterator[Mistake]:
    """Each as a mistake at one line."""
    for what in said:
        yield Mistake(file, line, what)


def at(file: Path, said: Iterable[tuple[Place, str]]) -> list[Mistake]:
    """Mistakes at their lines, in a file that is YAML. It is read again for them, by what knows its lines."""
    found = list(said)
    document = read(file)[0] if found else None
    return [Mistake(file, _line(document, place), what) for place, what in found]


def of_shape(
    error: ValidationError, fields: Mapping[str, Iterable[str]], of_kinds: str = ""
) -> Iterator[tuple[Place, str]]:
    """What does not have the shape that it should.

    Args:
        fields: names of what an entry of ``of_kinds`` may have, by its kind, and under ``""`` of what the file itself
            may have.
        of_kinds: key of a list whose entries say of what kind they are; none where there is no such list.
    """
    found = error.errors()
    for item in found:
        place = item["loc"]
        if any(other["loc"][: len(place)] == place != other["loc"] for other in found):
            continue  # what is said of the whole comes from what is wrong within it
        kind = ""
        if of_kinds and place[:1] == (of_kinds,) and len(place) > 2:
            # After the number of the entry, its kind stands, which is no part of the file.
            kind, place = str(place[2]), (*place[:2], *place[3:])
        where = ".".join(map(str, place)) or "the file"
        yield place, f"{where}: {_said(item, place, fields.get(kind, ()))}"


def _said(item: Any, place: Place, fields: Iterable[str]) -> str:
    context = item.get("ctx", {})
    if item["type"] == "literal_error":
        known = re.findall(r"'([^']*)'", context["expected"])
        return f"{item['input']!r} is none of them; {nearest(str(item['input']), known)}"
    if item["type"] == "union_tag_invalid":
        known = re.findall(r"'([^']*)'", context["expected_tags"])
        return f"there is no kind {context['tag']!r}; {nearest(str(context['tag']), known)}"
    if item["type"] == "extra_forbidden":
        return f"it has no {place[-1]!r}; {nearest(str(place[-1]), fields)}"
    return str(item["msg"]).removeprefix("Value error, ")


def _line(document: Any, place: Place) -> int:
    """The line of a part of a file, or of the innermost around it that there is."""
    node, line = document, 1
    for part in place:
        if isinstance(node, CommentedMap) and part in node:
            line = node.lc.key(part)[0] + 1
        elif isinstance(node, CommentedSeq) and isinstance(part, int) and part < len(node):
            line = node.lc.item(part)[0] + 1
        else:
            break
        node = node[part]
    return int(line)
