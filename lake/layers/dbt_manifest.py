"""Remembers the dbt project as dbt has parsed it: to parse it takes longer than most of its models.

dbt's own way of remembering, partial parsing, begins anew when a variable or the profile changes, and both do in each
run: they name its months and its catalog. What dbt has parsed names the catalog too; so it is parsed for one catalog,
and the name replaced for each run. It is parsed anew when a file of the project, or dbt itself, is another.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from lake.settings import settings

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

log = logging.getLogger(__name__)

PARSED_FOR = "lake"
"""Catalog for which the project is parsed."""

PARSED = ("*.sql", "*.yml")
PACKAGES = ("dbt-core", "dbt-trino")


def manifest(project: Path, catalog: str, parse: Callable[[], bytes]) -> Manifest:
    """The project as dbt has parsed it, for a catalog.

    Args:
        parse: parses it, for the catalog `PARSED_FOR`; what dbt writes of it for partial parsing.
    """
    file = settings().home / "dbt" / f"{fingerprint(project)}.msgpack"
    found = _read(file)
    if found is None:
        data = parse()
        _write(file, data)
        found = _of(data)
    _rename(found, catalog)
    return found


def fingerprint(project: Path) -> str:
    """Of everything that the parsed project depends on."""
    total = hashlib.sha256(" ".join(f"{name}=={version(name)}" for name in PACKAGES).encode())
    for file in sorted(chain.from_iterable(project.rglob(pattern) for pattern in PARSED)):
        for part in (str(file.relative_to(project)).encode(), file.read_bytes()):
            total.update(len(part).to_bytes(8, "big") + part)
    return total.hexdigest()


def _read(file: Path) -> Manifest | None:
    try:
        return _of(file.read_bytes())
    except FileNotFoundError:
        return None
    except Exception as reason:  # whatever msgpack and dbt say of a file that is not whole
        log.warning("the dbt project is parsed anew, because %s cannot be read: %r", file, reason)
        return None


def _of(data: bytes) -> Manifest:
    # Imported here: dbt takes seconds to import.
    from dbt.contracts.graph.manifest import Manifest
    from dbt.parser.manifest import extended_mashumuro_decoder

    found: Manifest = Manifest.from_msgpack(data, decoder=extended_mashumuro_decoder)
    found.build_flat_graph()
    return found


def _write(file: Path, data: bytes) -> None:
    """Complete at every moment; what cannot be remembered is parsed again the next time."""
    staging = file.with_suffix(f".{os.getpid()}.new")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        staging.write_bytes(data)
        staging.replace(file)
        for older in {*file.parent.glob("*.msgpack")} - {file}:
            older.unlink(missing_ok=True)
    except OSError as reason:
        log.warning("the parsed dbt project cannot be remembered in %s: %s", file, reason)


def _rename(parsed: Manifest, catalog: str) -> None:
    """Let every table lie in a catalog."""
    for node in chain(parsed.nodes.values(), parsed.sources.values()):
        if node.database == PARSED_FOR:
            node.database = catalog
        if node.relation_name:
            node.relation_name = node.relation_name.replace(f'"{PARSED_FOR}".', f'"{catalog}".', 1)
