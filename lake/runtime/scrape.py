"""What Prometheus looks at on this machine: ``infra/prometheus/prometheus.yml`` with the runtime's addresses.

The file is complete as it stands, for compose. Here ports are shifted, the shop has another server, and there may be a
second one; so `lake up` writes a copy in which these are put right.
https://prometheus.io/docs/prometheus/latest/configuration/configuration/
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import yaml

from lake.errors import ServiceError
from lake.runtime import access
from lake.runtime.pair import Pair
from lake.settings import PROJECT, Settings, settings

FOLDER = PROJECT / "infra" / "prometheus"
BASE = FOLDER / "prometheus.yml"
RULES = FOLDER / "rules"
PORTS = {
    "exporter": "exporter_port",
    "node-exporter": "node_exporter_port",
    "mysqld-exporter": "mysqld_exporter_port",
    "postgres-exporter": "postgres_exporter_port",
    "statsd-exporter": "statsd_exporter_port",
    "api": "api_port",
    "shipper": "shipper_port",
    "otel-collector": "collector_port",
    "trino": "trino_port",
    "spark": "spark_ui_port",
    "nessie": "nessie_management_port",
    "minio": "s3_port",
    "alertmanager": "alertmanager_port",
    "prometheus": "prometheus_port",
}
"""The setting that holds the port at which each service has its metrics."""
ADDRESS = re.compile(r"([a-z][a-z-]*):\d+")
"""An address as compose has them: a service's name and a port."""


def configuration(pairs: Sequence[Pair], left_out: Collection[str] = ()) -> str:
    """The file that Prometheus reads.

    Args:
        pairs: the database servers that are looked at.
        left_out: services that this machine cannot have; what they would serve is not looked for.

    Raises:
        ServiceError: the file under ``infra/`` names a service that has no metrics here.
    """
    document: dict[str, Any] = yaml.safe_load(BASE.read_text())
    document["rule_files"] = [f"{RULES}/*.yml"]
    for job in document["scrape_configs"]:
        if job["job_name"] == "mysql":
            job["static_configs"] = servers(pairs)
        if job["job_name"] == "api":
            # Here it is known whether it is there, and nobody knows its name.
            job["static_configs"] = [{"targets": addresses(job), "labels": {"instance": "api"}}]
            del job["dns_sd_configs"], job["relabel_configs"]
        if job["job_name"] == "trino":
            job["tls_config"]["ca_file"] = str(settings().trino_ca)
            job["basic_auth"]["password_file"] = str(access.folder() / access.METRICS_PASSWORD)
    kept = [job for job in document["scrape_configs"] if not _asks(job, left_out)]
    document["scrape_configs"] = kept
    return f"# written by `lake up`, from infra/prometheus/{BASE.name}\n" + yaml.safe_dump(_here(document))


def servers(pairs: Sequence[Pair]) -> list[dict[str, Any]]:
    """The database servers as targets: each is called after its service, and says what it is and of which kind."""
    return [
        {"targets": [f"127.0.0.1:{port}"], "labels": {"instance": name, "role": role, "server": pair.kind}}
        for pair in pairs
        for role, name, port in (
            ("primary", pair.primary, pair.primary_port),
            ("replica", pair.replica, pair.replica_port),
        )
    ]


def fingerprint(text: str) -> str:
    """Changes with the configuration and with every rule, so that `lake up` sees when Prometheus must read anew."""
    digest = hashlib.sha256(text.encode())
    for file in sorted(RULES.glob("*.yml")):
        digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()


def write(file: Path, text: str) -> None:
    """Put the configuration where Prometheus reads it, in one step."""
    staging = file.with_suffix(".new")
    staging.write_text(text)
    staging.replace(file)


def _asks(job: dict[str, Any], services: Collection[str]) -> bool:
    return any(address.split(":")[0] in services for address in addresses(job))


def addresses(job: dict[str, Any]) -> list[str]:
    """What a job asks, and through whom."""
    targets = [address for group in job.get("static_configs", []) for address in group["targets"]]
    by_name = [f"{name}:{each['port']}" for each in job.get("dns_sd_configs", []) for name in each["names"]]
    through = [rule for rule in job.get("relabel_configs", []) if rule.get("target_label") == "__address__"]
    return [*targets, *by_name, *(rule["replacement"] for rule in through if "replacement" in rule)]


def _here(value: Any) -> Any:
    """The same document with every address of compose replaced by the one on this machine."""
    if isinstance(value, dict):
        return {key: _here(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_here(each) for each in value]
    if isinstance(value, str) and (found := ADDRESS.fullmatch(value)):
        return f"127.0.0.1:{_port(found[1], value)}"
    return value


def _port(name: str, address: str) -> int:
    field = PORTS.get(name)
    if field is None or address != f"{name}:{Settings.model_fields[field].default}":
        known = ", ".join(f"{each}:{Settings.model_fields[port].default}" for each, port in PORTS.items())
        raise ServiceError(f"{BASE} names {address}, where nothing serves metrics", f"name one of {known}")
    return int(getattr(settings(), field))
