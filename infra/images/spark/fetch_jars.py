"""Fetch jars that ``infra/artifacts.toml`` pins, as the local runtime does: the same list, the same check of sums.

``fetch_jars.py FOLDER NAME...``
"""

from __future__ import annotations

import sys
from pathlib import Path

from lake.runtime.artifacts import MavenArtifact, artifacts
from lake.runtime.fetch import from_maven


def main(folder: str, *names: str) -> None:
    """Put each named artifact into the folder."""
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    for name in names:
        artifact = artifacts()[name]
        if not isinstance(artifact, MavenArtifact):
            raise SystemExit(
                f"{name} is no Maven artifact -> name one of the [[maven]] entries of infra/artifacts.toml"
            )
        from_maven(artifact, target)


if __name__ == "__main__":
    main(*sys.argv[1:])
