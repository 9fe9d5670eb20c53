"""Where a run spends its time: spans of OpenTelemetry, beside those that Airflow makes of each run and task.

Airflow sets up the tracer of its processes, and the span of a task is the current one while our code runs in it; what
is begun here becomes its child. Where nobody has set up a tracer (a command, a test, a benchmark), all of this does
nothing. docs/tracing.md tells what there is, and how many spans there are at most.
"""

from lake.logs import trace_id
from lake.tracing.measured import MOST_OF_A_KIND, Several, several
from lake.tracing.spans import MOST_SPANS, failed, is_on, note, span

__all__ = ["MOST_OF_A_KIND", "MOST_SPANS", "Several", "failed", "is_on", "note", "several", "span", "trace_id"]
