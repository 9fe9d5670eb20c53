"""Faults of an installation, each put into one that is sound: `lake doctor` finds it, and had not found it before."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pyarrow as pa
import pytest
from pyiceberg.catalog import load_catalog
from tenacity import Retrying, stop_after_delay, wait_fixed

from lake.layers import raw
from lake.ledger import receipts
from lake.ledger.receipts import Receipt
from lake.observe.doctor import held, installation
from lake.platform import catalog, storage
from lake.runtime import artifacts, supervise
from lake.settings import PROJECT, settings
from tests.integration.alerts.conftest import free_port
from tests.integration.doctor.conftest import Followed, Lake, answering, doctor


@dataclass(frozen=True)
class Fault:
    """A fault.

    Attributes:
        check: the one that is to find it.
        state: what it is taken for.
        says: what is seen of it, and what is to be done; a pattern.
        seeded: puts it in, and takes it out again.
    """

    check: str
    state: str
    says: str
    seeded: Callable[[Any], AbstractContextManager[None]]


MACHINE: dict[str, Fault] = {}
SERVER: dict[str, Fault] = {}


def fault(
    known: dict[str, Fault], check: str, state: str, says: str
) -> Callable[[Callable[[Any], Iterator[None]]], None]:
    """Enter a fault, by the name of what puts it in."""

    def enter(seeded: Callable[[Any], Iterator[None]]) -> None:
        known[seeded.__name__] = Fault(check, state, says, contextmanager(seeded))

    return enter


def found(fault: Fault) -> list[str]:
    """What the fault's check says of it."""
    told = (f"{each['subject']}: {each['seen']} -> {each['way_out']}" for each in doctor(fault.check)
            if each["state"] == fault.state)  # fmt: skip
    return [each for each in told if re.search(fault.says, each, re.DOTALL)]


# -- of the machine and of what is installed on it
@fault(MACHINE, "secrets", "problem", r"secrets\.env: mode 0644: others may read .* -> chmod 600 ")
def secrets_that_others_may_read(lake: Lake) -> Iterator[None]:
    (lake.home / "secrets.env").chmod(0o644)
    yield


@fault(MACHINE, "ports", "problem", r"for trino, is held by python\S* \(pid \d+\) -> stop that process")
def a_port_that_another_process_holds(lake: Lake) -> Iterator[None]:
    port = free_port()
    other = subprocess.Popen(
        [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for attempt in Retrying(stop=stop_after_delay(30), wait=wait_fixed(0.1), reraise=True):
            with attempt:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
        lake.set(trino_port=port)
        yield
    finally:
        other.terminate()
        other.wait(30)


@fault(MACHINE, "parts", "problem", r"nessie: 0\.99\.1 is not installed; 0\.99\.0 is there -> run `make setup`")
def a_part_of_another_version(lake: Lake) -> Iterator[None]:
    listed = lake.home / "artifacts.toml"
    listed.write_text(artifacts.LIST.read_text().replace('"0.99.0"', '"0.99.1"'))
    lake.patch.setattr(artifacts, "LIST", listed)
    artifacts.artifacts.cache_clear()
    yield


@fault(
    MACHINE, "parts", "problem", r"trino: runs from trino-475, which infra/artifacts.toml does not name .* -> run `make"
)
def a_service_that_was_started_with_another_version(lake: Lake) -> Iterator[None]:
    old = artifacts.cache() / "software" / "trino-475" / "lib"
    service = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", f"-cp={old}/*"])
    running = {"trino": supervise.Process("trino", "RUNNING", service.pid, "")}
    lake.patch.setattr(supervise, "processes", lambda: running)
    try:
        yield
    finally:
        service.terminate()
        service.wait(30)


@fault(MACHINE, "packages", "problem", r"rich: \S+ is installed, and rich==1\.0 is asked for -> run `make setup`")
def a_package_of_another_version(lake: Lake) -> Iterator[None]:
    project = (PROJECT / "pyproject.toml").read_text()
    (lake.home / "pyproject.toml").write_text(project.replace('  "rich",', '  "rich==1.0",'))
    lake.patch.setattr(installation, "PROJECT", lake.home)
    yield


@fault(MACHINE, "disk", "problem", r"state folder: .* GiB free .*, and 1e\+09 are wanted .* -> make room")
def a_disk_without_room(lake: Lake) -> Iterator[None]:
    lake.set(free_disk_gib=1e9)
    yield


@fault(MACHINE, "disk", "problem", r"spill: .* GiB free at \S+/spill, and 1e\+09 are wanted")
def a_disk_for_spills_without_room(lake: Lake) -> Iterator[None]:
    with TemporaryDirectory(dir="/dev/shm") as memory:
        (lake.home / "data" / "trino").mkdir(parents=True)
        (lake.home / "data" / "trino" / "spill").symlink_to(memory)
        lake.set(free_disk_gib=1e9)
        yield


@fault(MACHINE, "memory", "problem", r"memory: .* given to services: more than there is -> lower LAKE_SPARK_MEMORY_MIB")
def more_memory_given_than_there_is(lake: Lake) -> Iterator[None]:
    lake.set(spark_memory_mib=100_000_000)
    yield


@fault(
    MACHINE, "clock", "problem", r"clock of the object store: 3\d\d\d\.\d s ahead of this machine's -> let both clocks"
)
def a_clock_that_is_an_hour_off(lake: Lake) -> Iterator[None]:
    with answering(403, Date=format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)) as port:
        lake.set(s3_port=port)
        yield


@fault(
    MACHINE, "services", "problem", r"spark: Spark at sc://127\.0\.0\.1:1 does not answer: .* -> look at `lake status`"
)
def a_service_that_is_away(lake: Lake) -> Iterator[None]:
    lake.set(spark_port=1)
    yield


def _airflow(**others: object) -> bytes:
    beating = {"status": "healthy", "latest_beat": None}
    parts = ("metadatabase", "scheduler", "triggerer", "dag_processor")
    return json.dumps({**dict.fromkeys(parts, beating), **others}).encode()


@fault(
    MACHINE, "airflow", "problem", r"airflow-scheduler: unhealthy, last heartbeat 2026-01-01T00:00:00\+00:00 -> look at"
)
def a_scheduler_without_a_heartbeat(lake: Lake) -> Iterator[None]:
    dead = {"status": "unhealthy", "latest_scheduler_heartbeat": "2026-01-01T00:00:00+00:00"}
    with answering(200, _airflow(scheduler=dead)) as port:
        lake.set(airflow_port=port)
        yield


@fault(
    MACHINE, "receivers", "warning", r"nobody will hear of an alert: there is no receiver -> set LAKE_ALERT_EMAIL_TO"
)
def alerts_that_nobody_hears(lake: Lake) -> Iterator[None]:
    lake.start_alertmanager(alert_webhook_url="", alert_email_to="")
    yield


# -- of what the lake consists of
@fault(MACHINE, "buckets", "problem", r"reports-that-are-gone: the object store has no bucket .* -> `lake up` makes it")
def a_bucket_that_is_missing(lake: Lake) -> Iterator[None]:
    lake.patch.setattr(held, "BUCKETS", (*held.BUCKETS, "reports-that-are-gone"))
    yield


@fault(
    MACHINE, "buckets", "warning", r"doctor-versions: it keeps versions: .* -> let a rule of the bucket expire versions"
)
def a_bucket_that_keeps_versions(lake: Lake) -> Iterator[None]:
    signed(lake, "PUT", "/doctor-versions", "", b"")
    enabled = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
    signed(lake, "PUT", "/doctor-versions", "versioning=", enabled)
    lake.patch.setattr(held, "BUCKETS", (*held.BUCKETS, "doctor-versions"))
    yield


def signed(lake: Lake, method: str, path: str, query: str, body: bytes) -> None:
    """Ask the object store for what no library here asks: how a bucket is kept.

    The signature is https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
    """
    config = settings()
    now, digest = datetime.now(UTC), hashlib.sha256(body).hexdigest()
    host, at = f"{config.s3_host}:{config.s3_port}", f"{now:%Y%m%dT%H%M%SZ}"
    names = "host;x-amz-content-sha256;x-amz-date"
    request = "\n".join(
        (method, path, query, f"host:{host}", f"x-amz-content-sha256:{digest}", f"x-amz-date:{at}", "", names, digest)
    )
    scope = (f"{now:%Y%m%d}", config.s3_region, "s3", "aws4_request")
    key = b"AWS4" + config.s3_secret_key.get_secret_value().encode()
    for each in scope:
        key = hmac.digest(key, each.encode(), "sha256")
    text = "\n".join(("AWS4-HMAC-SHA256", at, "/".join(scope), hashlib.sha256(request.encode()).hexdigest()))
    said = f"Credential={config.s3_access_key}/{'/'.join(scope)}, SignedHeaders={names}, Signature="
    headers = {
        "Authorization": f"AWS4-HMAC-SHA256 {said}{hmac.digest(key, text.encode(), 'sha256').hex()}",
        "x-amz-content-sha256": digest,
        "x-amz-date": at,
    }
    answer = httpx.request(method, f"http://{host}{path}?{query}", content=body, headers=headers, timeout=30)
    assert answer.is_success or answer.status_code == 409, answer.text  # there may be the bucket already


@fault(MACHINE, "catalog", "problem", r"catalog: main has no namespace of_a_later_version -> `lake run` makes them")
def a_namespace_that_is_missing(lake: Lake) -> Iterator[None]:
    # Those of main hold other tests' tables.
    lake.patch.setattr(raw, "LAYERS", (*raw.LAYERS, "of_a_later_version"))
    yield


@fault(
    MACHINE,
    "branches",
    "warning",
    r"nothing has been written for 7 days .* run_doctor_old.* -> is the DAG `maintenance`",
)
def a_branch_that_nobody_goes_on_with(lake: Lake) -> Iterator[None]:
    catalog.create_branch("run_doctor_old")
    try:
        there = load_catalog("old", **catalog.pyiceberg_properties("run_doctor_old"))
        there.create_table("raw.doctor_old", pa.schema([pa.field("id", pa.int64())]))
        lake.be_later(days=8)
        yield
    finally:
        catalog.delete_branch("run_doctor_old")


@contextmanager
def published(commit: str) -> Iterator[None]:
    """A receipt that says so."""
    now = datetime.now(UTC).isoformat()
    receipts.write(Receipt("doctor_receipt", commit, now, "", now, "", ""))
    try:
        yield
    finally:
        storage.delete(receipts.address("doctor_receipt"))


GONE = "0123456789abcdef" * 4


@fault(
    MACHINE, "receipts", "problem", rf"does not know the commit {GONE} of run doctor_receipt: .* -> put the catalog's"
)
def a_receipt_whose_commit_is_gone(lake: Lake) -> Iterator[None]:
    with published(GONE):
        yield


@fault(
    MACHINE, "receipts", "problem", r"the newest is of .*, and 3 runs were due since then .* -> look at the last runs"
)
def runs_that_are_not_published(lake: Lake) -> Iterator[None]:
    lake.set(pipeline_schedule="0 * * * *")
    lake.be_later(days=1)
    with published(catalog.head()):
        yield


# -- of a source, on both kinds of server
@fault(SERVER, "sources", "problem", r"crm: cannot connect .*Access denied.* -> correct it with `lake add-source")
def a_password_that_is_not_ours(lake: Followed) -> Iterator[None]:
    lake.set(source_crm_password="wrong")
    yield


@fault(
    SERVER,
    "privileges",
    "problem",
    r"cannot read crm_visits of crm .*SELECT command denied.* -> grant the extraction user",
)
def a_reader_that_may_not_read(lake: Followed) -> Iterator[None]:
    lake.ask(f"REVOKE SELECT ON {lake.database}.* FROM {lake.reader}")
    lake.ask(f"GRANT SELECT (id, note) ON {lake.database}.visits TO {lake.reader}")
    yield


@fault(
    SERVER,
    "privileges",
    "warning",
    r"lacks the privilege REPLICATION SLAVE: changes of 1 tables .* -> on the server .*: GRANT REPLICATION SLAVE ON",
)
def a_reader_that_may_not_read_the_binlog(lake: Followed) -> Iterator[None]:
    lake.ask(f"REVOKE REPLICATION SLAVE ON *.* FROM {lake.reader}")
    yield


@fault(
    SERVER,
    "privileges",
    "warning",
    r"a replica that has stopped is not noticed -> on the .*: GRANT REPLICA(TION CLIENT| MONITOR) ON",
)
def a_reader_that_may_not_see_replication(lake: Followed) -> Iterator[None]:
    right = {"mariadb": "REPLICA MONITOR", "mysql": "REPLICATION CLIENT"}[lake.kind]
    lake.ask(f"REVOKE {right} ON *.* FROM {lake.reader}")
    yield


@fault(
    SERVER, "replication", "problem", r"the replica \S+ of crm does not replicate: .* -> mend it and start replication"
)
def a_replica_that_has_stopped(lake: Followed) -> Iterator[None]:
    lake.ask("STOP REPLICA SQL_THREAD")
    try:
        yield
    finally:
        lake.ask("START REPLICA SQL_THREAD")


@fault(
    SERVER, "replication", "warning", r"crm: \d+ s behind 127\.0\.0\.1:\d+, more than 0\.5 -> find out what holds it up"
)
def a_replica_that_lags(lake: Followed) -> Iterator[None]:
    lake.set(source_max_lag_seconds=0.5)
    lake.ask("FLUSH TABLES WITH READ LOCK")
    try:
        lake.write(f"INSERT INTO {lake.database}.visits (id) VALUES (1)")
        time.sleep(2.5)  # the servers tell whole seconds
        yield
    finally:
        lake.ask("UNLOCK TABLES")


@contextmanager
def set_globally(lake: Followed, name: str, value: object) -> Iterator[None]:
    """A variable of the replica, put back afterwards."""
    ((before,),) = lake.ask(f"SELECT @@GLOBAL.{name}")
    lake.ask(f"SET GLOBAL {name} = {value!r}")
    try:
        yield
    finally:
        lake.ask(f"SET GLOBAL {name} = {before!r}")


@fault(
    SERVER,
    "binlog",
    "problem",
    r"kept for 60 min .*, and runs are up to 24 h apart .* -> set binlog_expire_logs_seconds=2592",
)
def a_binlog_that_is_kept_for_an_hour(lake: Followed) -> Iterator[None]:
    lake.set(pipeline_schedule="30 3 * * *")
    with set_globally(lake, "binlog_expire_logs_seconds", 3600):
        yield


@fault(
    SERVER,
    "binlog",
    "warning",
    r"kept for 2 days .*: it does not bear 2 that fail -> set binlog_expire_logs_seconds=259200 or",
)
def a_binlog_that_is_kept_for_two_runs(lake: Followed) -> Iterator[None]:
    lake.set(pipeline_schedule="30 3 * * *")
    with set_globally(lake, "binlog_expire_logs_seconds", 2 * 24 * 3600):
        yield


@fault(
    SERVER,
    "binlog",
    "warning",
    r"binlog_row_image=MINIMAL.*: events name a row by its table's own key .* -> set binlog_row",
)
def a_binlog_that_tells_little_of_a_row(lake: Followed) -> Iterator[None]:
    with set_globally(lake, "binlog_row_image", "MINIMAL"):
        yield


@fault(
    SERVER, "clocks", "problem", r"clock of crm: 3\d\d\d\.\d s behind this machine's -> let both clocks be kept by NTP"
)
def a_server_whose_clock_is_an_hour_behind(lake: Followed) -> Iterator[None]:
    # For users who are no administrators.
    with set_globally(lake, "init_connect", "SET timestamp = UNIX_TIMESTAMP() - 3600"):
        yield


ZONE = (
    "INSERT INTO mysql.time_zone (Time_zone_id, Use_leap_seconds) VALUES (60001, 'N')",
    "INSERT INTO mysql.time_zone_name VALUES ('Doctor/Summer', 60001)",
    "INSERT INTO mysql.time_zone_transition_type VALUES (60001, 0, 3600, 0, 'W'), (60001, 1, 7200, 1, 'S')",
)


@fault(
    SERVER,
    "zones",
    "problem",
    r"Doctor/Summer has summer time: when it ends, crm_visits\.updated_at .* -> set default_time",
)
def a_cursor_that_is_set_back_in_autumn(lake: Followed) -> Iterator[None]:
    (contract,) = Path(settings().contracts).glob("crm/*.yml")
    contract.write_text(contract.read_text() + "increment: cursor\n")
    for statement in ZONE:
        lake.ask(statement)
    for year in range(2020, 2037):
        for kind, instant in ((1, datetime(year, 3, 28, 1, tzinfo=UTC)), (0, datetime(year, 10, 28, 1, tzinfo=UTC))):
            lake.ask(f"INSERT INTO mysql.time_zone_transition VALUES (60001, {int(instant.timestamp())}, {kind})")
    try:
        with set_globally(lake, "time_zone", "Doctor/Summer"):
            yield
    finally:
        for table in ("time_zone", "time_zone_name", "time_zone_transition_type", "time_zone_transition"):
            lake.ask(f"DELETE FROM mysql.{table} WHERE Time_zone_id = 60001")


# -- the tests
@pytest.mark.parametrize("name", MACHINE)
def test_a_fault_of_the_installation_is_found(name: str, lake: Lake) -> None:
    assert found(MACHINE[name]) == []
    with MACHINE[name].seeded(lake):
        assert len(found(MACHINE[name])) == 1


@pytest.mark.parametrize("name", SERVER)
def test_a_fault_of_a_source_is_found(name: str, followed: Followed) -> None:
    assert found(SERVER[name]) == []
    with SERVER[name].seeded(followed):
        assert len(found(SERVER[name])) == 1


def test_there_are_enough_of_them() -> None:
    assert len(MACHINE) + len(SERVER) >= 15
