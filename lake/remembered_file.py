"""A file of the state folder that saves work and that nothing depends on: what it holds can be made again."""

from __future__ import annotations

import logging
import os
from pathlib import Path

log = logging.getLogger(__name__)


def write(file: Path, data: bytes) -> None:
    """Write the file, which is complete at every moment; where it cannot be written, that is only told."""
    # Two may be at it: a person who asks, and a task.
    staging = file.with_suffix(f".{os.getpid()}.new")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        staging.write_bytes(data)
        staging.replace(file)
    except OSError as reason:
        log.warning("%s cannot be written, and what it saves will be done again: %s", file, reason)
