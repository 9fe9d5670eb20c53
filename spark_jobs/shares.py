"""Deals the tables of a task out: small ones together, and each of the others by itself, each after its parents."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from graphlib import TopologicalSorter


@dataclass
class Share:
    """Tables that are worked on together.

    Attributes:
        tables: parents before the tables that point at them.
        after: names of the shares that come before.
        is_small: whether they are taken in without Spark.
    """

    is_small: bool
    tables: list[str] = field(default_factory=list)
    after: set[str] = field(default_factory=set)


def shares_of(parents: Mapping[str, Set[str]], is_small: Callable[[str], bool]) -> dict[str, Share]:
    """The shares by name, which is the table's where it is alone.

    Small tables are together as far as possible: those that wait for no large one are one share, those that wait for
    one large one after another the next.
    """
    levels: dict[str, int] = {}
    of: dict[str, str] = {}
    shares: dict[str, Share] = {}
    for table in TopologicalSorter(parents).static_order():
        small = is_small(table)
        levels[table] = max((levels[parent] for parent in parents[table]), default=0) + (not small)
        name = f"{levels[table]} small" if small else table
        of[table] = name
        share = shares.setdefault(name, Share(small))
        share.tables.append(table)
        share.after |= {of[parent] for parent in parents[table]} - {name}
    return shares
