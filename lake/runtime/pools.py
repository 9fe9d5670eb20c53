"""Airflow's pools: how many tasks at once reach the sources, Spark and Trino, whatever else Airflow has to do.

A task names its pool (`dags/common.py`), and waits while all of its slots are taken.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from lake.errors import ServiceError
from lake.settings import settings

COMMAND = ("pools", "import")
IMPORT_SECONDS = 300
"""Most of it is Airflow being imported, on a busy machine."""


def wanted() -> str:
    """The pools as the settings size them, in the form that Airflow imports."""
    config = settings()
    sizes = {
        "source": (config.source_slots, "tasks that read a source; each opens LAKE_SOURCE_CONNECTIONS at most"),
        "spark": (config.spark_slots, "tasks that keep Spark at work"),
        "trino": (config.trino_slots, "tasks that ask Trino"),
    }
    pools = {
        name: {"slots": slots, "description": text, "include_deferred": False} for name, (slots, text) in sizes.items()
    }
    return json.dumps(pools)


def ensure(file: Path, airflow: Sequence[str], environment: Mapping[str, str]) -> None:
    """Make the pools, or size them anew, where the settings have changed since the last time.

    Args:
        file: remembers what was imported; it must go where Airflow's database goes.
        airflow: Airflow's command line.

    Raises:
        ServiceError: Airflow did not take them.
    """
    if file.exists() and file.read_text() == wanted():
        return
    staging = file.with_suffix(".new.json")
    staging.write_text(wanted())
    command = [*airflow, *COMMAND, str(staging)]
    result = subprocess.run(
        command, env=dict(environment), check=False, capture_output=True, text=True, timeout=IMPORT_SECONDS
    )
    if result.returncode:
        tail = "\n".join((result.stdout + result.stderr).splitlines()[-15:])
        raise ServiceError(f"Airflow's pools could not be made:\n{tail}", "look at `lake logs postgres`")
    staging.replace(file)
