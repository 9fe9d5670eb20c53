"""What Airflow writes into the logs of tasks: no secret of this installation, and no line longer than anybody reads.

Airflow's own logs are JSON already (``AIRFLOW__LOGGING__JSON_LOGS``). What stands here is its
``logging_config_class``: the configuration that it has by itself, and beside it an object through whose ``processors``
every line of a task goes before it is written, in the process that watches over the task
(``airflow.sdk.log.logging_processors``). Airflow's own masker works before them, and knows no secret of ours.

Airflow's page reads the file of a task where there is one, for nothing is nearer to what was written. Where there is
none (maintenance has removed it, or another machine has it) it asks OpenSearch.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from airflow.config_templates.airflow_local_settings import BASE_LOG_FOLDER, DEFAULT_LOGGING_CONFIG

from lake.errors import LakeError
from lake.logs.safe import bound, redact
from lake.observe.search import MOST, of_file

LOGGING_CONFIG: dict[str, Any] = DEFAULT_LOGGING_CONFIG


class TaskLogs:
    """Airflow's ``RemoteLogIO``: https://airflow.apache.org/docs/apache-airflow/stable/administration-and-deployment/logging-monitoring/"""

    processors = (redact, bound)

    def upload(self, path: object, ti: object = None) -> None:
        """The collector reads the file where it is."""

    def read(self, relative_path: str, ti: object) -> tuple[list[str], list[str] | None]:
        """What OpenSearch has of a log whose file is not here.

        Returns:
            Where it was looked for, and the log as one text of JSON lines.
        """
        if (Path(BASE_LOG_FOLDER) / relative_path).exists():
            return [], None
        try:
            lines = of_file(relative_path)
        except LakeError as error:
            return [f"its file is not here, and {error}"], None
        if not lines.found:
            return ["neither its file is here, nor has OpenSearch lines of it"], None
        told = [f"OpenSearch, which has {lines.total} lines of it"]
        if lines.total > MOST:
            told.append(f"the last {MOST} of them are shown")
        return told, ["\n".join(json.dumps(_as_airflow_reads(line)) for line in lines.found)]


def _as_airflow_reads(line: dict[str, Any]) -> dict[str, Any]:
    """A line of OpenSearch's, without what the page's address says already."""
    said = {name: line[name] for name in ("timestamp", "level", "logger", "event", "source", "table") if name in line}
    return said | ({"error": line["error"]} if "error" in line else {})


REMOTE_TASK_LOG = TaskLogs()
