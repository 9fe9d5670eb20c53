"""The words of the shop: what is shortened, and what means the same. Two files beside this one, which people edit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from lake.errors import LakeError

ABBREVIATIONS = Path(__file__).with_name("abbreviations.txt")
SYNONYMS = Path(__file__).with_name("synonyms.txt")

_WORD = re.compile(r"[^\W_]+(?:['.%][^\W_]+)*%?")


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(file.read_text().splitlines(), 1):
        text = line.partition("#")[0].strip()
        if text:
            yield number, text


@cache
def abbreviations(file: Path = ABBREVIATIONS) -> dict[str, str]:
    """The word, or words, in full by the short form, all in small letters. Nothing for what says nothing (``etc``).

    Raises:
        LakeError: a line is not ``short => full``, or a short form stands there twice.
    """
    found: dict[str, str] = {}
    for number, text in _lines(file):
        short, arrow, full = (part.strip().lower() for part in text.partition("=>"))
        if not arrow or not _WORD.fullmatch(short):
            raise LakeError(f"{file}:{number}: {text!r} is no abbreviation", "write `short => the words in full`")
        if short in found:
            raise LakeError(f"{file}:{number}: {short!r} stands there twice", "remove one of the lines")
        found[short] = full
    return found


@cache
def synonyms(file: Path = SYNONYMS) -> tuple[str, ...]:
    """The rules, as OpenSearch takes them.

    Raises:
        LakeError: a rule has a side without a word, or a single word and nothing that it means.
    """
    rules = []
    for number, text in _lines(file):
        sides = [[each.strip() for each in side.split(",")] for side in text.lower().split("=>")]
        alone = len(sides) == 1 and len(sides[0]) == 1
        if alone or len(sides) > 2 or any(not _WORD.search(word) for side in sides for word in side):
            raise LakeError(f"{file}:{number}: {text!r} is no synonym", "write `a, b` or `a => b`")
        rules.append(" => ".join(", ".join(side) for side in sides))
    return tuple(rules)


def vocabulary() -> list[str]:
    """Every phrase of the synonyms: words that people may type though no product has them."""
    return sorted({each.strip() for rule in synonyms() for side in rule.split("=>") for each in side.split(",")})


def spelled_out(text: str) -> str:
    """A text of the shop's files in plain words, in small letters.

    >>> spelled_out("FRZN MEAT/MEAT DINNERS"), spelled_out("SFT DRNK 2 LITER BTL CARB INCL")
    ('frozen meat meat dinners', 'soft drink 2 liter bottle carbonated incl')
    """
    short = abbreviations()
    words = [short.get(word, word) for word in _WORD.findall(text.lower())]
    return " ".join(word for word in words if word)
