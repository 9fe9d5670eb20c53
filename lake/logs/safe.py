"""What may not be in a line: a secret, what is not Unicode, and more than somebody would read."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pydantic import SecretStr

from lake import secret_file
from lake.errors import LakeError
from lake.settings import Settings, settings

HIDDEN = "***"
SHORTEST_SECRET = 4
"""Characters; a shorter one cannot be told from other text."""

LONGEST_TEXT = 32 * 1024
"""Characters of one value; an error with its traceback has a few thousand."""

LONGEST_LINE = 128 * 1024
"""Characters of all values of a line."""

DEEPEST, MOST = 8, 200
"""How far a value is followed into itself, and how many elements of one are kept."""

CUT = "cut_characters"
"""The field that counts what was left out of a line."""

Line = MutableMapping[str, Any]
_PASSWORD_IN_URL = re.compile(r"(\b[a-zA-Z][\w+.-]*://[^\s:/@'\"]*):[^\s/@'\"]+@")


# -- what may not be in a line
def redact(logger: object, method: str, line: Line) -> Line:
    """Hide every secret that this installation knows, and the password of any address, in whatever field it stands.

    Values become plain on the way: text, numbers, lists and objects of them, in valid Unicode.
    """
    secrets = _secrets()
    plain: Line = _plain(line, secrets, DEEPEST)
    return plain


def _plain(value: Any, secrets: re.Pattern[str] | None, depth: int) -> Any:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping) and depth:
        kept = {_text(name, secrets): _plain(value[name], secrets, depth - 1) for name in [*value][:MOST]}
        return kept if len(value) <= MOST else {**kept, "…": f"{len(value) - MOST} more"}
    if isinstance(value, list | tuple | set | frozenset) and depth:
        left = [f"… and {len(value) - MOST} more"] if len(value) > MOST else []
        return [_plain(inner, secrets, depth - 1) for inner in [*value][:MOST]] + left
    return _text(value, secrets)


def _text(value: Any, secrets: re.Pattern[str] | None) -> str:
    if isinstance(value, bytes | bytearray | memoryview):
        text = bytes(value).decode("utf-8", "replace")
    elif isinstance(value, date):
        text = value.isoformat()
    else:
        try:
            text = str(value)
        except Exception as error:  # a value's own code must not take the line with it
            text = f"<{type(value).__name__} that cannot be shown: {type(error).__name__}>"
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a pair, as from a file name that is not UTF-8
        text = text.encode("utf-8", "replace").decode()
    if "://" in text:
        text = _PASSWORD_IN_URL.sub(rf"\1:{HIDDEN}@", text)
    return secrets.sub(HIDDEN, text) if secrets else text


class _Known:
    """The secrets as they were read, until the settings or the file of secrets is another."""

    def __init__(self) -> None:
        self._of: tuple[int, int] | None = None
        self._pattern: re.Pattern[str] | None = None

    def pattern(self) -> re.Pattern[str] | None:
        config = settings()
        file = config.home / secret_file.NAME
        now = id(config), _written(file)
        if now != self._of:
            self._pattern = _any_of({*_of_settings(config), *secret_file.read(config.home).values()})
            self._of = now
        return self._pattern


_known = _Known()


def _secrets() -> re.Pattern[str] | None:
    try:
        return _known.pattern()
    except (LakeError, OSError):  # there are no settings to read secrets from
        return None


def _written(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0


def _of_settings(config: Settings) -> Iterator[str]:
    for name in Settings.model_fields:
        if isinstance(value := getattr(config, name), SecretStr):
            yield value.get_secret_value()
            # One that is several: addresses with spaces between them, some after the receiver's name.
            yield from (part.partition("=")[2] or part for part in value.get_secret_value().split())


def _any_of(secrets: set[str]) -> re.Pattern[str] | None:
    """A pattern that finds these, also as they stand in an address, in JSON and in Python's own notation."""
    forms = {
        form
        for secret in secrets
        if len(secret) >= SHORTEST_SECRET
        for form in (secret, quote(secret, safe=""), json.dumps(secret)[1:-1], repr(secret)[1:-1])
    }
    # The longest first: one may begin with another.
    return re.compile("|".join(map(re.escape, sorted(forms, key=len, reverse=True)))) if forms else None


# -- how long it may be
def bound(logger: object, method: str, line: Line) -> Line:
    """Cut texts that are too long, and leave out the largest fields of a line that is; what is cut is counted in it."""
    budget = _Budget()
    cut: Line = {name: budget.shortened(value) for name, value in line.items()}
    sizes = {name: len(json.dumps(value, default=str)) for name, value in cut.items()}
    while sum(sizes.values()) > LONGEST_LINE:
        longest = max(sizes, key=lambda name: sizes[name])
        budget.cut += sizes.pop(longest)
        cut[longest] = f"… {longest} was too long"
    return {**cut, CUT: budget.cut} if budget.cut else cut


class _Budget:
    """Shortens texts, and counts what that leaves out."""

    def __init__(self) -> None:
        self.cut = 0

    def shortened(self, value: Any) -> Any:
        if isinstance(value, str):
            if len(value) <= LONGEST_TEXT:
                return value
            self.cut += len(value) - LONGEST_TEXT
            return f"{value[:LONGEST_TEXT]}… and {len(value) - LONGEST_TEXT} characters more"
        if isinstance(value, Mapping):
            return {name: self.shortened(inner) for name, inner in value.items()}
        if isinstance(value, Sequence):
            return [self.shortened(inner) for inner in value]
        return value
