"""Remembers the dbt project as dbt has parsed it: to parse it takes longer than most of its models.

dbt's own way of remembering, partial parsing, begins anew when a variable or the profile changes, and both do in each
run: they name its months and its catalog. What dbt has parsed names the catalog too; so it is parsed for one catalog,
and the name replaced for each run. It is parsed anew when a file of the project, or dbt itself, is another.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
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

PROJECT, SEMANTIC = ".msgpack", ".semantic.json"
"""Endings of the files in which the two parts of what dbt has parsed are remembered."""

PARSED = ("*.sql", "*.yml")
PACKAGES = ("dbt-core", "dbt-trino")


@dataclass(frozen=True)
class Parsed:
    """What dbt writes of a project that it has parsed for the catalog `PARSED_FOR`.

    Attributes:
        project: all of it, as dbt keeps it for partial parsing.
        semantic: the metrics and what they are made of, as MetricFlow reads them (JSON).
    """

    project: bytes
    semantic: bytes


def manifest(project: Path, catalog: str, parse: Callable[[], Parsed]) -> Manifest:
    """The project as dbt has parsed it, for a catalog.

    Args:
        parse: parses it.
    """
    found = _read(_file(project, PROJECT))
    if found is None:
        found = _of(_remembered(project, parse).project)
    _rename(found, catalog)
    return found


def semantic(project: Path, parse: Callable[[], Parsed]) -> str:
    """The metrics of the project and what they are made of, as MetricFlow reads them; tables lie in `PARSED_FOR`.

    Args:
        parse: parses it.
    """
    try:
        return _file(project, SEMANTIC).read_text("utf-8")
    except FileNotFoundError:
        return _remembered(project, parse).semantic.decode()


def _remembered(project: Path, parse: Callable[[], Parsed]) -> Parsed:
    """The project, parsed, and remembered in place of what was before."""
    parsed = parse()
    for ending, data in ((PROJECT, parsed.project), (SEMANTIC, parsed.semantic)):
        file = _file(project, ending)
        for older in file.parent.glob(f"*{ending}"):
            older.unlink(missing_ok=True)
        remembered_file.write(file, data)
    return parsed


def _file(project: Path, ending: str) -> Path:
    return settings().home / "dbt" / f"{fingerprint(project)}{ending}"


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
