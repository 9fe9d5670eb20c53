"""The reader of MySQL results, ``native/``: a wheel built with the machine's Rust, or its plain Python form.

A built wheel is kept in the user's cache under a hash of the sources, so that each state of them is compiled once for
all checkouts. Where Rust is missing or too old, the checkout's own Python files are put on the path instead: the same
interface and the same values, slower, as ``mysql_arrow.NATIVE`` tells.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

from rich.console import Console

from lake.runtime import fetch
from lake.runtime.artifacts import cache
from lake.runtime.install import alone
from lake.settings import PROJECT

SOURCES = PROJECT / "native"
PLAIN = "mysql_arrow_plain.pth"
SLOW = "the plain Python decoder reads instead, with the same values, three to five times slower"


def install_reader(console: Console) -> None:
    """Bring ``mysql_arrow`` into this environment; nothing happens when this state of the sources is there.

    Raises:
        InstallError: cargo is there and the build failed.
    """
    state = fingerprint()
    mark = Path(sys.prefix) / ".mysql-arrow"
    if mark.is_file() and mark.read_text() == state:
        return
    built = _wheel(state, console)
    if built:
        _plain().unlink(missing_ok=True)
        command = [fetch.uv(), "pip", "install", "--quiet", "--offline", "--no-deps", "--reinstall"]
        fetch.run("installing mysql-arrow", [*command, "--python", sys.executable, str(built)])
        mark.write_text(state)
    else:
        # No mark: Rust may be there the next time.
        _plain().write_text(f"{SOURCES / 'python'}\n")


def is_plain() -> bool:
    """Whether this environment has the plain decoder because there was no Rust."""
    return _plain().is_file()


def _plain() -> Path:
    return Path(sysconfig.get_path("purelib")) / PLAIN


def fingerprint() -> str:
    """Hash of everything that the wheel is built from."""
    files = [file for folder in ("src", "python") for file in (SOURCES / folder).rglob("*") if file.is_file()]
    files += [SOURCES / name for name in ("Cargo.toml", "Cargo.lock", "pyproject.toml", "README.md")]
    total = hashlib.sha256()
    for file in sorted(files):
        if file.suffix in {".rs", ".py", ".pyi", ".toml", ".lock", ".md", ".typed"}:
            total.update(str(file.relative_to(SOURCES)).encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()[:16]


def _wheel(state: str, console: Console) -> Path | None:
    kept = cache() / "software" / f"mysql-arrow-{state}"
    if not kept.is_dir():
        kept.parent.mkdir(parents=True, exist_ok=True)
        wanted = tomllib.loads((SOURCES / "Cargo.toml").read_text())["package"]["rust-version"]
        if not _has_rust(wanted):
            if not is_plain():  # said once
                console.print(f"mysql-arrow: no Rust of at least {wanted} was found; {SLOW}")
            return None
        with alone(console):
            if not kept.is_dir():
                _build(kept, console)
    return next(kept.glob("*.whl"))


def _build(target: Path, console: Console) -> None:
    staging = target.with_name(f".{target.name}")
    # One folder for all states: what has not changed since the last build is not compiled again.
    env = {"CARGO_TARGET_DIR": str(cache() / "build" / "mysql-arrow")}
    command = [fetch.uv(), "build", "--wheel", "--quiet", "--out-dir", str(staging), str(SOURCES)]
    with console.status("building mysql-arrow: about three minutes, once"):
        fetch.run("building mysql-arrow", command, env)
    staging.replace(target)


def _has_rust(wanted: str) -> bool:
    cargo = shutil.which("cargo")
    if not cargo:
        return False
    said = subprocess.run([cargo, "--version"], check=False, capture_output=True, text=True, timeout=60).stdout
    found = re.search(r"(\d+)\.(\d+)", said)
    return bool(found) and tuple(map(int, found.groups())) >= tuple(map(int, wanted.split(".")))  # type: ignore[union-attr]
