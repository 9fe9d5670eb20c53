"""Named points at which a test lets the process die or stand still; in production they do nothing.

``CRASH_AT=extract.uploaded`` kills the process with SIGKILL when it gets there, as a machine that loses its power does:
no handler runs, no buffer is flushed. ``PAUSE_AT=extract.uploaded`` stops it there with SIGSTOP until something sends
SIGCONT, which makes a zombie, or gives a test the time to change the world meanwhile. ``:3`` behind the name means the
third time that the point is reached. Both may be set.
"""

from __future__ import annotations

import os
import signal
from threading import Lock
from typing import Literal, get_args

from lake.errors import LakeError

Point = Literal[
    "snapshot.held",
    "extract.source_read",
    "extract.row_group",
    "extract.uploaded",
    "extract.between_chunks",
    "extract.committed",
    "register.committed",
    "clean.committed",
    "publish.merged",
    "maintenance.forgotten",
    "maintenance.rewritten",
    "maintenance.merged",
    "maintenance.reached",
    "maintenance.removed",
]
"""In the order in which a run gets there, then maintenance; the module that is named first calls `reach` with it."""

_SIGNALS = {"CRASH_AT": signal.SIGKILL, "PAUSE_AT": signal.SIGSTOP}

_lock = Lock()
_passed: dict[str, int] = {}


def reach(point: Point) -> None:
    """Die or stop here, if the environment says so.

    Raises:
        LakeError: the environment names a point that there is not: a fault that never happens proves nothing.
    """
    for variable, number in _SIGNALS.items():
        wanted = os.environ.get(variable)
        if wanted is None:
            continue
        name, passing = _parse(variable, wanted)
        if name != point:
            continue
        with _lock:
            _passed[variable] = _passed.get(variable, 0) + 1
            here = _passed[variable] == passing
        if here:
            os.kill(os.getpid(), number)


def _parse(variable: str, text: str) -> tuple[str, int]:
    name, passing = text.split(":", 1) if ":" in text else (text, "1")
    if name not in get_args(Point) or not passing.isdecimal() or int(passing) < 1:
        raise LakeError(
            f"{variable}={text!r} names no point of the program",
            f"give one of {', '.join(get_args(Point))}, with ':n' behind it for the n-th time that it is reached",
        )
    return name, int(passing)
