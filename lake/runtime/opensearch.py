"""A node of OpenSearch: one keeps the logs, another searches the shop's products. Each is a cluster of its own."""

from __future__ import annotations

import os
import shutil
from functools import partial
from pathlib import Path

from lake.runtime.artifacts import DebianArtifact, artifacts
from lake.runtime.engines import http_ping, void
from lake.runtime.service import COMPLETE, Service, own_by_unprivileged
from lake.settings import PROJECT, settings

CONFIG = PROJECT / "infra" / "opensearch"
FILES = ("opensearch.yml", "jvm.options", "log4j2.properties")
JAVA = "usr/lib/jvm/java-21-openjdk-amd64"
PARTS = ("opensearch", "java")


def node(name: str, port: int, memory_mib: int, profile: str) -> Service:
    """One node.

    Args:
        name: of the service, and of the node.
        port: of its HTTP interface, on loopback.
        memory_mib: of its heap; the process takes some 300 MiB more.
        profile: that starts it.
    """
    folder = settings().home / "data" / name
    java = artifacts()["java"]
    assert isinstance(java, DebianArtifact)
    address = f"http://127.0.0.1:{port}"
    given = {
        "cluster.name": "shoplake",
        "node.name": name,
        "path.data": f"{folder}/data",
        "path.logs": f"{folder}/logs",
        "network.host": "127.0.0.1",
        "http.port": str(port),
    }
    return Service(
        name=name,
        address=address,
        ports=(port,),
        command=(
            f"{artifacts()['opensearch'].folder}/bin/opensearch",
            *(f"-E{setting}={value}" for setting, value in given.items()),
        ),
        env={
            "OPENSEARCH_JAVA_HOME": str(java.folder / JAVA),
            "OPENSEARCH_JAVA_OPTS": f"-Xms{memory_mib}m -Xmx{memory_mib}m",
            "OPENSEARCH_PATH_CONF": str(folder / "config"),
            "OPENSEARCH_TMPDIR": str(folder / "scratch"),
        },
        reads=tuple(CONFIG / file for file in FILES),
        folder=folder,
        prepare=partial(_prepare, folder),
        ping=lambda: void(http_ping(f"{address}/_cluster/health?wait_for_status=yellow&timeout=3s")),
        refuses_root=True,
        asks_rights=True,
        profile=profile,
        parts=PARTS,
    )


def _prepare(folder: Path) -> None:
    """Give a node a folder that it may write, with a copy of its configuration; it adds a keystore to that."""
    if not (folder / COMPLETE).exists():
        own_by_unprivileged(folder)
        (folder / COMPLETE).touch()
    for name in ("config", "scratch"):
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name).mkdir()
    for file in FILES:
        shutil.copy(CONFIG / file, folder / "config")
    if os.geteuid() == 0:
        owner = folder.stat()
        for path in (folder / "scratch", folder / "config", *(folder / "config").rglob("*")):
            os.chown(path, owner.st_uid, owner.st_gid)
