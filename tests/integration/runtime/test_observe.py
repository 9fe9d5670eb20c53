"""Prometheus beside the suite's database servers: it finds each of them, and who asks them may read no data."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pymysql
import pytest
from pymysql.constants import ER
from tenacity import Retrying, stop_after_delay, wait_fixed

from lake.runtime import profiles, supervise
from lake.runtime.services import pairs, services
from lake.settings import PROJECT, settings

STARTED = ("node-exporter", "mysqld-exporter", "prometheus")
APPLYING = "mysql_slave_status_slave_sql_running or mysql_slave_status_replica_sql_running"
"""The exporter calls it as the server does: MariaDB's word, MySQL's word."""


@pytest.fixture(scope="module")
def observing(servers: None) -> Iterator[None]:
    """Started as people do, and stopped afterwards, unless they ran before."""
    if profiles.lacks(services()["prometheus"]):
        pytest.skip("missing part: prometheus is not installed; `make setup` says why")
    before = {name for name, process in supervise.processes().items() if process.state in supervise.ALIVE}
    command = [sys.executable, "-m", "lake.commands", "up", *STARTED]
    subprocess.run(command, cwd=PROJECT, env=dict(os.environ), check=True, timeout=300)
    settings.cache_clear()
    yield
    for name in set(STARTED) - before:
        supervise.stop_process(name)


def asked(expression: str) -> dict[str, float]:
    """What Prometheus answers, by the service that it is about."""
    answer = httpx.get(
        f"{settings().prometheus_url}/api/v1/query", params={"query": expression}, timeout=10, trust_env=False
    )
    found: list[dict[str, Any]] = answer.raise_for_status().json()["data"]["result"]
    return {each["metric"]["instance"]: float(each["value"][1]) for each in found}


def test_every_server_and_the_machine_are_seen(observing: None) -> None:
    primaries, replicas = {pair.primary for pair in pairs()}, {pair.replica for pair in pairs()}
    up = dict.fromkeys(primaries | replicas, 1.0)
    for attempt in Retrying(stop=stop_after_delay(90), wait=wait_fixed(1), reraise=True):
        with attempt:
            looked_at = asked('up{job=~"mysql|node|prometheus"}')
            assert looked_at == up | {"node-exporter": 1, "prometheus": 1}
            assert asked("mysql_up") == up
            assert asked(APPLYING) == dict.fromkeys(replicas, 1.0)
    assert asked("mysql_exporter_collector_success == 0") == {}
    assert asked("node_scrape_collector_success == 0") == {}
    assert set(asked('mysql_up{role="primary"}')) == primaries
    assert min(asked("mysql_global_variables_max_connections").values()) > 0
    assert asked("max by (instance) (node_filesystem_avail_bytes)")["node-exporter"] > 0


def test_the_exporter_s_user_reads_no_data(observing: None, replica_port: int, server: Any) -> None:
    password = settings().exporter_password.get_secret_value()
    for port in (server.port, replica_port):
        with pymysql.connect(host="127.0.0.1", port=port, user="exporter", password=password) as connection:
            cursor = connection.cursor()
            cursor.execute("SHOW REPLICA STATUS")
            cursor.execute("SELECT schema_name FROM information_schema.schemata")
            # Neither server shows a schema on which one has no right.
            names = {str(name).lower() for (name,) in cursor.fetchall()}
            assert names == {"information_schema", "performance_schema"}
            with pytest.raises(pymysql.err.OperationalError) as refused:
                cursor.execute("SELECT * FROM mysql.user")
            assert refused.value.args[0] == ER.TABLEACCESS_DENIED_ERROR
