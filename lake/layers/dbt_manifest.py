"""Remembers the dbt project as dbt has parsed it: to parse it takes longer than most of its models.

dbt's own way of remembering, partial parsing, begins anew when a variable or the profile changes, and both do in each
run: they name its months and its catalog. What dbt has parsed names the catalog too; so it is parsed for one catalog,
and the name replaced for each run. It is parsed anew when a file of the project, or dbt itself, is another.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from lake import remembered_file
from lake.layers import built
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
        for older in file.parent.glob("*.msgpack"):
            older.unlink(missing_ok=True)
        remembered_file.write(file, data)
        found = _of(data)
    _rename(found, catalog)
    return found


def fingerprint(project: Path) -> str:
    """Of everything that the parsed project depends on."""
    files = sorted(chain.from_iterable(project.rglob(pattern) for pattern in PARSED))
    written = chain.from_iterable((str(file.relative_to(project)), file.read_text("utf-8")) for file in files)
    return built.fingerprint(*(f"{name}=={version(name)}" for name in PACKAGES), *written)


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


def _rename(parsed: Manifest, catalog: str) -> None:
    """Let every table lie in a catalog."""
    for node in chain(parsed.nodes.values(), parsed.sources.values()):
        if node.database == PARSED_FOR:
            node.database = catalog
        if node.relation_name:
            node.relation_name = node.relation_name.replace(f'"{PARSED_FOR}".', f'"{catalog}".', 1)
