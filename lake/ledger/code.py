"""Which code builds what: a SHA-256 of the files behind each layer.

A receipt carries them, and a run compares them with those of the run before: what nothing has changed for, neither data
nor rules nor code, need not be computed again. The version of the checkout does not do for that, because it says no
more of a change that was not committed than that there is one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from lake.settings import PROJECT

LAYERS: Mapping[str, tuple[str, ...]] = {
    "raw": ("lake/contracts", "lake/source", "lake/changes", "lake/extract", "lake/layers", "native/src"),
    "cleaned": ("lake/contracts", "lake/layers", "spark_jobs"),
    "curated": ("lake/layers", "spark_jobs"),
    "marts": ("dbt",),
    "audit": ("lake/quality",),
    "libraries": ("requirements.txt", "native/Cargo.lock"),
}
"""What each layer's rows come from; ``libraries`` are everybody's."""

SUFFIXES = {".py", ".rs", ".sql", ".txt", ".lock"}
"""Of the files that count. Contracts, which lie among them, are hashed by themselves."""

DBT_SUFFIXES = {".sql", ".yml"}
GENERATED = {"target", "logs", "dbt_packages", "__pycache__"}


@cache
def hashes() -> dict[str, str]:
    """The SHA-256 of each layer's files, by the names of `LAYERS`."""
    return {layer: of(roots) for layer, roots in LAYERS.items()}


def total() -> str:
    """One SHA-256 for all layers."""
    return hashlib.sha256("".join(hashes().values()).encode()).hexdigest()


def of(roots: tuple[str, ...]) -> str:
    """The SHA-256 of the code in some files and folders of the checkout."""
    found = hashlib.sha256()
    for root in roots:
        for file in sorted(_files(PROJECT / root)):
            data = file.read_bytes()
            found.update(f"{file.relative_to(PROJECT)}\0{len(data)}\0".encode() + data)
    return found.hexdigest()


def _files(root: Path) -> Iterator[Path]:
    if root.is_file():
        yield root
    suffixes = DBT_SUFFIXES if root.name == "dbt" else SUFFIXES
    for file in root.rglob("*"):
        if file.suffix in suffixes and not GENERATED & {*file.relative_to(root).parts}:
            yield file
