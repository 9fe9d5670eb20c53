"""``secrets.env`` of the state directory: passwords and keys, readable by their owner alone."""

from __future__ import annotations

import os
from pathlib import Path

from dotenv import dotenv_values
from filelock import FileLock

NAME = "secrets.env"


def read(home: Path) -> dict[str, str]:
    """The secrets by name; none where there is no file yet."""
    # Not interpolated: a password may hold a dollar sign.
    return {name: value for name, value in dotenv_values(home / NAME, interpolate=False).items() if value}


def update(home: Path, values: dict[str, str | None]) -> None:
    """Set some secrets, or remove those that are ``None``; the others stay. The file is complete at every moment."""
    home.mkdir(parents=True, exist_ok=True)
    file = home / NAME
    with FileLock(file.with_suffix(".lock")):
        kept = {name: value for name, value in (read(home) | values).items() if value is not None}
        staging = file.with_suffix(".new")
        staging.unlink(missing_ok=True)
        descriptor = os.open(staging, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w", encoding="utf-8") as stream:
            stream.writelines(f"{name}={_quoted(value)}\n" for name, value in kept.items())
        staging.replace(file)


def _quoted(value: str) -> str:
    """As `dotenv` reads it back; what needs no quotes has none, for tools that know of none."""
    if value.replace("-", "").replace("_", "").replace("=", "").isalnum() and value.isascii():
        return value
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
