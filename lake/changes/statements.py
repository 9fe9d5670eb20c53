"""Which tables a statement in the binlog concerns: those whose rows it may have changed without saying which.

Under row format only statements that define things stand in the binlog as text. Where one may touch a table of ours,
the answer leans to yes: a table read once too often is a cost, one read once too seldom an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_TOKEN = re.compile(
    r"""
    (?P<comment>/\*(?![!M]).*?\*/ | \#[^\n]*\n? | --\s[^\n]*\n?)
    | (?P<text>'(?:[^'\\]|\\.|'')*' | "(?:[^"\\]|\\.|"")*")
    | `(?P<quoted>(?:[^`]|``)+)`
    | (?P<word>[\w$]+)
    | (?P<dot>\.)
    """,
    re.VERBOSE | re.DOTALL,
)

_NO_ROWS = {
    "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "START", "XA",
    "ANALYZE", "CHECK", "CHECKSUM", "FLUSH", "GRANT", "OPTIMIZE", "REVOKE", "SET",
}  # fmt: skip
"""First words of statements that change no row."""

_NO_TABLE = {
    "AGGREGATE", "EVENT", "FUNCTION", "INDEX", "FULLTEXT", "SPATIAL", "UNIQUE", "PACKAGE", "PROCEDURE", "ROLE",
    "SEQUENCE", "SERVER", "TABLESPACE", "TRIGGER", "USER", "VIEW", "DEFINER", "ALGORITHM", "SQL",
}  # fmt: skip
"""What can be created or dropped without changing a row."""

_DEFINING = {"ALTER", "CREATE", "DROP", "RENAME", "TRUNCATE", "REPAIR", "IMPORT"}


def concerns(statement: str, default_database: str, database: str, tables: Iterable[str]) -> set[str]:
    """Tables, of those given, that the statement may have changed.

    Args:
        default_database: the one in which the statement ran.
        database: the one of the tables; those of others are ignored.
        tables: names as in the source; compared without case.
    """
    wanted = {name.lower(): name for name in tables}
    # MariaDB puts settings before the statement that they are for.
    prefixed = re.match(r"\s*SET\s+STATEMENT\b.*?\bFOR\b(.*)", statement, re.IGNORECASE | re.DOTALL)
    tokens = _tokens(prefixed[1] if prefixed else statement)
    words = [text.upper() for text, is_quoted in tokens if not is_quoted and text != "."]
    if not words:
        return set()
    first = words[0]
    if first in _NO_ROWS or (first in {"CREATE", "DROP", "ALTER"} and _NO_TABLE & set(_kinds(words))):
        return set()
    names = _names(tokens)
    everything = set(wanted.values())
    if "\ufffd" in statement and default_database.lower() == database.lower():
        return everything  # a name in another character set cannot be compared
    databases = {left.lower() for left, _ in names if left} | {right.lower() for _, right in names}
    if first not in _DEFINING:
        # A statement that changes rows: by triggers it may change other tables than those it names.
        is_ours = default_database.lower() == database.lower() or database.lower() in databases
        return everything if is_ours else set()
    if first in {"CREATE", "DROP", "ALTER"} and {"DATABASE", "SCHEMA"} & set(words[:4]):
        return everything if database.lower() in databases else set()
    if first == "CREATE":
        names = names[:1]
    return {
        wanted[right.lower()]
        for left, right in names
        if right.lower() in wanted and (left or default_database).lower() == database.lower()
    }


def _kinds(words: list[str]) -> list[str]:
    """Words up to the kind of thing that is created or dropped."""
    for place, word in enumerate(words):
        if word in {"TABLE", "TABLES", "DATABASE", "SCHEMA"} | _NO_TABLE:
            return words[: place + 1]
    return []


def _tokens(statement: str) -> list[tuple[str, bool]]:
    """Words, quoted names and dots, each with whether it is quoted; without comments and texts.

    Comments that the server executes (``/*!40000 … */``) are read as what they hold.
    """
    opened = re.sub(r"/\*M?!\d*", " ", statement)
    found: list[tuple[str, bool]] = []
    for match in _TOKEN.finditer(opened):
        if match["quoted"]:
            found.append((match["quoted"].replace("``", "`"), True))
        elif match["word"] or match["dot"]:
            found.append((match["word"] or match["dot"], False))
        elif match["text"] and match["text"].startswith('"'):
            # A name under ANSI_QUOTES.
            found.append((match["text"][1:-1].replace('""', '"'), True))
    return found


_KEYWORDS = {
    "CREATE", "OR", "REPLACE", "TEMPORARY", "TABLE", "TABLES", "IF", "NOT", "EXISTS", "ALTER", "DROP", "TRUNCATE",
    "RENAME", "ONLINE", "IGNORE", "WAIT", "NOWAIT",
}  # fmt: skip


def _names(tokens: list[tuple[str, bool]]) -> list[tuple[str, str]]:
    """Everything that may be a table's name, as database (or nothing) and table, in order."""
    found = []
    place = 0
    while place < len(tokens):
        text, is_quoted = tokens[place]
        if text == "." or (not is_quoted and (text.upper() in _KEYWORDS or text.isdigit())):
            place += 1
        elif place + 2 < len(tokens) and tokens[place + 1] == (".", False):
            found.append((text, tokens[place + 2][0]))
            place += 3
        else:
            found.append(("", text))
            place += 1
    return found
