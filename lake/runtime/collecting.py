"""The way of the logs, in the profile ``observe``: a collector reads the files of all services, the shipper puts what
it has read into OpenSearch. docs/logging.md tells what each does where another is away.
"""

from __future__ import annotations

import os
import shutil
import sys
from functools import partial
from pathlib import Path

from lake.logs.span_folder import ENDING
from lake.logs.span_folder import folder as traces
from lake.runtime.artifacts import DebianArtifact, GoArtifact, artifacts
from lake.runtime.engines import http_ping, void
from lake.runtime.orchestration import airflow_home
from lake.runtime.service import COMPLETE, Service, own_by_unprivileged
from lake.settings import PROJECT, settings

INFRA = PROJECT / "infra"
PROFILE = "observe"
JAVA = "usr/lib/jvm/java-21-openjdk-amd64"


def services() -> list[Service]:
    """In the reverse order of the way: nothing is read before there is somewhere to put it."""
    return [_opensearch(), _shipper(), _collector()]


def _opensearch() -> Service:
    config = settings()
    folder = config.home / "data" / "opensearch"
    java = artifacts()["java"]
    assert isinstance(java, DebianArtifact)
    given = {
        "cluster.name": "shoplake",
        "node.name": "opensearch",
        "path.data": f"{folder}/data",
        "path.logs": f"{folder}/logs",
        "network.host": "127.0.0.1",
        "http.port": str(config.opensearch_port),
    }
    return Service(
        name="opensearch",
        address=config.opensearch_url,
        ports=(config.opensearch_port,),
        command=(
            f"{artifacts()['opensearch'].folder}/bin/opensearch",
            *(f"-E{name}={value}" for name, value in given.items()),
        ),
        env={
            "OPENSEARCH_JAVA_HOME": str(java.folder / JAVA),
            "OPENSEARCH_JAVA_OPTS": f"-Xms{config.opensearch_memory_mib}m -Xmx{config.opensearch_memory_mib}m",
            "OPENSEARCH_PATH_CONF": str(folder / "config"),
            "OPENSEARCH_TMPDIR": str(folder / "scratch"),
        },
        reads=tuple(INFRA / "opensearch" / name for name in ("opensearch.yml", "jvm.options", "log4j2.properties")),
        folder=folder,
        prepare=partial(_prepare_opensearch, folder),
        ping=lambda: void(http_ping(f"{config.opensearch_url}/_cluster/health?wait_for_status=yellow&timeout=3s")),
        refuses_root=True,
        asks_rights=True,
        profile=PROFILE,
        parts=("opensearch", "java"),
    )


def _prepare_opensearch(folder: Path) -> None:
    """Give OpenSearch a folder that it may write, with a copy of its configuration; it adds a keystore to that."""
    if not (folder / COMPLETE).exists():
        own_by_unprivileged(folder)
        (folder / COMPLETE).touch()
    for name in ("config", "scratch"):
        shutil.rmtree(folder / name, ignore_errors=True)
    beside = shutil.ignore_patterns("logs", "spans", "searches.toml")
    shutil.copytree(INFRA / "opensearch", folder / "config", ignore=beside)
    (folder / "scratch").mkdir()
    if os.geteuid() == 0:
        owner = folder.stat()
        for path in (folder / "scratch", folder / "config", *(folder / "config").rglob("*")):
            os.chown(path, owner.st_uid, owner.st_gid)


def _shipper() -> Service:
    port = settings().shipper_port
    return Service(
        name="shipper",
        address=f"http://127.0.0.1:{port}/metrics",
        ports=(port,),
        command=(sys.executable, "-m", "lake.observe.shipper"),
        # It puts the templates in place when it starts.
        reads=(INFRA / "opensearch" / "logs", INFRA / "opensearch" / "spans"),
        folder=settings().home / "data" / "shipper",
        # Where OpenSearch cannot be had, nothing is to be shipped.
        needs=("opensearch",),
        ping=lambda: void(http_ping(f"http://127.0.0.1:{port}/readyz")),
        profile=PROFILE,
        parts=("opensearch", "java"),
    )


def _collector() -> Service:
    config = settings()
    program = artifacts()["otel-collector"]
    assert isinstance(program, GoArtifact)
    folder = config.home / "data" / "otel-collector"
    return Service(
        name="otel-collector",
        address=f"http://127.0.0.1:{config.collector_port}/metrics",
        ports=(config.collector_port,),
        command=(str(program.program), f"--config={INFRA}/otel/collector.yaml"),
        env={
            "SERVICE_LOGS": f"{config.home}/logs/*.log*",
            "TASK_LOGS": f"{airflow_home()}/logs/dag_id=*/**/*.log",
            "SPANS": f"{traces()}/*{ENDING}",
            "SLOW_LOGS": f"{config.home}/data/*/slow.log",
            "SHIPPER": f"http://127.0.0.1:{config.shipper_port}",
            "STORAGE": str(folder / "queue"),
            "METRICS_HOST": "127.0.0.1",
            "METRICS_PORT": str(config.collector_port),
        },
        reads=(INFRA / "otel",),
        folder=folder,
        prepare=lambda: (folder / "queue").mkdir(exist_ok=True),
        needs=("shipper",),
        ping=lambda: void(http_ping(f"http://127.0.0.1:{config.collector_port}/metrics")),
        profile=PROFILE,
        parts=("otel-collector", "opensearch", "java"),
    )
