"""The profile ``observe``: Prometheus, what it asks, and what shows it. docs/monitoring.md tells what each is for.

What collects the logs stands in ``collecting``.

Programs of Debian's packages, which not every machine can have (``artifacts.DebianArtifact``), but for the lake's own
exporter, which runs in this environment, and the one of Airflow's metrics, which is built from source.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from lake.runtime import collecting, orchestration, scrape, serve
from lake.runtime.artifacts import DebianArtifact, GoArtifact, artifacts
from lake.runtime.engines import http_ping, void
from lake.runtime.pair import Pair
from lake.runtime.service import Service, nothing
from lake.settings import settings

PROFILE = "observe"
NODE_COLLECTORS = (
    "cpu", "diskstats", "filefd", "filesystem", "loadavg", "meminfo", "netdev", "stat", "time", "timex",
    "uname", "vmstat",
)  # fmt: skip
"""What is asked of the machine: its load, memory, disks and clock; of the rest nothing here is made use of."""
NO_DISKS = (
    "^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|fusectl|hugetlbfs|mqueue|nsfs|proc|pstore"
    "|rpc_pipefs|securityfs|selinuxfs|squashfs|sysfs|tracefs)$"
)
"""File systems that do not fill. The exporter's own list has overlay too, which is a container's whole disk."""
MYSQL_COLLECTORS = ("binlog_size", "info_schema.innodb_metrics", "info_schema.processlist")
"""Beside what the exporter asks by itself: status, variables, and the replica's status."""

POSTGRES_COLLECTORS = (
    "--collector.long_running_transactions",
    # Of each of Airflow's tables: three quarters of all that it would say.
    "--no-collector.stat_user_tables",
    "--no-collector.statio_user_tables",
)


def services(pairs: Sequence[Pair]) -> list[Service]:
    """The exporters, and Prometheus after them.

    Args:
        pairs: the database servers that are watched.
    """
    exporters = [_lake(), _node(), _mysqld(pairs), _postgres(), _statsd()]
    logs = collecting.services()
    has = artifacts()
    left_out = {each.name for each in (*exporters, *logs) if not all(has[part].is_installed for part in each.parts)}
    if serve.PROFILE not in settings().profiles.split(","):
        left_out.add("api")  # which would count as down
    return [*exporters, *logs, _prometheus(pairs, left_out), _dashboards()]


def _prometheus(pairs: Sequence[Pair], left_out: set[str]) -> Service:
    config = settings()
    folder = _folder("prometheus")
    file = folder / "prometheus.yml"
    text = scrape.configuration(pairs, left_out)
    command = (
        _program("prometheus"),
        f"--config.file={file}",
        f"--storage.tsdb.path={folder}/data",
        f"--storage.tsdb.retention.time={config.metrics_days}d",
        f"--storage.tsdb.retention.size={config.metrics_mib}MB",
        f"--web.listen-address=127.0.0.1:{config.prometheus_port}",
        f"--web.external-url={config.prometheus_url}",
        f"--web.local-assets={_root()}/usr/share/prometheus/web/",
        "--log.level=warn",
    )
    return Service(
        name="prometheus",
        address=config.prometheus_url,
        ports=(config.prometheus_port,),
        command=command,
        # Files that changed are nothing that the supervisor would see.
        env={"CONFIGURATION_SHA256": scrape.fingerprint(text)},
        folder=folder,
        prepare=partial(scrape.write, file, text),
        ping=lambda: void(http_ping(f"{config.prometheus_url}/-/ready")),
        profile=PROFILE,
        parts=("prometheus",),
    )


def _lake() -> Service:
    port = settings().exporter_port
    return Service(
        name="exporter",
        address=f"http://127.0.0.1:{port}/metrics",
        ports=(port,),
        command=(sys.executable, "-m", "lake.commands", "exporter"),
        folder=_folder("exporter"),
        ping=lambda: void(http_ping(f"http://127.0.0.1:{port}/healthz")),
        profile=PROFILE,
    )


def _node() -> Service:
    chosen = (f"--collector.{name}" for name in NODE_COLLECTORS)
    return _exporter(
        "node-exporter",
        settings().node_exporter_port,
        (
            "--collector.disable-defaults",
            *chosen,
            f"--collector.filesystem.fs-types-exclude={NO_DISKS}",
            "--collector.filesystem.mount-points-exclude=^/(dev|proc|run|sys)($|/)",
        ),
    )


def _mysqld(pairs: Sequence[Pair]) -> Service:
    """One process for all servers: with each question it is told which one to ask."""
    return _exporter(
        "mysqld-exporter",
        settings().mysqld_exporter_port,
        ("--mysqld.username=exporter", *(f"--collect.{name}" for name in MYSQL_COLLECTORS)),
        env={"MYSQLD_EXPORTER_PASSWORD": settings().exporter_password.get_secret_value()},
        needs=tuple(name for pair in pairs for name in (pair.primary, pair.replica)),
        enter=partial(_let_in, pairs),
    )


def _let_in(pairs: Sequence[Pair]) -> None:
    for pair in pairs:
        pair.let_exporter_in()


def _postgres() -> Service:
    config = settings()
    return _exporter(
        "postgres-exporter",
        config.postgres_exporter_port,
        POSTGRES_COLLECTORS,
        env={
            "DATA_SOURCE_URI": f"127.0.0.1:{config.postgres_port}/airflow?sslmode=disable",
            "DATA_SOURCE_USER": "exporter",
            "DATA_SOURCE_PASS": config.exporter_password.get_secret_value(),
        },
        needs=("postgres",),
        enter=orchestration.let_exporter_in,
    )


def _statsd() -> Service:
    """Airflow's metrics: its processes send them, and do not wait for anybody to listen."""
    config = settings()
    program = artifacts()["statsd-exporter"]
    assert isinstance(program, GoArtifact)
    port = config.statsd_exporter_port
    command = (
        str(program.program),
        f"--web.listen-address=127.0.0.1:{port}",
        f"--statsd.listen-udp=127.0.0.1:{config.statsd_port}",
        "--statsd.listen-tcp=",
        "--log.level=warn",
    )
    return Service(
        name="statsd-exporter",
        address=f"http://127.0.0.1:{port}/metrics",
        ports=(port,),
        command=command,
        folder=_folder("statsd-exporter"),
        ping=lambda: void(http_ping(f"http://127.0.0.1:{port}/-/healthy")),
        profile=PROFILE,
        parts=(program.name,),
    )


def _dashboards() -> Service:
    """The page that draws Grafana's dashboards where there is no Grafana, which compose has under this name."""
    config = settings()
    return Service(
        name="dashboards",
        address=config.dashboards_url,
        ports=(config.dashboards_port,),
        command=(sys.executable, "-m", "lake.observe.pages"),
        folder=_folder("dashboards"),
        ping=lambda: void(http_ping(f"{config.dashboards_url}/healthz")),
        profile=PROFILE,
        parts=("uplot",),
    )


def _exporter(
    name: str,
    port: int,
    arguments: Sequence[str],
    env: Mapping[str, str] | None = None,
    needs: tuple[str, ...] = (),
    enter: Callable[[], None] = nothing,
) -> Service:
    """One of Debian's exporters; its own page answers without asking what it watches.

    Args:
        enter: makes the user as whom it asks; before it starts, since it may be asked at once, and with each `lake up`,
            since there may be a new server to ask.
    """
    address = f"127.0.0.1:{port}"
    return Service(
        name=name,
        address=f"http://{address}/metrics",
        ports=(port,),
        command=(_program(f"prometheus-{name}"), f"--web.listen-address={address}", "--log.level=warn", *arguments),
        env=env or {},
        folder=_folder(name),
        needs=needs,
        prepare=enter,
        settle=enter,
        ping=lambda: void(http_ping(f"http://{address}/")),
        profile=PROFILE,
        parts=("prometheus",),
    )


def _program(name: str) -> str:
    return f"{_root()}/usr/bin/{name}"


def _root() -> Path:
    part = artifacts()["prometheus"]
    assert isinstance(part, DebianArtifact)
    return part.folder


def _folder(name: str) -> Path:
    return settings().home / "data" / name
