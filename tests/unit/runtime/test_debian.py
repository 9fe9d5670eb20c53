"""Packages of another release of Debian: which mirror is asked, what is kept, and a machine that cannot have them.

The programs of Debian are played by scripts, so that this runs on any machine.
"""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

import pytest
from rich.console import Console

from lake.errors import InstallError
from lake.runtime import artifacts as listed
from lake.runtime import debian, install
from lake.runtime.artifacts import Artifacts, DebianArtifact
from tests.parts import part

THING = DebianArtifact(name="thing", version="sid", packages=("thing", "part"), programs=(), bytes=10)
APT = r"""#!/bin/sh
work=$(dirname "${1#--config-file=}")
case "$*" in
    *--print-uris*)
        echo "'vendor://archive/dists/bookworm/InRelease' vendor 0"
        echo "'debian://archive/dists/bookworm/InRelease' debian 0"
        echo "'debian://archive/dists/bookworm-updates/InRelease' updates 0" ;;
    *update*)
        cat "$work/sources.list" >> "$ASKED"
        grep -q debian:// "$work/sources.list" || { echo "E: no Release file"; exit 100; } ;;
    *install*)
        for name in thing part; do touch "$work/cache/archives/${name}_1.0_amd64.deb"; done ;;
esac
"""
DPKG = r"""#!/bin/sh
mkdir -p "$3/usr" && basename "$2" > "$3/usr/$(basename "$2" _1.0_amd64.deb)"
"""
DPKG_DEB = r"""#!/bin/sh
printf '%s\t1:1.0-2\n' "$(basename "$2" _1.0_amd64.deb)"
"""


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with Debian's programs, and the file in which its apt writes what it was asked for."""
    for name, script in (("apt-get", APT), ("dpkg", DPKG), ("dpkg-deb", DPKG_DEB)):
        program = tmp_path / name
        program.write_text(script)
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("ASKED", str(tmp_path / "asked"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    THING.folder.parent.mkdir(parents=True)
    return tmp_path / "asked"


def test_the_mirror_that_has_the_release_is_asked_and_all_packages_are_kept(asked: Path) -> None:
    with install._whole(THING.folder) as folder:
        debian.from_debian(THING, folder)
    asked_for = [line.split("] ")[1] for line in asked.read_text().splitlines()]
    assert asked_for == ["vendor://archive sid main", "debian://archive sid main"]
    assert sorted(path.name for path in (THING.folder / "usr").iterdir()) == ["part", "thing"]
    assert THING.installed_version == "1:1.0-2"
    assert sorted(path.name for path in THING.folder.iterdir()) == ["packages.txt", "usr"]


def test_links_to_places_of_a_whole_machine_lead_into_the_root(tmp_path: Path) -> None:
    (tmp_path / "etc" / "thing").mkdir(parents=True)
    (tmp_path / "etc" / "thing" / "conf").write_text("ours")
    (tmp_path / "usr" / "lib").mkdir(parents=True)
    for name, target in (("conf", "/etc/thing/conf"), ("folder", "/etc/thing"), ("made-later", "/etc/thing/none")):
        (tmp_path / "usr" / "lib" / name).symlink_to(target)
    debian._lead_into_the_root(tmp_path)
    moved = tmp_path.rename(tmp_path.with_name("elsewhere"))
    assert (moved / "usr/lib/conf").read_text() == (moved / "usr/lib/folder/conf").read_text() == "ours"
    assert (moved / "usr/lib/made-later").readlink() == Path("/etc/thing/none")


def test_java_runs_in_its_root() -> None:
    part("java")
    java = listed.artifacts()["java"]
    assert isinstance(java, DebianArtifact)
    asked = [str(java.folder / java.programs[0]), "-version"]
    assert 'openjdk version "21' in subprocess.run(asked, check=True, capture_output=True, text=True, timeout=30).stderr


def test_a_release_that_no_mirror_has_is_told_with_what_apt_said(asked: Path, tmp_path: Path) -> None:
    apt = tmp_path / "apt-get"
    apt.write_text(APT.replace("grep -q debian://", "grep -q nowhere://"))
    with pytest.raises(InstallError, match="no Release file") as caught, install._whole(THING.folder) as folder:
        debian.from_debian(THING, folder)
    assert caught.value.what.splitlines()[0] == "Debian sid cannot be had from this machine's mirrors"
    assert not THING.is_installed


def test_a_machine_without_apt_is_set_up_without_the_part_and_one_line_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(install, "artifacts", lambda: Artifacts(maven=(), pypi=(), go=(), debian=(THING,)))
    said = io.StringIO()
    install.install_what_can_be_had(Console(file=said, width=200))
    assert said.getvalue().splitlines()[-1] == (
        "thing is left out, and the tests that need it are skipped: "
        "thing comes as packages of Debian, and this machine has no apt-get"
    )


def test_the_list_has_mysql() -> None:
    mysql = listed.artifacts()["mysql"]
    assert isinstance(mysql, DebianArtifact)
    assert mysql.folder.name == "mysql-sid"


def test_every_program_of_prometheus_runs_in_its_root() -> None:
    prometheus = listed.artifacts()["prometheus"]
    assert isinstance(prometheus, DebianArtifact)
    if not prometheus.is_installed:
        pytest.skip("missing part: prometheus is not installed; `make setup` says why")
    for program in prometheus.programs:
        asked = [str(prometheus.folder / program), "--version"]
        said = subprocess.run(asked, check=True, capture_output=True, text=True, timeout=30)
        assert "version " in said.stdout + said.stderr, program
