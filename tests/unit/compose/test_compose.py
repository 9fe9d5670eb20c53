"""docker-compose.yml beside the local runtime: the same services, ports, configuration and settings.

No Docker engine runs here, so this is what keeps the two forms of the platform from drifting apart.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from dotenv import dotenv_values
from pydantic import SecretStr

from lake.runtime import orchestration, scrape
from lake.runtime.artifacts import DebianArtifact, artifacts
from lake.runtime.engines import storage_environment
from lake.runtime.mysql import MySQL
from lake.runtime.service import CORE, Service
from lake.runtime.services import services
from lake.settings import PROJECT, Settings, settings

FILE = PROJECT / "docker-compose.yml"
INFRA = PROJECT / "infra"
OF_TESTS = {"second_port", "second_replica_port"}
"""Ports of servers that only tests start."""
BY_HAND = {"docs_port"}
"""Ports of what a person starts and ends at a terminal of the machine itself."""
BY_UDP = {"statsd_port"}
"""Ports that only other containers reach."""
ONE_SHOT = {"make-buckets", "prepare-trino", "airflow-migrate", "lake", "saved-searches"}
NOT_HERE = {"log-dashboards"}
"""OpenSearch Dashboards, which cannot be had by the local runtime: its page of the logs has the same searches."""
STATIC = ("airflow", "alertmanager", "minio", "nessie", "postgres", "prometheus", "spark", "trino", "valkey")
"""Folders of infra/ of which every container sees all; that of the database has a script for each of its two."""
SECRET = re.compile(r"\$\{(LAKE_\w+):\?[^}]+\}")
PORT = re.compile(r"127\.0\.0\.1:\$\{(LAKE_\w+_PORT):-(\d+)\}:(\d+)")
MADE_UP = "made-up"


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load(FILE.read_text())
    assert len(parsed["services"]) > len(ONE_SHOT)
    return parsed


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[dict[str, Service]]:
    """The local runtime with the settings' defaults but for the shop's server, whatever this machine has chosen."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"LAKE_{name.upper()}", raising=False)
    monkeypatch.setenv("LAKE_HOME", str(tmp_path))
    monkeypatch.setenv("LAKE_SHOP_SERVER", "mysql")
    for secret in _secrets():
        monkeypatch.setenv(secret, MADE_UP)
    settings.cache_clear()
    yield services()
    settings.cache_clear()


def _secrets() -> set[str]:
    return {f"LAKE_{name.upper()}" for name, field in Settings.model_fields.items() if field.annotation is SecretStr}


def _environment(service: dict[str, Any]) -> dict[str, str]:
    """What the process gets: files first, then what stands beside them."""
    found: dict[str, str] = {}
    for file in service.get("env_file", []):
        found |= {key: value or "" for key, value in dotenv_values(PROJECT / file).items()}
    return found | {key: str(value) for key, value in service.get("environment", {}).items()}


def _filled(value: str) -> str:
    """A value as it reads when the env file holds made-up secrets and nothing else."""
    return re.sub(r"\$\{LAKE_\w+:-([^}]*)\}", r"\1", SECRET.sub(MADE_UP, value))


def _mounted(service: dict[str, Any]) -> dict[Path, str]:
    """Files and folders of the checkout that the container sees, with where it sees them."""
    binds = [volume.split(":") for volume in service.get("volumes", []) if volume.startswith("./")]
    assert all(mode == ["ro"] for _, _, *mode in binds), "configuration is mounted read-only"
    return {PROJECT / source: target for source, target, _ in binds}


def test_it_fits_the_compose_schema() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(FILE)]
    result = subprocess.run(command, check=False, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_service_of_the_runtime_has_its_counterpart(compose: dict[str, Any], runtime: dict[str, Service]) -> None:
    assert set(runtime) | ONE_SHOT | NOT_HERE == set(compose["services"])


def test_profiles_are_those_of_the_runtime(compose: dict[str, Any], runtime: dict[str, Service]) -> None:
    for name, service in runtime.items():
        expected = [] if service.profile == CORE else [service.profile]
        assert compose["services"][name].get("profiles", []) == expected, name
    started = {name for name, service in compose["services"].items() if "profiles" not in service}
    for name in started:
        needed = set(compose["services"][name].get("depends_on", {}))
        assert needed <= started, f"{name} of the core waits for what a profile starts"


def test_ports_are_the_defaults_and_on_loopback(compose: dict[str, Any], runtime: dict[str, Service]) -> None:
    published: dict[str, str] = {}
    for name, service in runtime.items():
        ports = [PORT.fullmatch(port) for port in compose["services"][name].get("ports", [])]
        assert all(ports), f"{name} publishes something that is not 127.0.0.1:${{LAKE_…_PORT:-default}}:port"
        assert tuple(int(port[3]) for port in ports if port) == service.ports, name
        published |= {port[1]: port[2] for port in ports if port}
        assert all(port[2] == port[3] for port in ports if port), name
    fields = {
        f"LAKE_{name.upper()}": str(getattr(settings(), name))
        for name in set(Settings.model_fields) - OF_TESTS - BY_HAND - BY_UDP
        if name.endswith("_port")
    }
    assert published == fields
    assert not any(compose["services"][name].get("ports") for name in ONE_SHOT)


def test_prometheus_looks_at_services_where_they_listen(compose: dict[str, Any], runtime: dict[str, Service]) -> None:
    document = yaml.safe_load((INFRA / "prometheus" / "prometheus.yml").read_text())
    jobs = document["scrape_configs"]
    addresses = {address for job in jobs for address in scrape.addresses(job)}
    addresses |= set(document["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"])
    for address in addresses:
        name, port = address.split(":")
        assert int(port) in runtime[name].ports, address
    watched = {service for service in runtime if service.endswith("-exporter")} | {"exporter", "prometheus"}
    assert watched <= {address.split(":")[0] for address in addresses}


def test_settings_point_at_the_services(compose: dict[str, Any], runtime: dict[str, Service]) -> None:
    for name in ("airflow-scheduler", "airflow-migrate", "make-buckets", "lake"):
        environment = _environment(compose["services"][name])
        for field in set(Settings.model_fields) - OF_TESTS - BY_HAND:
            variable = f"LAKE_{field.upper()}"
            if field.endswith("_host"):
                port = environment[variable.replace("_HOST", "_PORT")]
                target = compose["services"][environment[variable]]
                assert any(published.endswith(f":{port}") for published in target["ports"]), f"{name}: {variable}"
            elif field.endswith("_port"):
                assert environment[variable] == str(getattr(settings(), field)), f"{name}: {variable}"
        known = {f"LAKE_{field.upper()}" for field in Settings.model_fields}
        assert {key for key in environment if key.startswith("LAKE_")} <= known, name
        for field in ("s3_access_key", "s3_region", "airflow_user"):
            assert environment[f"LAKE_{field.upper()}"] == getattr(settings(), field), f"{name}: {field}"


def test_airflow_has_the_environment_of_the_runtime(compose: dict[str, Any], runtime: dict[str, Service]) -> None:
    expected = orchestration.airflow_environment()
    elsewhere = {
        str(orchestration.airflow_home()): "/var/lib/lake/data/airflow",
        str(PROJECT): "/opt/shoplake",
        "127.0.0.1:25432": "postgres:25432",
        "http://127.0.0.1:28081/execution/": "http://airflow-api:28081/execution/",
        "spark-connect://127.0.0.1": "spark-connect://spark",
    }
    for here, there in elsewhere.items():
        expected = {key: value.replace(here, there) for key, value in expected.items()}
    # It listens inside its container, tells its metrics another, and finds its programs in the image.
    expected |= {"AIRFLOW__API__HOST": "0.0.0.0", "AIRFLOW__METRICS__STATSD_HOST": "statsd-exporter"}
    expected |= {"PATH": "/opt/shoplake/.venv/bin:/usr/local/bin:/usr/bin:/bin"}
    for name in (*orchestration.PARTS, "airflow-migrate"):
        environment = _environment(compose["services"][name])
        actual = {key: _filled(value) for key, value in environment.items() if not key.startswith(("LAKE_", "TZ"))}
        assert actual == expected, name


def test_airflow_runs_the_same_parts_and_watches_them(compose: dict[str, Any]) -> None:
    for name, arguments in orchestration.PARTS.items():
        service = compose["services"][name]
        assert service["command"] == ["airflow", *arguments]
        assert service["healthcheck"]["test"][1:] == [
            "/opt/shoplake/bin/airflow_healthy.py",
            orchestration.HEALTH_NAMES[name],
        ]


def test_servers_have_the_environment_of_the_runtime(compose: dict[str, Any], runtime: dict[str, Service]) -> None:
    hosts = {"127.0.0.1:29000": "minio:29000", "127.0.0.1:29120": "nessie:29120", f"{settings().home}/data/": "/data/"}
    hosts |= {f"{settings().home}/trino": "/var/lib/access"}
    own = {"BIND_ADDRESS", "NESSIE_VERSION_STORE_TYPE", "NESSIE_VERSION_STORE_PERSIST_ROCKS_DATABASE_PATH"}
    for name in ("minio", "nessie", "trino"):
        environment = {key: _filled(value) for key, value in _environment(compose["services"][name]).items()}
        for key, value in runtime[name].env.items():
            if key in own:
                continue
            for here, there in hosts.items():
                value = value.replace(here, there)
            assert environment.get(key) == value, f"{name}: {key}"
    assert set(storage_environment()) <= set(_environment(compose["services"]["nessie"]))


def test_every_configuration_file_is_mounted(compose: dict[str, Any]) -> None:
    for folder in STATIC:
        files = [file for file in (INFRA / folder).rglob("*") if file.is_file()]
        assert files, folder
        using = [
            service
            for name, service in compose["services"].items()
            if name.startswith(folder) and not name.endswith("-exporter")
        ]
        sources = [
            set(_mounted(service)) | {PROJECT / file for file in service.get("env_file", [])} for service in using
        ]
        for file in files:
            assert all({file, *file.parents} & seen for seen in sources), f"{folder} does not see {file.name}"
    assert {INFRA / "grafana" / "dashboards", INFRA / "grafana" / "provisioning"} == set(
        _mounted(compose["services"]["dashboards"])
    )
    for service in compose["services"].values():
        for source in [*_mounted(service), *(PROJECT / file for file in service.get("env_file", []))]:
            assert source.exists(), f"{source} does not exist"


def test_programs_are_started_alike(compose: dict[str, Any], runtime: dict[str, Service]) -> None:
    """What the runtime's command says that does not hold an address, a folder or a program of its own."""
    places = re.compile(r"127\.0\.0\.1|[\w.-]*(host|address|Address|dir|folder|path|data)[\w.-]*=|/|^-D?c?p?$")
    ours = {"exporter", "dashboards", "shipper"}  # the second is Grafana there
    watching = [name for name, service in runtime.items() if service.profile == "observe" and name not in ours]
    for name in ("spark", "nessie", "alertmanager", *watching):
        service = compose["services"][name]
        command = [*service.get("entrypoint", []), *service["command"]]
        for argument in runtime[name].command:
            if argument.endswith(".jar") or argument.startswith("--web.listen-address"):
                continue
            if places.search(argument):
                for file in re.findall(rf"{re.escape(str(INFRA))}/([\w./-]+)", argument):
                    mounted = _mounted(service)
                    targets = {
                        str(Path(target) / (INFRA / file).relative_to(source))
                        for source, target in mounted.items()
                        if (INFRA / file).is_relative_to(source)
                    }
                    expected = {argument.replace(str(INFRA / file), target) for target in targets}
                    assert expected & set(command), f"{name} is not told of {file}"
                continue
            assert argument.replace("$", "$$") in command, f"{name}: {argument}"
    assert compose["services"]["exporter"]["command"] == list(runtime["exporter"].command[3:])
    assert compose["services"]["shipper"]["command"] == list(runtime["shipper"].command[1:])
    names = [
        {argument.split("=")[1] for argument in command if argument.startswith("--conf=")}
        for command in (runtime["spark"].command, compose["services"]["spark"]["command"])
    ]
    assert names[0] == names[1], "spark's --conf"


def test_mysql_is_started_as_here(compose: dict[str, Any], runtime: dict[str, Service]) -> None:
    kept = ("--port", "--server-id", "--report-host", "--innodb-buffer-pool-size", "--read-only")
    for name in ("mysql-primary", "mysql-replica"):
        said = {argument for argument in runtime[name].command if argument.startswith(kept)}
        assert said == set(compose["services"][name]["command"])


def test_mysql_is_configured_as_mariadb_is() -> None:
    renamed = {
        "log_slave_updates": ("log_replica_updates", "1"),
        "innodb_log_file_size": ("innodb_redo_log_capacity", "256M"),
    }
    files: dict[str, dict[str, str]] = {}
    for server in ("mariadb", "mysql"):
        parser = ConfigParser(interpolation=None)
        parser.read(INFRA / server / "my.cnf")
        files[server] = dict(parser["mysqld"])
    expected = dict(renamed.get(name, (name, value)) for name, value in files["mariadb"].items())
    assert files["mysql"] == expected | {"gtid_mode": "ON", "enforce_gtid_consistency": "ON", "mysqlx": "0"}


def test_images_are_pinned_to_the_versions_of_the_runtime(compose: dict[str, Any]) -> None:
    pinned = {
        name: artifacts()[name].version for name in ("trino", "nessie", "alertmanager", "statsd-exporter", "opensearch")
    }
    for name, version in pinned.items():
        assert compose["services"][name]["image"].endswith(f":{version}")
    # Two nodes of the same, of which the runtime starts one twice.
    assert compose["services"]["search"]["image"] == compose["services"]["opensearch"]["image"]
    collector = artifacts()["otel-collector"].version.removeprefix("v")
    assert compose["services"]["otel-collector"]["image"].endswith(f":{collector}")
    for name, version in _of_debian().items():
        assert compose["services"][name]["image"].endswith(f":v{version}"), name
    for name, service in compose["services"].items():
        _assert_pinned(service["image"], name)
        if "build" in service:
            file = PROJECT / service["build"]["dockerfile"]
            bases = re.findall(r"^FROM (\S+)", file.read_text(), re.MULTILINE)
            assert bases, file
            for base in bases:
                _assert_pinned(base, str(file))
            assert file.with_name("Dockerfile.dockerignore").exists(), f"{file} would be sent the whole checkout"
    locked = (PROJECT / "requirements.txt").read_text()
    assert f"\npyspark=={compose['services']['spark']['image'].split(':')[1]}\n" in locked
    minio = (INFRA / "images" / "minio" / "Dockerfile").read_text()
    artifact = artifacts()["minio"]
    assert f"MINIO_VERSION={artifact.version}\n" in minio and f"MINIO_SUM={getattr(artifact, 'sum')}\n" in minio  # noqa: B009
    (uv,) = re.findall(r"^UV_VERSION := (\S+)$", (PROJECT / "Makefile").read_text(), re.MULTILINE)
    for image in ("lake", "spark"):
        assert f"UV_VERSION={uv}\n" in (INFRA / "images" / image / "Dockerfile").read_text()


def _of_debian() -> dict[str, str]:
    """Versions of what came as Debian's packages, as their authors count; nothing where they are not installed."""
    prometheus = artifacts()["prometheus"]
    assert isinstance(prometheus, DebianArtifact)
    if not prometheus.is_installed:
        return {}
    lines = (line.split() for line in prometheus.list_of_packages().read_text().splitlines())
    versions = {name: re.split(r"[+-]", version)[0] for name, version in lines}
    return {name.removeprefix("prometheus-"): versions[name] for name in prometheus.packages}


def _assert_pinned(image: str, where: str) -> None:
    tag = image.rpartition(":")[2] if ":" in image else ""
    assert tag != "latest" and re.search(r"\d", tag), f"{where}: {image} is not pinned"


def test_everything_is_watched_limited_and_restarted(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        limits = service["deploy"]["resources"]["limits"]
        assert limits["memory"] == service["mem_limit"], f"{name}: compose refuses two limits that differ"
        assert float(limits["cpus"]) > 0, name
        if name in ONE_SHOT:
            assert service["restart"] == "no" and "healthcheck" not in service, name
        else:
            assert service["restart"] == "unless-stopped", name
            assert {"test", "interval", "timeout", "retries", "start_period"} <= set(service["healthcheck"]), name


def test_java_fits_below_its_limit(compose: dict[str, Any]) -> None:
    heap = re.compile(r"^-Xmx(\d+)m$", re.MULTILINE | re.IGNORECASE)
    for name, default in (
        ("spark", "spark_memory_mib"),
        ("nessie", "nessie_memory_mib"),
        ("trino", "trino_memory_mib"),
        ("opensearch", "opensearch_memory_mib"),
        ("search", "search_memory_mib"),
    ):
        command = [*compose["services"][name]["command"]]
        command += compose["services"][name]["environment"].get("OPENSEARCH_JAVA_OPTS", "").split()
        files = [file.read_text() for file in (INFRA / name).glob("jvm.*")]
        (mib,) = heap.findall("\n".join([*command, *files]))
        assert int(mib) == Settings.model_fields[default].default, name
        limit, unit = re.fullmatch(r"(\d+)([mg])", compose["services"][name]["mem_limit"]).groups()  # type: ignore[union-attr]
        # Metaspace, compiled code, buffers and threads come on top of the heap.
        assert int(limit) * {"m": 1, "g": 1024}[unit] >= int(mib) + 512, name


def test_start_order_waits_for_what_is_needed(compose: dict[str, Any], runtime: dict[str, Service]) -> None:
    for name, service in compose["services"].items():
        for other, how in service.get("depends_on", {}).items():
            wanted = "service_completed_successfully" if other in ONE_SHOT else "service_healthy"
            assert how == {"condition": wanted}, f"{name} -> {other}"
    for name, service in runtime.items():
        for need in service.needs:
            assert need in _before(compose, name), f"{name} starts before {need}"
    assert {"mysql-primary", "minio", "nessie", "spark", "trino", "alertmanager"} <= _before(
        compose, "airflow-scheduler"
    )


def _before(compose: dict[str, Any], name: str) -> set[str]:
    direct = set(compose["services"][name].get("depends_on", {}))
    return direct.union(*(_before(compose, other) for other in direct))


def test_state_is_in_named_volumes(compose: dict[str, Any]) -> None:
    used = {
        volume.split(":")[0]
        for service in compose["services"].values()
        for volume in service.get("volumes", [])
        if not volume.startswith(("./", "/"))
    }
    assert used == set(compose["volumes"])


def test_secrets_are_asked_for_and_never_written(compose: dict[str, Any]) -> None:
    example = dotenv_values(PROJECT / ".env.example")
    assert set(example) == _secrets() and not any(example.values())
    asked: set[str] = set()
    for name, service in compose["services"].items():
        for key, value in _environment(service).items():
            asked |= set(SECRET.findall(value))
            if re.search(r"PASSWORD(?!S_FILE)|SECRET|FERNET|SQL_ALCHEMY_CONN", key):
                assert SECRET.search(value), f"{name}: {key} stands in the file"
    assert asked == _secrets()


def test_the_database_gives_the_rights_of_the_runtime() -> None:
    script = (INFRA / "mysql" / "primary.sh").read_text()
    granted = {
        (rights.strip(), user) for rights, user in re.findall(r"^GRANT (.+) ON \S+ TO (\w+);$", script, re.MULTILINE)
    }
    assert granted == {
        ("SELECT, SHOW VIEW", "lake_reader"),
        (MySQL.reader_rights, "lake_reader"),
        ("REPLICATION SLAVE", "replica"),
        (MySQL.exporter_rights, "exporter"),
        ("SELECT", "exporter"),
        ("ALL", "shop"),
    }


@pytest.mark.parametrize(
    "script", sorted(INFRA.glob("*/*.sh")) + sorted(INFRA.glob("images/*/*.sh")), ids=lambda f: f.name
)
def test_scripts_are_sound_bash(script: Path) -> None:
    result = subprocess.run(["bash", "-n", str(script)], check=False, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
