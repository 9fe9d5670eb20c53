"""The peers' own environments under `.venvs/`, each made by uv from pinned requirements on first use."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

from lake.errors import InstallError
from lake.runtime import fetch
from lake.settings import PROJECT

PEERS = Path(__file__).resolve().parent / "peers"
ENVIRONMENTS = PROJECT / ".venvs"


def folder(name: str) -> Path:
    """Where an environment lies."""
    return ENVIRONMENTS / f"extract-{name}"


def python(name: str) -> str:
    """Its interpreter."""
    return str(folder(name) / "bin" / "python")


def ensure(name: str) -> None:
    """Make an environment, unless it is there and made from the same requirements.

    Raises:
        InstallError: uv is missing, or a package could not be had; its last words are in the message.
    """
    requirements = PEERS / "requirements" / f"{name}.txt"
    wanted = hashlib.sha256(requirements.read_bytes()).hexdigest()
    stamp = folder(name) / ".made-from"
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    uv = fetch.uv()
    for command in (
        [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder(name))],
        [uv, "pip", "install", "--quiet", "--python", python(name), "-r", str(requirements)],
    ):
        result = subprocess.run(command, check=False, capture_output=True, text=True)
        if result.returncode:
            said = "\n".join((result.stdout + result.stderr).splitlines()[-6:])
            raise InstallError(f"the environment {name} could not be made:\n{said}", "look at the network, then repeat")
    for program in folder(name).glob("lib/*/site-packages/sling_*/bin/*"):
        program.chmod(0o755)
    stamp.write_text(wanted)  # last, so that a half-made environment is made anew
