"""Keeps what dbt tells of a build, beside the audit of the run: its project as it was, and what became of each node.

They go when the run's receipt goes (`lake.maintenance.collect`). Formats: https://docs.getdbt.com/reference/artifacts.
"""

from __future__ import annotations

import gzip
from pathlib import Path

from lake.platform import storage

KEPT = ("manifest.json", "run_results.json")


def address(run_id: str, name: str) -> str:
    """Where an artifact of a run is kept, gzipped."""
    return f"{storage.AUDIT}/{run_id}/dbt/{name}.gz"


def keep(run_id: str, target_dir: Path) -> list[str]:
    """Keep the artifacts that a build has left in its folder; their addresses. One that broke off leaves fewer."""
    found = [(address(run_id, name), target_dir / name) for name in KEPT if (target_dir / name).exists()]
    for uri, file in found:
        # No instant in it, so that the same artifact gives the same bytes.
        storage.put(uri, gzip.compress(file.read_bytes(), mtime=0), "application/gzip")
    return [uri for uri, _ in found]
