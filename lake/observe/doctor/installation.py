"""What is installed, and who may read its secrets."""

from __future__ import annotations

import platform
import tomllib
from collections.abc import Iterator
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from lake import secret_file
from lake.observe.doctor.finding import Finding, ok, problem, skipped, warning
from lake.runtime import access, install, supervise
from lake.runtime.artifacts import Artifact, artifacts, cache
from lake.settings import PROJECT, settings

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
SECRETS = (
    secret_file.NAME,
    "run/supervisord.conf",
    "data/alertmanager/alertmanager.yml",
    "data/airflow/passwords.json",
    *(f"trino/{name}" for name in access.PRIVATE),
)
"""Files of the state folder that hold passwords or keys."""

_SETUP = "run `make setup`, then `lake down` and `lake up`"


def is_elsewhere() -> str:
    """Why the services are none of this machine's processes; empty where they are."""
    host = settings().s3_host
    return "" if host in LOOPBACK else f"the services run elsewhere (LAKE_S3_HOST={host})"


# -- versions
def packages(now: datetime) -> Iterator[Finding]:
    """Python and its packages, against what the project asks for."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    running, wanted = platform.python_version(), project["requires-python"]
    if SpecifierSet(wanted).contains(running):
        yield ok("Python", running)
    else:
        yield problem("Python", f"{running}, and {wanted} is asked for", "make the environment anew: `make setup`")
    wrong = list(_wrong_packages(project["dependencies"]))
    if not wrong:
        yield ok("packages", f"{len(project['dependencies'])} as pyproject.toml asks for them")
    for name, seen in wrong:
        yield problem(name, seen, _SETUP)


def _wrong_packages(dependencies: list[str]) -> Iterator[tuple[str, str]]:
    for requirement in map(Requirement, dependencies):
        try:
            found = version(requirement.name)
        except PackageNotFoundError:
            yield requirement.name, f"is not installed, and {requirement} is asked for"
            continue
        if not requirement.specifier.contains(found, prereleases=True):
            yield requirement.name, f"{found} is installed, and {requirement} is asked for"


def parts(now: datetime) -> Iterator[Finding]:
    """Servers and libraries of ``infra/artifacts.toml``: installed, and none of another version at work."""
    if elsewhere := is_elsewhere():
        yield skipped("parts", elsewhere)
        return
    known = artifacts()
    missing = list(install.missing())
    missing += [part for part in known.debian if part.name in _kinds() and not part.is_installed]
    for part in missing:
        others = ", ".join(_other_versions(part))
        there = f"; {others} is there" if others else ""
        yield problem(part.name, f"{part.version} is not installed{there}", _SETUP)
    outdated = list(_outdated())
    for name, folder in outdated:
        yield problem(name, f"runs from {folder}, which infra/artifacts.toml does not name any more", _SETUP)
    if not missing and not outdated:
        yield ok("parts", f"all that infra/artifacts.toml asks for are in {cache() / 'software'}")


def _kinds() -> set[str]:
    """Of database servers that are started here."""
    return {settings().shop_server, settings().second_server}


def _other_versions(part: Artifact) -> list[str]:
    names = {each.name for each in _every_part()}
    found = (folder.name for folder in part.folder.parent.glob(f"{part.name}-*"))
    # `trino-connectors-476` is no version of `trino`.
    longer = tuple(f"{name}-" for name in names if name.startswith(f"{part.name}-"))
    return sorted(name.removeprefix(f"{part.name}-") for name in found if not name.startswith(longer))


def _every_part() -> tuple[Artifact, ...]:
    known = artifacts()
    return (*known.maven, *known.pypi, *known.go, *known.debian)


def _outdated() -> Iterator[tuple[str, str]]:
    """Services that run from the folder of a part which is not on the list."""
    software = cache() / "software"
    wanted = {part.folder.name for part in _every_part()}
    for process in supervise.processes().values():
        for folder in _folders(process.pid, software) - wanted:
            yield process.name, folder


def _folders(pid: int | None, software: Path) -> set[str]:
    """Names of the folders of the cache that a process was started with."""
    try:
        words = psutil.Process(pid).cmdline() if pid else []
    except psutil.Error:
        return set()
    prefix = f"{software}/"
    pieces = (piece for word in words for piece in word.replace("=", ":").split(":"))
    return {piece.removeprefix(prefix).split("/")[0] for piece in pieces if piece.startswith(prefix)}


# -- secrets
def secrets(now: datetime) -> Iterator[Finding]:
    """Who may read the files that hold passwords."""
    home = settings().home
    if not home.exists():
        yield skipped(str(home), "the state folder is not there yet", "`lake up` makes it")
        return
    if others := _others(home):
        yield warning(str(home), f"mode {others}: others may look into the state folder", f"chmod 700 {home}")
    there = [home / name for name in SECRETS if (home / name).exists()]
    open_ = [(file, mode) for file in there if (mode := _others(file))]
    for file, mode in open_:
        way_out = f"chmod 600 {file}; where others use this machine, take new passwords as well"
        yield problem(str(file), f"mode {mode}: others may read the passwords in it", way_out)
    if there and not open_:
        yield ok("secrets", f"{len(there)} files in {home} that only their owner may read")
    if not there:
        yield ok("secrets", f"no file of {home} holds any; they come from the environment")


def _others(file: Path) -> str:
    """Mode of a file that others than its owner may do something with, such as 0644; else nothing."""
    mode = file.stat().st_mode & 0o777
    return f"{mode:04o}" if mode & 0o077 else ""
