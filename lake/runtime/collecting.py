"""The way of the logs, in the profile ``observe``: a collector reads the files of all services, the shipper puts what
it has read into OpenSearch. docs/logging.md tells what each does where another is away.
"""

from __future__ import annotations

import sys

from lake.logs.span_folder import ENDING
from lake.logs.span_folder import folder as traces
from lake.runtime import opensearch
from lake.runtime.artifacts import GoArtifact, artifacts
from lake.runtime.engines import http_ping, void
from lake.runtime.orchestration import airflow_home
from lake.runtime.service import Service
from lake.settings import PROJECT, settings

INFRA = PROJECT / "infra"
PROFILE = "observe"


def services() -> list[Service]:
    """In the reverse order of the way: nothing is read before there is somewhere to put it."""
    config = settings()
    kept = opensearch.node("opensearch", config.opensearch_port, config.opensearch_memory_mib, PROFILE)
    return [kept, _shipper(), _collector()]


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
        parts=opensearch.PARTS,
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
        parts=("otel-collector", *opensearch.PARTS),
    )
