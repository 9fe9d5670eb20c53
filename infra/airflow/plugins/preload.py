"""Libraries that tasks use, imported once by the scheduler.

LocalExecutor forks its workers from the scheduler, and a worker forks a process for each task. What the scheduler has
imported is there already, and its memory is shared; otherwise each task imports it anew, which took 1 to 6 CPU seconds
of a task that often has less to do. Only libraries: the project's own modules are read by each task, so that an edit
counts at once.

With another executor nothing is imported here, and tasks work as before.
"""

from __future__ import annotations

import importlib
import logging
import sys
import warnings
from typing import Any

from airflow.configuration import conf
from airflow.jobs.job import Job
from airflow.listeners import hookimpl
from airflow.plugins_manager import AirflowPlugin

log = logging.getLogger(__name__)

LIBRARIES = (
    # what Airflow imports before it calls a task
    "airflow.dag_processing.bundles.manager",
    "airflow.dag_processing.dagbag",
    "airflow.providers.apache.spark.decorators.pyspark",
    "airflow.providers.standard.decorators.python",
    "airflow.sdk.execution_time.task_runner",
    # what the steps import
    "dbt.adapters.trino",
    "dbt.cli.main",
    "great_expectations",
    "great_expectations.expectations",
    "httpx",
    "networkx",
    "pyarrow.fs",
    "pyarrow.parquet",
    "pydantic_settings",
    "pyiceberg.catalog.rest",
    "pyiceberg.io.pyarrow",
    "pymysql",
    "pyspark.sql.connect.session",
    "trino.sqlalchemy",
)


class _Preload:
    """Listens for the start of Airflow's parts; the scheduler's is before its executor forks."""

    @hookimpl
    def on_starting(self, component: Any) -> None:
        """Import what there is; a library that is missing is the matter of the task that uses it."""
        # A job does not know its kind yet when it starts, but the command line does.
        is_scheduler = isinstance(component, Job) and sys.argv[1:2] == ["scheduler"]
        if not is_scheduler or conf.get("core", "EXECUTOR") != "LocalExecutor":
            return
        # Importing Great Expectations logs some two hundred lines about its own registry.
        logging.getLogger("great_expectations").setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for name in LIBRARIES:
                try:
                    importlib.import_module(name)
                except ImportError as error:
                    log.warning("not preloaded: %s", error)


class Preload(AirflowPlugin):
    """Registers the listener."""

    name = "preload"
    listeners = [_Preload()]  # noqa: RUF012 - Airflow reads the list from the class
