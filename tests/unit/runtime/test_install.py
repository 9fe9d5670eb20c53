"""What the installer takes for good, and what it says when something is not."""

from __future__ import annotations

import hashlib
import io
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

from lake.errors import InstallError
from lake.runtime import fetch, install
from lake.runtime.artifacts import GoArtifact, MavenArtifact, PypiArtifact, artifacts


@pytest.fixture(autouse=True)
def cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = tmp_path / "shoplake"
    (folder / "downloads").mkdir(parents=True)
    (folder / "software").mkdir()
    return folder


def archive(**files: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as members:
        for name, text in files.items():
            members.writestr(name.replace("__", "/"), text)
    return stream.getvalue()


def zipped(content: bytes, **more: object) -> MavenArtifact:
    digest = hashlib.sha256(content).hexdigest()
    fields = {"name": "thing", "version": "1", "coordinates": "g:thing:1:zip", "sha256": digest, "bytes": len(content)}
    return MavenArtifact.model_validate(fields | more)


def downloaded(artifact: MavenArtifact, content: bytes, cache: Path) -> Path:
    file = cache / "downloads" / "thing-1" / artifact.file_name
    file.parent.mkdir()
    file.write_bytes(content)
    return file


def test_the_list_pins_every_part() -> None:
    pinned = artifacts()
    names = [artifact.name for artifact in (*pinned.maven, *pinned.pypi, *pinned.go)]
    assert len(names) == len(set(names)) == 16
    assert all(len(artifact.sha256) == 64 for artifact in (*pinned.maven, *pinned.pypi))
    assert all(artifact.sum.startswith("h1:") for artifact in pinned.go)


def test_what_only_a_benchmark_needs_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    names = {part.name for part in install.missing()}
    assert "mariadb" in names
    assert "mariadb-jdbc" not in names


@pytest.mark.parametrize(
    ("coordinates", "parts", "file_name"),
    [
        ("g:a:1", ("g", "a", "1", "jar", ""), "a-1.jar"),
        ("g:a:1:tar.gz", ("g", "a", "1", "tar.gz", ""), "a-1.tar.gz"),
        ("g:a:1:jar:runner", ("g", "a", "1", "jar", "runner"), "a-1-runner.jar"),
    ],
)
def test_coordinates(coordinates: str, parts: tuple[str, ...], file_name: str) -> None:
    artifact = zipped(b"", coordinates=coordinates)
    assert artifact.parts == parts
    assert artifact.file_name == file_name


def test_a_checked_download_is_unpacked_and_then_removed(cache_folder: Path) -> None:
    content = archive(**{"top__bin__tool": "#!", "top__org...name_notes": "n", "other": "o"})
    artifact = zipped(content, unpack="top", programs=("bin/*",))
    file = downloaded(artifact, content, cache_folder)
    with install._whole(artifact.folder) as folder:
        fetch.from_maven(artifact, folder)
    assert sorted(path.name for path in artifact.folder.rglob("*")) == ["bin", "org...name_notes", "tool"]
    assert (artifact.folder / "bin" / "tool").stat().st_mode & 0o111
    assert not file.exists()
    assert artifact.is_installed


def test_a_file_with_another_checksum_is_fetched_again(cache_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = archive(a="1")
    artifact = zipped(content, unpack="")
    downloaded(artifact, content[:-1], cache_folder)
    fetched = []

    def download(artifact: MavenArtifact, file: Path, tick: fetch.Tick) -> None:
        fetched.append(artifact.coordinates)
        file.write_bytes(content)

    monkeypatch.setattr(fetch, "_download", download)
    with install._whole(artifact.folder) as folder:
        fetch.from_maven(artifact, folder)
    assert fetched == ["g:thing:1:zip"]
    assert (artifact.folder / "a").read_text() == "1"


def test_a_download_with_another_checksum_is_refused(cache_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    artifact = zipped(b"what was pinned")

    def answers_something_else(what: str, command: list[str], **_: object) -> None:
        out = Path(command[command.index("-retrieve") + 1]).parent
        out.mkdir()
        (out / "thing.zip").write_bytes(b"something else")

    monkeypatch.setattr(fetch, "run", answers_something_else)
    with pytest.raises(InstallError, match=r"artifacts\.toml pins"), install._whole(artifact.folder) as folder:
        fetch.from_maven(artifact, folder)
    assert not artifact.is_installed
    assert list((cache_folder / "downloads").rglob("*.zip")) == []


def test_what_fails_half_way_leaves_nothing(cache_folder: Path) -> None:
    target = cache_folder / "software" / "thing-1"
    with pytest.raises(RuntimeError), install._whole(target) as folder:
        (folder / "half").touch()
        raise RuntimeError
    assert list((cache_folder / "software").iterdir()) == []


def test_a_failing_command_is_told_with_its_last_lines() -> None:
    script = "print('.' * 80); [print('line', i) for i in range(40)]; print('dial tcp: no route'); raise SystemExit(3)"
    with pytest.raises(InstallError) as caught:
        fetch.run("building thing", [sys.executable, "-c", script])
    assert "building thing failed (exit code 3)" in caught.value.what
    assert "line 39" in caught.value.what
    assert "line 20" not in caught.value.what
    assert "network" in caught.value.fix


def test_a_program_from_another_source_is_refused(cache_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    artifact = GoArtifact(name="tool", version="v1.0.0", package="example.org/tool", sum="h1:pinned=")

    def builds(what: str, command: list[str], env: dict[str, str]) -> None:
        program = Path(env["GOBIN"]) / "tool"
        program.touch()

    go = cache_folder / "go"
    go.write_text(
        "#!/bin/sh\nprintf '\\tpath\\texample.org/tool\\n\\tmod\\texample.org/tool\\tv1.0.0\\th1:other=\\n'\n"
    )
    go.chmod(0o755)
    monkeypatch.setattr(fetch, "run", builds)
    monkeypatch.setattr(fetch, "_go", lambda: (str(go), False))
    with pytest.raises(InstallError, match="another source"), install._whole(artifact.folder) as folder:
        fetch.from_go(artifact, folder)
    assert not artifact.is_installed


BUILDER = GoArtifact(name="made", version="v1", package="example.org/builder", sum="h1:b=", manifest="manifest.yaml")
RECORDED = {"builder": "mod\\texample.org/builder\\tv1\\th1:b=", "made": "dep\\texample.org/part\\tv2\\th1:p="}


@pytest.mark.parametrize(("version", "is_had"), [("v2", True), ("v3", False)])
def test_a_program_of_components_is_what_its_manifest_says(
    version: str, is_had: bool, cache_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Played: go installs the builder, and the builder writes the program where it is told to."""
    (cache_folder / "manifest.yaml").write_text(f"dist: {{}}\nreceivers: [{{gomod: example.org/part {version}}}]\n")

    def builds(what: str, command: list[str], env: dict[str, str]) -> None:
        if command[1] == "install":
            (Path(env["GOBIN"]) / "builder").touch()
            return
        told = yaml.safe_load(Path(command[1].removeprefix("--config=")).read_text())["dist"]
        program = Path(told["output_path"]) / told["name"]
        program.parent.mkdir()
        program.touch()

    go = cache_folder / "go"
    cases = "".join(f"*/{name}) printf '\\t{text}\\n';;\n" for name, text in RECORDED.items())
    go.write_text(f'#!/bin/sh\ncase "$3" in\n{cases}esac\n')
    go.chmod(0o755)
    monkeypatch.setattr(fetch, "PROJECT", cache_folder)
    monkeypatch.setattr(fetch, "run", builds)
    monkeypatch.setattr(fetch, "_go", lambda: (str(go), False))
    if is_had:
        with install._whole(BUILDER.folder) as folder:
            fetch.from_go(BUILDER, folder)
        assert [path.name for path in BUILDER.folder.iterdir()] == [BUILDER.program.name] == ["made"]
    else:
        with pytest.raises(InstallError, match="another source"), install._whole(BUILDER.folder) as folder:
            fetch.from_go(BUILDER, folder)
        assert not BUILDER.is_installed


@pytest.mark.parametrize(("answer", "is_enough"), [("go1.23.9", False), ("go1.24.1", True), ("go2.0", True)])
def test_an_old_compiler_is_not_used(
    answer: str, is_enough: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = tmp_path / "go"
    go.write_text(f"#!/bin/sh\necho 'go version {answer} linux/amd64'\n")
    go.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    wheel = artifacts()["go"]
    assert isinstance(wheel, PypiArtifact)
    assert fetch.machine_has(wheel) is is_enough


def test_a_program_that_is_asked_for_brings_its_compiler_where_the_machine_has_none(
    cache_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed: list[str] = []
    monkeypatch.setenv("PATH", str(cache_folder))
    monkeypatch.setattr(install, "_install_one", lambda part, progress: installed.append(part.name))
    install.ensure("statsd-exporter")
    assert installed == ["go", "statsd-exporter"]


def test_too_little_space_is_said_beforehand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install, "NEEDED_BYTES", 10**18)
    with pytest.raises(InstallError, match="GB free") as caught:
        install._check_machine()
    assert "XDG_CACHE_HOME" in caught.value.fix


def test_a_complete_installation_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    pinned = artifacts()
    for artifact in (*pinned.maven, *pinned.pypi, *pinned.go):
        artifact.folder.mkdir(parents=True)
    monkeypatch.setattr(install, "alone", pytest.fail)
    install.install()
