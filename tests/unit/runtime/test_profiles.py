"""Profiles: what a name starts, what is remembered, and a machine that cannot have a part."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from lake.commands import services as commands
from lake.errors import InstallError, ServiceError
from lake.runtime import profiles, start, supervise
from lake.runtime.service import CORE, Service
from lake.runtime.services import services
from lake.settings import settings


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A state directory of its own, in which nobody has chosen anything."""
    monkeypatch.setenv("LAKE_HOME", str(tmp_path))
    monkeypatch.delenv("LAKE_PROFILES", raising=False)
    settings.cache_clear()
    yield tmp_path
    settings.cache_clear()


def of(*names: str) -> set[str]:
    """The services of these profiles."""
    return {name for name, service in services().items() if service.profile in names}


def test_without_a_name_the_core_is_started() -> None:
    assert set(profiles.wanted([], services())) == of(CORE)
    assert {"alertmanager", "airflow-api"} <= of(CORE)


def test_a_profile_is_started_beside_the_core_and_remembered(home: Path) -> None:
    assert set(profiles.wanted(["observe"], services())) == of(CORE, "observe")
    profiles.add(["observe"], services())
    profiles.add(["observe"], services())
    assert "LAKE_PROFILES=observe\n" in (home / "settings.env").read_text()
    assert set(profiles.wanted([], services())) == of(CORE, "observe")
    assert set(profiles.wanted(["core"], services())) == of(CORE)
    profiles.forget(["observe"], services())
    assert set(profiles.wanted([], services())) == of(CORE)


def test_the_api_is_started_beside_the_core_and_needs_no_cache() -> None:
    assert set(profiles.wanted(["serve"], services())) == of(CORE, "serve")
    assert of("serve") == {"api", "search", "valkey"}
    assert set(profiles.wanted(["api"], services())) == {"api", "nessie", "trino"}


def test_a_service_is_started_with_what_it_needs_alone() -> None:
    assert list(profiles.wanted(["prometheus"], services())) == ["prometheus"]
    with_servers = ["mariadb-primary", "mariadb-replica", "mysqld-exporter"]
    assert list(profiles.wanted(["mysqld-exporter"], services())) == with_servers


def test_names_that_do_not_exist_are_told_with_those_that_do(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ServiceError, match="no service or profile 'observ'") as caught:
        profiles.wanted(["observ"], services())
    assert "prometheus" in caught.value.fix and caught.value.fix.endswith("the profiles are core, observe, bi, serve")
    with pytest.raises(ServiceError, match="no profile 'prometheus'"):
        profiles.forget(["prometheus"], services())
    monkeypatch.setenv("LAKE_PROFILES", "observe,bee")
    settings.cache_clear()
    with pytest.raises(ServiceError, match="LAKE_PROFILES=observe,bee: there is no profile 'bee'"):
        profiles.wanted([], services())


# -- a machine that cannot have a part
@pytest.fixture
def without_debian(monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    """A machine that has the core and no apt; what `lake up` would start, each time."""
    started: list[set[str]] = []

    def ensure(part: str) -> None:
        if part in ("prometheus", "java"):
            raise InstallError(f"{part} comes as packages of Debian, and this machine has no apt-get\nmore", "")

    monkeypatch.setattr(profiles, "ensure", ensure)
    for name in ("install", "ensure", "install_reader"):
        monkeypatch.setattr(commands, name, lambda *_: None)
    monkeypatch.setattr(start, "start_all", lambda known, report, wanted: started.append(wanted))
    monkeypatch.setattr(supervise, "processes", dict)
    return started


def test_what_a_machine_cannot_have_is_left_out_by_name_and_the_rest_is_started(
    without_debian: list[set[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    commands.up(["observe"])
    (started,) = without_debian
    assert started == of(CORE) | {"exporter", "statsd-exporter", "dashboards"}
    said = capsys.readouterr().out.splitlines()
    reason = "comes as packages of Debian, and this machine has no apt-get"
    of_java = ["opensearch", "shipper", "otel-collector"]
    assert [line for line in said if "is left out" in line] == [
        f"{name} is left out: {'java' if name in of_java else 'prometheus'} {reason}"
        for name in ("node-exporter", "mysqld-exporter", "postgres-exporter", *of_java, "prometheus")
    ]


def test_all_profiles_are_started_and_remembered(without_debian: list[set[str]], home: Path) -> None:
    commands.up(None, all_=True)
    assert "exporter" in without_debian[0] and "minio" in without_debian[0]
    assert profiles.chosen(services()) == profiles.all_of(services()) == ["observe", "bi", "serve"]


def test_the_core_is_started_without_a_look_at_the_parts_of_profiles(
    without_debian: list[set[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(profiles, "ensure", pytest.fail)
    commands.up([])
    assert without_debian == [of(CORE)]


def test_a_service_that_is_asked_for_by_name_and_cannot_be_had_is_an_error(without_debian: list[set[str]]) -> None:
    with pytest.raises(InstallError, match=r"node-exporter cannot be started: .* no apt-get"):
        commands.up(["node-exporter"])
    assert without_debian == []


# -- what is shown
def test_the_status_has_the_profiles_that_are_started(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(supervise, "processes", dict)
    monkeypatch.setattr(profiles, "lacks", lambda service: service.name == "prometheus")
    assert {row["profile"] for row in commands.statuses()} == {CORE}
    profiles.add(["observe"], services())
    commands.status(json_=True)
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert set(rows) == of(CORE, "observe")
    assert (rows["prometheus"]["profile"], rows["prometheus"]["state"]) == ("observe", "left out")
    assert (rows["minio"]["profile"], rows["node-exporter"]["state"]) == (CORE, "stopped")
    assert rows["prometheus"]["address"] == settings().prometheus_url


def test_the_table_sums_the_memory_of_each_profile_and_names_those_that_do_not_run(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def row(name: str, profile: str, gib: float) -> commands.Status:
        size = int(gib * 1024**3)
        return commands.Status(name=name, profile=profile, address="", state="healthy", pid=1, memory_bytes=size)

    both = [row("a", CORE, 1.5), row("b", CORE, 0.5), row("c", "observe", 0.3)]
    commands.print_status(both)
    said = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["core", "2.0", "GiB"] in said and ["observe", "0.3", "GiB"] in said
    commands.print_status(both[:2])
    assert "observe is not started: `lake up observe`" in capsys.readouterr().out


def test_stopping_a_profile_leaves_the_core_alone(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    running = {name: supervise.Process(name, "RUNNING", 1, "") for name in services()}
    stopped: list[str] = []
    monkeypatch.setattr(supervise, "processes", lambda: running)
    monkeypatch.setattr(supervise, "stop_process", stopped.append)
    profiles.add(["observe"], services())
    commands.down(["observe"])
    assert set(stopped) == of("observe")
    assert profiles.chosen(services()) == []


def test_a_start_with_a_profile_changes_nothing_of_the_core(home: Path) -> None:
    def configured(known: dict[str, Service]) -> dict[str, tuple[object, object]]:
        return {name: (each.command, each.env) for name, each in known.items() if each.profile == CORE}

    before = configured(services())
    profiles.add(["observe"], services())
    assert configured(services()) == before
