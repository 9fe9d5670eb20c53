"""Settings, secrets, ports, the supervisor's configuration, and the order of the start."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from configparser import RawConfigParser
from pathlib import Path

import pytest

from lake.errors import LakeError, ServiceError
from lake.runtime import ports, start, supervise
from lake.runtime.secrets import ensure_secrets
from lake.runtime.service import Service
from lake.runtime.services import service, services, with_needs
from lake.settings import settings


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A state directory of its own."""
    monkeypatch.setenv("LAKE_HOME", str(tmp_path))
    settings.cache_clear()
    yield tmp_path
    settings.cache_clear()


def fake(name: str, folder: Path, *, needs: tuple[str, ...] = (), **more: object) -> Service:
    return Service(name, "", (), ("true",), lambda: None, folder, needs=needs, **more)  # type: ignore[arg-type]


# -- secrets
def test_secrets_are_made_once_and_for_their_owner_only(home: Path) -> None:
    ensure_secrets()
    first = settings()
    assert all(
        getattr(first, name).get_secret_value()
        for name in ("shop_password", "s3_secret_key", "airflow_password", "airflow_fernet_key")
    )
    assert first.shop_password != first.source_password
    assert (home / "secrets.env").stat().st_mode & 0o777 == 0o600
    written = (home / "secrets.env").read_text()
    ensure_secrets()
    assert (home / "secrets.env").read_text() == written


def test_a_secret_of_the_environment_is_left_alone(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKE_SHOP_PASSWORD", "mine")
    settings.cache_clear()
    ensure_secrets()
    assert settings().shop_password.get_secret_value() == "mine"
    assert "LAKE_SHOP_PASSWORD" not in (home / "secrets.env").read_text()


def test_lost_secrets_are_not_replaced_beside_old_data(home: Path) -> None:
    (home / "data" / "postgres").mkdir(parents=True)
    with pytest.raises(ServiceError, match=r"secrets\.env is gone"):
        ensure_secrets()


# -- services and ports
def test_no_two_services_share_a_port(home: Path) -> None:
    taken = [port for each in services().values() for port in each.ports]
    assert len(taken) == len(set(taken)) == 26


def test_the_offset_moves_every_port(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKE_PORT_OFFSET", "0")
    settings.cache_clear()
    before = {port for each in services().values() for port in each.ports}
    monkeypatch.setenv("LAKE_PORT_OFFSET", "100")
    settings.cache_clear()
    assert {port for each in services().values() for port in each.ports} == {port + 100 for port in before}


def test_an_unknown_service_is_named_with_the_known_ones(home: Path) -> None:
    with pytest.raises(ServiceError, match="'mysql'") as caught:
        service("mysql")
    assert "mariadb-primary" in caught.value.fix


def test_a_taken_port_is_named_with_the_process_that_holds_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        wanted = Service("minio", "", (port,), (), lambda: None, tmp_path)
        with pytest.raises(ServiceError) as caught:
            ports.check_free([wanted])
    assert f"port {port} for minio is held by" in caught.value.what
    assert f"(pid {os.getpid()})" in caught.value.what
    assert "LAKE_PORT_OFFSET=100" in caught.value.fix
    ports.check_free([wanted])


# -- which server the shop runs on
def test_the_shop_s_server_and_the_one_beside_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKE_SHOP_SERVER", "mysql")
    monkeypatch.setenv("LAKE_SECOND_SERVER", "mariadb")
    settings.cache_clear()
    known = services()
    assert [name for name in known if "-" in name][:4] == [
        "mysql-primary", "mysql-replica", "mariadb-primary", "mariadb-replica",
    ]  # fmt: skip
    assert known["mysql-primary"].ports == (settings().shop_port,)
    assert known["mariadb-replica"].ports == (settings().second_replica_port,)


@pytest.mark.parametrize("remembered", [True, False], ids=["settings.env", "its data alone"])
def test_data_of_another_server_are_not_taken_for_the_shop_s(
    home: Path, monkeypatch: pytest.MonkeyPatch, remembered: bool
) -> None:
    (home / "data" / "mariadb-primary").mkdir(parents=True)
    if remembered:
        (home / "settings.env").write_text("LAKE_SHOP_SERVER=mariadb\n")
    monkeypatch.setenv("LAKE_SHOP_SERVER", "mysql")
    settings.cache_clear()
    with pytest.raises(ServiceError, match="was made with mariadb, and LAKE_SHOP_SERVER=mysql") as caught:
        services()
    assert "make clean" in caught.value.fix
    monkeypatch.delenv("LAKE_SHOP_SERVER")
    settings.cache_clear()
    assert "mariadb-primary" in services()


def test_the_same_server_twice_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKE_SECOND_SERVER", "mariadb")
    settings.cache_clear()
    with pytest.raises(ServiceError, match="LAKE_SECOND_SERVER=mariadb"):
        services()


def test_a_value_that_a_setting_does_not_take_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKE_SHOP_SERVER", "oracle")
    settings.cache_clear()
    with pytest.raises(LakeError, match=r"LAKE_SHOP_SERVER=oracle: .*'mariadb' or 'mysql'"):
        settings()


def test_some_services_come_with_what_they_need(home: Path) -> None:
    assert list(with_needs(["airflow-api", "minio"], services())) == ["minio", "postgres", "airflow-api"]
    with pytest.raises(ServiceError, match="'mino'"):
        with_needs(["mino"], services())


# -- the supervisor's configuration
def test_the_configuration_keeps_percent_signs_spaces_and_commas(home: Path) -> None:
    unusual = Service("odd", "", (), ("/bin/echo", "a b%"), lambda: None, home, env={"TEXT": "100%, 'so'"})
    parser = RawConfigParser()
    parser.read_string(supervise._configuration([unusual]))
    assert parser["program:odd"]["command"] == "/bin/echo 'a b%%'"
    assert parser["program:odd"]["environment"] == "TEXT=\"100%%, 'so'\""
    assert parser["unix_http_server"]["chmod"] == "0700"


def test_what_the_configuration_cannot_hold_is_refused(home: Path) -> None:
    with pytest.raises(ServiceError, match="TEXT of odd"):
        supervise._configuration([Service("odd", "", (), ("true",), lambda: None, home, env={"TEXT": 'a "b"'})])


def test_a_state_directory_too_deep_for_a_socket_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKE_HOME", str(tmp_path / ("deep" * 30)))
    settings.cache_clear()
    try:
        with pytest.raises(ServiceError, match="107 characters") as caught:
            supervise.start([])
        assert "LAKE_HOME" in caught.value.fix
    finally:
        settings.cache_clear()


# -- the order of the start
@pytest.fixture
def without_supervisor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervise, "is_running", lambda: True)
    monkeypatch.setattr(supervise, "start", lambda services: None)
    monkeypatch.setattr(supervise, "processes", dict)


def test_services_start_together_unless_one_needs_another(
    home: Path, without_supervisor: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    both_started = threading.Barrier(2, timeout=5)
    healthy: list[str] = []

    def start_one(each: Service, given_up: threading.Event) -> None:
        if each.name in ("postgres", "minio"):
            both_started.wait()
        healthy.append(each.name)

    monkeypatch.setattr(start, "start_one", start_one)
    start.start_all(
        {
            "airflow": fake("airflow", home, needs=("postgres",)),
            "postgres": fake("postgres", home),
            "minio": fake("minio", home),
        }
    )
    assert sorted(healthy) == ["airflow", "minio", "postgres"]
    assert healthy.index("airflow") > healthy.index("postgres")


def test_what_needs_a_failed_service_is_not_started(
    home: Path, without_supervisor: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[str] = []

    def start_one(each: Service, given_up: threading.Event) -> None:
        started.append(each.name)
        raise ServiceError(f"{each.name} ended", f"look at `lake logs {each.name}`")

    monkeypatch.setattr(start, "start_one", start_one)
    told: list[tuple[str, str]] = []
    with pytest.raises(ServiceError, match="postgres ended"):
        start.start_all(
            {"airflow": fake("airflow", home, needs=("postgres",)), "postgres": fake("postgres", home)},
            lambda name, state: told.append((name, state)),
        )
    assert started == ["postgres"]
    assert told == [("postgres", "starting"), ("postgres", "failed")]


def test_what_a_new_configuration_stopped_is_started_again_though_nobody_asked(
    home: Path, without_supervisor: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`lake up minio` with a new receiver would leave no Alertmanager."""
    alive = {name: supervise.Process(name, "RUNNING", 1, "") for name in ("alertmanager", "postgres")}
    monkeypatch.setattr(supervise, "processes", lambda: dict(alive))
    monkeypatch.setattr(supervise, "start", lambda services: alive.pop("alertmanager"))
    started: list[str] = []
    monkeypatch.setattr(start, "start_one", lambda each, given_up: started.append(each.name))
    known = {name: fake(name, home) for name in ("alertmanager", "postgres", "minio", "spark")}
    start.start_all(known, wanted={"minio"})
    assert sorted(started) == ["alertmanager", "minio"]


def test_a_process_that_ends_is_told_at_once_with_its_log(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "logs").mkdir()
    (home / "logs" / "minio.log").write_text("disk is on fire\n")
    states = iter([supervise.Process("minio", "RUNNING", 1, ""), supervise.Process("minio", "FATAL", None, "exited")])
    monkeypatch.setattr(supervise, "processes", lambda: {"minio": next(states)})
    with pytest.raises(ServiceError, match="disk is on fire") as caught:
        start.start_one(fake("minio", home), threading.Event())
    assert "minio ended (exited)" in caught.value.what


def test_a_service_that_never_answers_is_given_up(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKE_START_PATIENCE_SECONDS", "0")
    settings.cache_clear()
    monkeypatch.setattr(supervise, "processes", lambda: {"minio": supervise.Process("minio", "RUNNING", 1, "")})

    def refuses() -> None:
        raise ConnectionRefusedError("nobody there")

    silent = Service("minio", "", (), ("true",), refuses, home)
    with pytest.raises(ServiceError, match="nobody there"):
        start.start_one(silent, threading.Event())


def test_a_failure_ends_the_waiting_for_the_others(
    home: Path, without_supervisor: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    states = {
        "primary": supervise.Process("primary", "FATAL", None, "exited"),
        "replica": supervise.Process("replica", "RUNNING", 1, ""),
    }
    monkeypatch.setattr(supervise, "processes", lambda: states)
    monkeypatch.setattr(supervise, "start_process", lambda name: None)

    def refuses() -> None:
        raise ConnectionRefusedError("nobody there")

    replica = Service("replica", "", (), ("true",), refuses, home)
    with pytest.raises(ServiceError, match="primary ended") as caught:
        start.start_all({"primary": fake("primary", home), "replica": replica})
    assert "replica" not in caught.value.what
