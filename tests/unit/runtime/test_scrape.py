"""What Prometheus is told to look at."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lake.errors import ServiceError
from lake.runtime import scrape
from lake.runtime.artifacts import artifacts
from lake.runtime.services import pairs, services
from lake.settings import settings

JOBS = [
    "lake", "node", "mysql", "postgres", "airflow", "trino", "spark", "nessie", "minio", "api", "shipper",
    "otel-collector", "alertmanager", "prometheus",
]  # fmt: skip


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A lake with shifted ports and a second database server."""
    monkeypatch.setenv("LAKE_HOME", str(tmp_path))
    monkeypatch.setenv("LAKE_PORT_OFFSET", "700")
    monkeypatch.setenv("LAKE_SECOND_SERVER", "mysql")
    settings.cache_clear()
    yield tmp_path
    settings.cache_clear()


@pytest.fixture
def promtool() -> Path:
    part = artifacts()["prometheus"]
    if not part.is_installed:
        pytest.skip("missing part: prometheus is not installed; `make setup` says why")
    return part.folder / "usr" / "bin" / "promtool"


def check(promtool: Path, file: Path) -> None:
    asked = [str(promtool), "check", "config", str(file)]
    said = subprocess.run(asked, check=False, capture_output=True, text=True, timeout=60)
    assert said.returncode == 0, said.stdout + said.stderr


def written() -> dict[str, Any]:
    return dict(yaml.safe_load(scrape.configuration(pairs())))


def jobs(document: dict[str, Any]) -> dict[str, Any]:
    return {job["job_name"]: job for job in document["scrape_configs"]}


def test_promtool_takes_what_is_written_and_the_file_of_compose(promtool: Path, home: Path) -> None:
    scrape.write(home / "prometheus.yml", scrape.configuration(pairs()))
    check(promtool, home / "prometheus.yml")
    check(promtool, scrape.BASE)


def test_every_job_is_looked_at_where_its_service_listens() -> None:
    document = written()
    found = jobs(document)
    assert list(found) == JOBS
    ports = {port for service in services().values() for port in service.ports}
    addresses = [address for job in found.values() for address in scrape.addresses(job)]
    addresses += document["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"]
    for address in addresses:
        host, port = address.split(":")
        assert host == "127.0.0.1" and int(port) in ports, address
    assert found["trino"]["static_configs"] == [
        {"targets": [f"127.0.0.1:{settings().trino_port}"], "labels": {"instance": "trino"}}
    ]
    assert document["rule_files"] == [f"{scrape.RULES}/*.yml"]


def test_every_database_server_is_asked_through_one_exporter() -> None:
    job = jobs(written())["mysql"]
    assert [(group["targets"], group["labels"]) for group in job["static_configs"]] == [
        ([f"127.0.0.1:{port}"], {"instance": f"{kind}-{role}", "role": role, "server": kind})
        for kind, role, port in (
            ("mariadb", "primary", settings().shop_port),
            ("mariadb", "replica", settings().source_port),
            ("mysql", "primary", settings().second_port),
            ("mysql", "replica", settings().second_replica_port),
        )
    ]
    replacements = [rule["replacement"] for rule in job["relabel_configs"] if "replacement" in rule]
    assert replacements == [f"127.0.0.1:{settings().mysqld_exporter_port}"]


def test_what_is_left_out_is_not_looked_for() -> None:
    document = yaml.safe_load(scrape.configuration(pairs(), {"statsd-exporter", "mysqld-exporter"}))
    assert list(jobs(document)) == [name for name in JOBS if name not in ("airflow", "mysql")]


def test_an_address_where_nothing_serves_metrics_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = home / "prometheus.yml"
    wrong.write_text(scrape.BASE.read_text().replace("trino:28080", "trino:8080"))
    monkeypatch.setattr(scrape, "BASE", wrong)
    with pytest.raises(ServiceError, match=r"names trino:8080") as caught:
        scrape.configuration(pairs())
    assert "trino:28080" in caught.value.fix


def test_a_changed_rule_is_seen_at_the_next_start(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scrape, "RULES", home)

    def seen() -> str:
        return str(services()["prometheus"].env["CONFIGURATION_SHA256"])

    before = seen()
    assert seen() == before
    rule = home / "lag.yml"
    rule.write_text("groups: []\n")
    with_a_rule = seen()
    rule.write_text("groups: [] # other\n")
    assert len({before, with_a_rule, seen()}) == 3


def test_what_is_kept_is_bounded_by_time_and_size() -> None:
    command = services()["prometheus"].command
    assert "--storage.tsdb.retention.time=15d" in command
    assert "--storage.tsdb.retention.size=1024MB" in command


def test_the_api_is_asked_only_where_it_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    api = jobs(written())["api"]
    assert api["static_configs"] == [{"targets": ["127.0.0.1:29880"], "labels": {"instance": "api"}}]
    assert not {"dns_sd_configs", "relabel_configs"} & set(api)
    fingerprints = []
    for profiles, is_asked in (("", False), ("serve", True), ("observe,serve", True), ("observe", False)):
        monkeypatch.setenv("LAKE_PROFILES", profiles)
        settings.cache_clear()
        prometheus = services()["prometheus"]
        prometheus.folder.mkdir(parents=True, exist_ok=True)
        prometheus.prepare()
        told = yaml.safe_load((prometheus.folder / "prometheus.yml").read_text())
        assert ("api" in jobs(told)) is is_asked, profiles
        fingerprints.append(prometheus.env["CONFIGURATION_SHA256"])
    assert fingerprints[0] != fingerprints[1], "Prometheus is started anew when the API comes"
