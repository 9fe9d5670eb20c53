"""What Airflow writes into the logs of tasks: no secret of this installation, and no line longer than anybody reads.

Airflow's own logs are JSON already (``AIRFLOW__LOGGING__JSON_LOGS``). What stands here is its
``logging_config_class``: the configuration that it has by itself, and beside it an object through whose ``processors``
every line of a task goes before it is written, in the process that watches over the task
(``airflow.sdk.log.logging_processors``). Airflow's own masker works before them, and knows no secret of ours.

Nothing is fetched from elsewhere: Airflow's page reads the files.
"""

from __future__ import annotations

from typing import Any

from airflow.config_templates.airflow_local_settings import DEFAULT_LOGGING_CONFIG

from lake.logs.safe import bound, redact

LOGGING_CONFIG: dict[str, Any] = DEFAULT_LOGGING_CONFIG


class TaskLogs:
    """Airflow's ``RemoteLogIO``, of which only the processors are made use of."""

    processors = (redact, bound)

    def upload(self, path: object, ti: object = None) -> None:
        """The file stays where it is."""

    def read(self, relative_path: str, ti: object) -> tuple[list[str], None]:
        """There is nothing beside the file."""
        return [], None


REMOTE_TASK_LOG = TaskLogs()
