"""Remembers the lineage of a checkout in the state folder: to read it takes seconds, most of them dbt's and Spark's."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from lake import remembered_file
from lake.lineage.model import Made
from lake.settings import settings

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Remembered:
    """What was read, and of what: a fingerprint of the code and the contracts."""

    of: str
    made: list[Made]


def made(of: str, read: Callable[[], list[Made]]) -> list[Made]:
    """How every table comes about: as it was read the last time, or, if that was of something else, as it is read now.

    Args:
        of: fingerprint of everything that it is read from.
    """
    file = settings().home / "lineage.json"
    form = TypeAdapter(_Remembered)
    try:
        before = form.validate_json(file.read_bytes())
        if before.of == of:
            return before.made
    except (OSError, ValidationError) as reason:
        log.debug("no lineage is remembered in %s: %s", file, reason)
    found = read()
    remembered_file.write(file, form.dump_json(_Remembered(of, found)))
    return found
