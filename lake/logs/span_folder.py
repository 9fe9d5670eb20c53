"""Where spans are written, for whoever writes, follows and removes them."""

from __future__ import annotations

from pathlib import Path

from lake.settings import settings

ENDING = ".jsonl"


def folder() -> Path:
    """The folder of the files."""
    return settings().home / "data" / "traces"
