"""Tables whose files were written anew with the same rows: which metadata stands for which.

A table is the same where the catalog gives the same address of its metadata (docs/decisions/0029). Compaction gives a
table a new address though not a row has changed; what it says here lets others see that. An entry is true for ever,
whether or not the rewriting was published, and where entries are lost a run computes once more than it had to.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from lake.platform import storage

FOLDER = f"{storage.AUDIT}/rewritten"


def remember(name: str, same: Mapping[str, str]) -> None:
    """Keep which metadata stands for which older one.

    Args:
        name: of the rewriting; written again, it replaces what was kept under it.
        same: address of the new metadata -> address of the one with the same rows.
    """
    storage.put(f"{FOLDER}/{name}.json", json.dumps(dict(same), indent=1).encode(), "application/json")


def changed(now: Mapping[str, str], then: Mapping[str, str]) -> set[str]:
    """Names of the tables that have other rows or columns now than they had then.

    Args:
        now, then: addresses of metadata by table, as `lake.platform.catalog.contents` gives them.
    """
    others = {name for name in now if now[name] != then.get(name)}
    # Mostly nothing was rewritten since, or nothing has changed at all; then the store is not asked.
    same = _read() if others & then.keys() else {}
    return {name for name in others if not _stands_for(now[name], then.get(name), same)}


def _stands_for(address: str, older: str | None, same: Mapping[str, str]) -> bool:
    """Whether a chain of rewritings leads from the older metadata to the one at an address."""
    step: str | None = address
    while step and step != older:
        step = same.get(step)
    return step is not None


def _read() -> dict[str, str]:
    found: dict[str, str] = {}
    for uri in storage.list_keys(FOLDER):
        try:
            found |= json.loads(storage.get(uri))
        except FileNotFoundError:
            continue  # maintenance has just thrown it away
    return found
