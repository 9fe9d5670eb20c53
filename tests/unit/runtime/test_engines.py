"""The engines as this machine's processes."""

from __future__ import annotations

from pathlib import Path

from lake.runtime import engines


def test_java_keeps_out_of_the_folder_that_all_users_share() -> None:
    servers = [service for service in engines.services() if Path(service.command[0]).name == "java"]
    assert {service.name for service in servers} == {"nessie", "spark", "trino"}
    for service in servers:
        assert f"-Djava.io.tmpdir={service.folder}/scratch" in service.command, service.name
