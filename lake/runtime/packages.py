"""Where Python packages lie that bring programs or jars along."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path


def folder_of(package: str) -> Path:
    """The folder of an installed package, found without importing it: some take long, one makes folders in /tmp."""
    found = find_spec(package)
    assert found and found.origin, f"requirements.txt has {package}"
    return Path(found.origin).parent
