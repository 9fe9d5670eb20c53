"""What of a statement may stand in a span: which tables it is about, and its text without any value."""

from __future__ import annotations

import re

LONGEST_TEXT = 2000
MOST_TARGETS = 3

_PARTS = re.compile(
    r"""(?P<name>"(?:[^"]|"")*"|`[^`]*`)"""
    r"""|(?P<text>\b(?:x|U&)?'(?:[^']|'')*')|(?P<plain>'(?:[^']|'')*(?:'|\Z))"""
    r"""|(?P<comment>--[^\n]*|/\*.*?\*/)"""
    r"""|(?P<number>(?<![\w"])\d+(?:\.\d+)?(?:[eE][+-]?\d+)?\b)""",
    re.DOTALL | re.IGNORECASE,
)
_NAME = r"""(?:"(?:[^"]|"")*"|\w+)"""
_TARGET = re.compile(
    rf"\b(?:FROM|JOIN|INTO|UPDATE|TABLE|VIEW)\s+(?:IF\s+(?:NOT\s+)?EXISTS\s+)?({_NAME}(?:\.{_NAME})*)",
    re.IGNORECASE,
)
_OF_CATALOG = re.compile(r"\w+ CATALOG\b", re.IGNORECASE)
_WORDS = frozenset({"select", "values", "unnest", "table", "lateral"})


def without_values(statement: str) -> str:
    """A statement of standard SQL, as Trino speaks it, with ``?`` for each value, on one line and without comments.

    >>> without_values("SELECT 'ada', 5 FROM cleaned.\\"o'5\\" -- x")
    'SELECT ?, ? FROM cleaned."o\\'5"'
    """
    bare = _PARTS.sub(lambda found: found["name"] or ("" if found["comment"] else "?"), statement)
    text = " ".join(bare.split())
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}…"


def summary(statement: str) -> str:
    """What a statement does, and to which tables, in a few words.

    >>> summary('SELECT count(*) FROM cleaned."orders" JOIN cleaned.customers USING (customer_id)')
    'SELECT cleaned.orders, cleaned.customers'
    """
    text = without_values(statement)
    if _OF_CATALOG.match(text):  # whose name is that of a run
        return " ".join(text.upper().split()[:2])
    found = dict.fromkeys(name.replace('"', "") for name in _TARGET.findall(text) if name.lower() not in _WORDS)
    targets = [*found]
    more = f" and {len(targets) - MOST_TARGETS} more" if len(targets) > MOST_TARGETS else ""
    return f"{text.partition(' ')[0].upper()} {', '.join(targets[:MOST_TARGETS])}{more}".strip()
