#!/usr/bin/env python
"""Make what Trino knows its users by, and its certificate: ``prepare_trino.py FOLDER``.

All of it stays in the state folder, where clients find the authority's certificate. What servers read is copied to
FOLDER, each file for the user that reads it.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from lake.contracts import personal
from lake.runtime import access, certificate

TRINO, PROMETHEUS = 1000, 65534
"""Users of their images."""

READERS = {
    certificate.SERVER: TRINO,
    access.USERS: TRINO,
    access.RULES: TRINO,
    access.METRICS_PASSWORD: PROMETHEUS,
    certificate.AUTHORITY: TRINO,
}


def main(target: Path) -> None:
    """Make and copy; what is as it should be stays as it is."""
    access.grant(personal.masks())
    access.prepare(starts=True)
    for name, user in READERS.items():
        shutil.copy(access.folder() / name, target)
        os.chown(target / name, user, user)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
