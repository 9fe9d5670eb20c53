"""What a seeded fault is, and the lists of all of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from tests.integration.doctor.conftest import doctor


@dataclass(frozen=True)
class Fault:
    """A fault.

    Attributes:
        check: the one that is to find it.
        state: what it is taken for.
        says: what is seen of it, and what is to be done; a pattern.
        seeded: puts it in, and takes it out again.
    """

    check: str
    state: str
    says: str
    seeded: Callable[[Any], AbstractContextManager[None]]


MACHINE: dict[str, Fault] = {}
SERVER: dict[str, Fault] = {}


def fault(
    known: dict[str, Fault], check: str, state: str, says: str
) -> Callable[[Callable[[Any], Iterator[None]]], None]:
    """Enter a fault, by the name of what puts it in."""

    def enter(seeded: Callable[[Any], Iterator[None]]) -> None:
        known[seeded.__name__] = Fault(check, state, says, contextmanager(seeded))

    return enter


def found(fault: Fault) -> list[str]:
    """What the fault's check says of it."""
    told = (f"{each['subject']}: {each['seen']} -> {each['way_out']}" for each in doctor(fault.check)
            if each["state"] == fault.state)  # fmt: skip
    return [each for each in told if re.search(fault.says, each, re.DOTALL)]
