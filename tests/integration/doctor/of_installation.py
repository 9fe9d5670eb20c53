"""Faults of the machine, of what is installed on it, and of what the lake consists of."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from tempfile import TemporaryDirectory

import httpx
import pyarrow as pa
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
from tests.integration.doctor.conftest import Lake, answering
from tests.integration.doctor.fault import MACHINE, fault


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
