"""Names that every engine of the lake takes: lower-case letters, digits and ``_``, beginning with a letter or digit.

A MySQL name may hold anything, and names may differ only in case, which Iceberg, Spark and Trino do not tell apart.
Names that begin with ``_`` are the lake's own.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable

LONGEST = 64
"""Characters of a lake name; a name of MySQL has at most as many."""

SAFE = r"^[a-z0-9][a-z0-9_]*$"
_DIGEST = 6

PERSONAL = ("email", "name", "phone", "street", "address", "postcode", "birth")
"""Words in names of columns that most likely hold personal data."""


def is_personal(name: str) -> bool:
    """Whether a column of such a name most likely holds personal data."""
    letters = re.sub(r"[^a-z]", "", name.lower())  # e_mail and E-Mail are what email is
    return any(word in letters for word in PERSONAL)


def safe(original: str) -> str:
    """The name with accents taken off, and ``_`` for what is neither letter nor digit; empty when nothing is left.

    >>> safe("Größe (cm)"), safe("a;DROP TABLE x"), safe("order"), safe("❤")
    ('grosse_cm', 'a_drop_table_x', 'order', '')
    """
    if re.fullmatch(SAFE, original):
        return original
    letters = unicodedata.normalize("NFKD", original.casefold())
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")


def distinct(originals: Iterable[str], prefix: str = "", taken: Collection[str] = ()) -> dict[str, str]:
    """A lake name for each name of the source, no two alike.

    A name that would be another's, is too long or has nothing left ends in a digest of the original; it depends on the
    names alone, not on their order.

    Args:
        prefix: what every lake name begins with.
        taken: lake names that others have.
    """
    names = sorted(set(originals))
    wishes = {name: prefix + safe(name) for name in names}
    wanted = Counter(wishes.values())
    used, given = set(taken), {}
    # Those that need no change come first: another's digest must not take their name.
    for name in sorted(names, key=lambda name: (wishes[name] != prefix + name, name)):
        wish = wishes[name]
        unchanged, alone = wish == prefix + name, wanted[wish] == 1
        if not safe(name):
            wish = f"{prefix}unnamed"
        elif (unchanged or alone) and wish not in used and len(wish) <= LONGEST:
            used.add(wish)
            given[name] = wish
            continue
        given[name] = _digested(wish, name, used)
        used.add(given[name])
    return {name: given[name] for name in names}


def _digested(wish: str, original: str, used: Collection[str]) -> str:
    digest = hashlib.sha256(original.encode()).hexdigest()
    lengths = range(_DIGEST, len(digest) + 1)
    tries = (f"{wish[: LONGEST - length - 1]}_{digest[:length]}" for length in lengths)
    return next(name for name in tries if name not in used)
