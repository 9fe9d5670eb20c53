"""What the runtime needs beside Python packages: the pinned list ``infra/artifacts.toml`` and where each part lives."""

from __future__ import annotations

import hashlib
import tomllib
from functools import lru_cache
from pathlib import Path

import platformdirs
from pydantic import BaseModel, ConfigDict, ValidationError

from lake.errors import InstallError
from lake.settings import PROJECT

LIST = PROJECT / "infra" / "artifacts.toml"


class Artifact(BaseModel):
    """One pinned part.

    Its folder carries its version, so that two checkouts with different lists share one cache.

    Args:
        optional: left out by `make setup`; whoever needs it calls `install.ensure`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    version: str
    optional: bool = False

    @property
    def folder(self) -> Path:
        """Where the part lies once it is installed, complete or not at all."""
        return cache() / "software" / f"{self.name}-{self.version}"

    @property
    def is_installed(self) -> bool:
        """Whether the part is there. A folder appears by one rename, after everything in it was checked."""
        return self.folder.is_dir()


class MavenArtifact(Artifact):
    """One file of a Maven repository, kept as it is or unpacked.

    Args:
        coordinates: ``group:artifact:version[:type[:classifier]]``.
        bytes: size of the download, for the progress display.
        unpack: folder of the archive that becomes the artifact's folder; None keeps the file itself.
        programs: patterns of files that must be executable and that the archive does not mark so.
    """

    coordinates: str
    sha256: str
    bytes: int
    unpack: str | None = None
    programs: tuple[str, ...] = ()

    @property
    def file_name(self) -> str:
        """Name of the file as Maven writes it."""
        _, artifact, version, kind, classifier = self.parts
        return f"{artifact}-{version}{'-' + classifier if classifier else ''}.{kind}"

    @property
    def parts(self) -> tuple[str, str, str, str, str]:
        """Group, artifact, version, type and classifier."""
        group, artifact, version, *rest = self.coordinates.split(":")
        kind, classifier = [*rest, "", ""][:2]
        return group, artifact, version, kind or "jar", classifier


class PypiArtifact(Artifact):
    """One wheel, installed into a folder of its own.

    Args:
        program: path of the executable in that folder.
        instead_of: name of a program that makes the wheel unnecessary when the machine has it ...
        instead_of_version: ... in at least this version.
    """

    distribution: str
    sha256: str
    program: str
    instead_of: str | None = None
    instead_of_version: str = "0"


class GoArtifact(Artifact):
    """One program built from source.

    Args:
        package: import path of the program's main package.
        sum: checksum of its module as in ``go.sum``.
        manifest: a list of components, as a file of this checkout. The package is then the `builder
            <https://opentelemetry.io/docs/collector/extend/ocb/>`_ that makes a collector of them, which is the program
            and bears the artifact's name.
    """

    package: str
    sum: str
    manifest: str = ""

    @property
    def program(self) -> Path:
        """Path of the built program."""
        return self.folder / (self.name if self.manifest else self.package.rsplit("/", 1)[-1])


class DebianArtifact(Artifact):
    """Packages of one release of Debian, with all that they need, unpacked into a root of their own.

    Its ``version`` is the release. What is in a release that moves (sid) differs from one day to the next, so nothing
    is pinned: apt checks the archive's signature, and what came is written beside the files.

    Args:
        packages: what is asked for; the first gives the artifact the version that people are told.
        programs: programs in the root that are made to run there.
        bytes: size of the downloads, for the progress display.
    """

    packages: tuple[str, ...]
    programs: tuple[str, ...]
    bytes: int

    def list_of_packages(self, folder: Path | None = None) -> Path:
        """The file that tells what came: a package and its version a line."""
        return (folder or self.folder) / "packages.txt"

    @property
    def installed_version(self) -> str:
        """Version of the first package that is there, such as 9.7.4-2."""
        lines = self.list_of_packages().read_text().splitlines()
        return dict(line.split() for line in lines)[self.packages[0]]


class EnvironmentArtifact(Artifact):
    """A Python environment of its own, for what cannot live beside Airflow.

    Args:
        requirements: every package with its version, as a file of this checkout. A list that has changed makes another
            environment, beside the one that an older checkout uses.
        bytes: of the whole environment, for the progress display.
    """

    requirements: str
    bytes: int

    @property
    def folder(self) -> Path:
        """As of any part, with the list in its name."""
        listed = hashlib.sha256((PROJECT / self.requirements).read_bytes()).hexdigest()[:8]
        return cache() / "software" / f"{self.name}-{self.version}-{listed}"

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"


class Artifacts(BaseModel):
    """The whole list."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    maven: tuple[MavenArtifact, ...]
    pypi: tuple[PypiArtifact, ...]
    go: tuple[GoArtifact, ...]
    debian: tuple[DebianArtifact, ...]
    environment: tuple[EnvironmentArtifact, ...] = ()

    def __getitem__(self, name: str) -> Artifact:
        """The artifact of this name."""
        everything = (*self.maven, *self.pypi, *self.go, *self.debian, *self.environment)
        return next(artifact for artifact in everything if artifact.name == name)


@lru_cache(maxsize=1)
def artifacts() -> Artifacts:
    """The pinned list.

    Raises:
        InstallError: the list is malformed.
    """
    try:
        return Artifacts.model_validate(tomllib.loads(LIST.read_text()))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise InstallError(
            f"{LIST} is malformed: {error}", "restore it with `git checkout infra/artifacts.toml`"
        ) from error


def cache() -> Path:
    """The folder that all checkouts of this user share (``$XDG_CACHE_HOME/shoplake``)."""
    return platformdirs.user_cache_path("shoplake")
