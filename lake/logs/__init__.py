"""How our own processes log: one JSON object a line, or text that reads well where a person looks on.

`structlog <https://www.structlog.org>`_ makes every line, whoever logs: what calls the standard library's loggers
passes through the same processors. Airflow has its own set-up of structlog, which takes the processors of `safe` from
here (``infra/airflow/plugins/task_logs.py``), and writes what is bound here (`context`) as well.

A line has the fields ``timestamp`` (UTC), ``level``, ``logger`` and ``event``, and of `FIELDS` those that are known
where it is written.
"""

from lake.logs.context import FIELDS, about, same_context, trace_id
from lake.logs.reading import readable
from lake.logs.setup import configure, is_plain, of_service

__all__ = ["FIELDS", "about", "configure", "is_plain", "of_service", "readable", "same_context", "trace_id"]
