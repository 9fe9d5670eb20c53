"""Days that people name in options."""

from __future__ import annotations

from datetime import date

from lake.errors import LakeError


def day(what: str, text: str) -> date:
    """The day that an option names.

    Raises:
        LakeError: the text is none.
    """
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise LakeError(f"{what} {text!r} is not a day", "write it as YYYY-MM-DD, such as 2026-01-31") from error
