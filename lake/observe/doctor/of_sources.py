"""Looking at each source in turn, over one connection at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import partial
from itertools import chain
from threading import Lock
from typing import Any

from pymysql.connections import Connection

from lake.errors import SourceError
from lake.observe.doctor.examine import side_by_side
from lake.observe.doctor.finding import Finding, skipped
from lake.source import client, sources
from lake.source.sources import Source

LookAtSource = Callable[[Source, "Connection[Any]"], Iterable[Finding]]
SECONDS = 25.0
"""That a look at one source may take, within the time of its check."""

_turns: dict[str, Lock] = defaultdict(Lock)
"""A user may have few connections: the checks take turns."""


def each_source(look: LookAtSource) -> list[Finding]:
    """What a look at each source finds; the sources are looked at side by side."""
    known = sources.known()
    looks = {name: partial(_at, origin, look) for name, origin in known.items()}
    return list(chain.from_iterable(side_by_side(looks, dict.fromkeys(known, SECONDS)).values()))


def _at(origin: Source, look: LookAtSource) -> list[Finding]:
    is_in = False
    try:
        with _turns[origin.where], client.connected(origin) as connection:
            is_in = True
            return list(look(origin, connection))
    except SourceError as error:
        why = error.what if is_in else "the source does not let us in, and the check `sources` says why"
        return [skipped(origin.name, f"it could not be looked at: {why}")]
