"""Trims Airflow's history: its database by Airflow's own command, and the logs of tasks, and spans, by their age."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path
from urllib.parse import quote

from lake.errors import ServiceError
from lake.logs import span_folder
from lake.maintenance.gone import Gone
from lake.runtime import orchestration, supervise
from lake.settings import settings

log = logging.getLogger(__name__)

CLEAN_SECONDS = 1800
ROWS_AT_ONCE = 10_000
"""That Airflow deletes in one transaction."""

DATABASE = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
LOGS = "AIRFLOW__LOGGING__BASE_LOG_FOLDER"


def trim(now: datetime, is_dry: bool = False) -> list[Gone]:
    """Delete runs, tasks and events of Airflow, and logs and spans, that are older than they are kept.

    Spans stay for as long as OpenSearch keeps what it has of them: what nobody has taken until then nobody would find.

    Args:
        now: with a time zone.
        is_dry: whether it is only told which files would go; Airflow's command does not count what it would delete.

    Raises:
        ServiceError: Airflow's command failed, or took too long.
    """
    before = now - timedelta(days=settings().log_days)
    environment = _environment()
    old = {
        "logs": [*_older(Path(environment[LOGS]), before)],
        "spans": [*_older(span_folder.folder(), now - timedelta(days=settings().kept_logs_days))],
    }
    gone = [Gone(kind, len(files), sum(file.stat().st_size for file in files)) for kind, files in old.items()]
    if not is_dry:
        _clean_database(before, environment)
        for file in chain.from_iterable(old.values()):
            file.unlink(missing_ok=True)
        _remove_empty(Path(environment[LOGS]))
    return gone


def _clean_database(before: datetime, environment: Mapping[str, str]) -> None:
    command = [sys.executable, "-m", "airflow", "db", "clean", "--clean-before-timestamp", before.isoformat()]
    # Without an archive, which would only be another table that grows.
    command += ["--skip-archive", "--yes", "--batch-size", str(ROWS_AT_ONCE), "--error-on-cleanup-failure"]
    try:
        result = subprocess.run(
            command, env=dict(environment), check=False, capture_output=True, text=True, timeout=CLEAN_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise ServiceError(
            f"`airflow db clean` was not done after {CLEAN_SECONDS} s and was ended; what it had deleted stays so",
            "the next night goes on; look at `lake logs postgres` if it never comes to its end",
        ) from error
    if result.returncode:
        tail = "\n".join((result.stdout + result.stderr).splitlines()[-15:])
        raise ServiceError(f"`airflow db clean` failed:\n{tail}", "look at `lake logs postgres`")


def _environment() -> dict[str, str]:
    """What Airflow's command line needs. A task's own environment has all of it but the database, which Airflow keeps
    from tasks."""
    config = settings()
    ours = os.environ if LOGS in os.environ else supervise.base_environment() | orchestration.airflow_environment()
    password = quote(config.postgres_password.get_secret_value(), safe="")
    address = f"airflow:{password}@{config.postgres_host}:{config.postgres_port}/airflow"
    return {**ours, DATABASE: f"postgresql+psycopg2://{address}"}


def _older(folder: Path, before: datetime) -> Iterator[Path]:
    for file in folder.rglob("*"):
        if file.is_file() and not file.is_symlink() and file.stat().st_mtime < before.timestamp():
            yield file


def _remove_empty(folder: Path) -> None:
    """Remove folders in which nothing is left, the innermost first."""
    for each in sorted(folder.rglob("*"), key=lambda path: len(path.parts), reverse=True):
        if each.is_dir() and not each.is_symlink() and not any(each.iterdir()):
            each.rmdir()
