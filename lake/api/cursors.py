"""Cursors: where the next page begins. Signed, so that nobody can make one, and bound to what was asked.

A cursor of a list that is read from the lake names the commit too: rows of two states of the lake never stand in one
list.
"""

from __future__ import annotations

import re
from typing import Any

from itsdangerous import BadSignature, URLSafeSerializer

from lake.api.problems import Problem, wrong

FIELD = "query.cursor"
LONGEST = 512
"""Characters."""

WRITTEN = re.compile(r"[A-Za-z0-9_.-]+")


class Cursors:
    """Writes and reads the cursors of this installation.

    Args:
        secret: signs them.
    """

    def __init__(self, secret: str) -> None:
        self._signed = URLSafeSerializer(secret, salt="lake.api.cursors")

    def write(self, about: str, commit: str, after: Any) -> str:
        """A cursor.

        Args:
            about: the list, with all that chooses its rows.
            commit: of the lake; empty for a list that is of no commit.
            after: what the last row of the page is found by; plain JSON.
        """
        return str(self._signed.dumps([about, commit, after]))

    def read(self, cursor: str, about: str, commit: str) -> Any:
        """What `write` was given as ``after``.

        Raises:
            Problem: it was not written here, is of another list, or of another commit.
        """
        try:
            if not WRITTEN.fullmatch(cursor):
                raise BadSignature("a cursor has no such characters")
            of, at, after = self._signed.loads(cursor)
        except (BadSignature, ValueError) as error:
            said = "it was not written by this API, or was changed on its way"
            raise self._refused("invalid-cursor", cursor, said) from error
        if of != about:
            raise self._refused("invalid-cursor", cursor, "it is of another list")
        if at != commit:
            said = f"it is of commit {at} of the lake, and this is {commit}: begin anew, or page on with `at`"
            raise self._refused("foreign-cursor", cursor, said)
        return after

    def _refused(self, kind: str, cursor: str, said: str) -> Problem:
        return Problem(kind, f"{FIELD}: {said}", [wrong(FIELD, cursor, said)])
