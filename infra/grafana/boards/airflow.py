"""Airflow itself, by the metrics that it sends over StatsD.

`statsd_exporter <https://github.com/prometheus/statsd_exporter>`_ adds up what Airflow's many processes tell and names
it by its own rules: dots become underscores, counters keep their names, and a timer becomes a summary in seconds with
``_sum`` and ``_count``. What there is: `Airflow's list
<https://airflow.apache.org/docs/apache-airflow/stable/administration-and-deployment/logging-monitoring/metrics.html>`_.
"""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from infra.grafana.board import AIRFLOW, PIPELINE, Section, board
from infra.grafana.panels import NOT_ONE, Limits, Query, lines, number

ALIVE = "0 * sum(airflow_scheduler_heartbeat)"
"""None, where Airflow tells its metrics; nothing where it does not."""

POOL_TAKEN = "max by (pool_name) (airflow_pool_running_slots + airflow_pool_queued_slots)"


def _mean(timer: str, by: str) -> str:
    """Mean duration in seconds of what ended in the last hour."""
    return f"sum by ({by}) (increase({timer}_sum[1h])) / (sum by ({by}) (increase({timer}_count[1h])) > 0)"


def airflow() -> Dashboard:
    """Whether the scheduler, the slots and the pools keep up."""
    return board(
        AIRFLOW,
        "Airflow",
        "Whether Airflow's own processes keep up with what they have to do.",
        [_processes(), _slots(), _tasks()],
    )


def _processes() -> Section:
    return Section(
        "Processes",
        [
            number(
                "Heartbeats of the scheduler",
                Query("sum(rate(airflow_scheduler_heartbeat[5m])) * 60", "a minute"),
                unit="none",
                about="None means that no task is started. `lake logs airflow-scheduler` tells why.",
                limits=Limits(yellow=4, red=1, low_is_bad=True),
                span=6,
                decimals=0,
            ),
            number(
                "DAGs",
                Query("max(airflow_dagbag_size)", "parsed"),
                unit="none",
                about="DAGs that were found in the folder.",
                span=6,
            ),
            number(
                "Files that cannot be imported",
                Query("max(airflow_dag_processing_import_errors)", "files"),
                unit="none",
                about="Files with a mistake in them; their DAGs run as they were before. Airflow's page shows it.",
                limits=NOT_ONE,
                span=6,
            ),
            number(
                "Runs at work",
                Query("max(airflow_scheduler_dagruns_running)", "runs"),
                unit="none",
                about="Runs of any DAG that have begun and not ended.",
                leads_to=PIPELINE,
                span=6,
            ),
            lines(
                "How long does a loop of the scheduler take?",
                Query(_mean("airflow_scheduler_scheduler_loop_duration", "job"), "mean of an hour"),
                unit="s",
                about="A task can start once a loop. Seconds mean that the machine or the database is overloaded.",
                limits=Limits(yellow=2, red=10),
            ),
            lines(
                "How long does it take to read all DAGs?",
                Query("max(airflow_dag_processing_total_parse_time)", "all files"),
                unit="s",
                about="A change to a DAG is in force after this time, at most.",
            ),
        ],
    )


def _slots() -> Section:
    return Section(
        "Slots",
        [
            lines(
                "Is the executor full?",
                [
                    Query("sum(airflow_executor_running_tasks)", "running"),
                    Query("sum(airflow_executor_queued_tasks)", "queued"),
                    Query("sum(airflow_executor_open_slots)", "open"),
                ],
                unit="none",
                about="Slots of the executor. Tasks that are queued while none is open wait for one.",
                stacked=True,
            ),
            lines(
                "Which pools are full?",
                Query(f"{POOL_TAKEN} / ({POOL_TAKEN} + max by (pool_name) (airflow_pool_open_slots))", "{{pool_name}}"),
                unit="percentunit",
                about="Share of each pool's slots that is taken. The pools keep tasks from asking too much of the "
                "source, Spark or Trino.",
                maximum=1,
            ),
            lines(
                "Which pools have tasks that wait?",
                Query("max by (pool_name) (airflow_pool_queued_slots)", "{{pool_name}}"),
                unit="none",
                about="Tasks that were given to the executor and wait to be started, by pool.",
            ),
            lines(
                "Tasks that starve",
                Query("max(airflow_scheduler_tasks_starving)", "tasks"),
                unit="none",
                about="Tasks that could run and cannot be scheduled, because their pool has no open slot.",
                limits=Limits(yellow=1),
            ),
        ],
    )


def _tasks() -> Section:
    return Section(
        "Tasks",
        [
            lines(
                "How do tasks end?",
                Query("sum by (state) (increase(airflow_ti_finish[1h]))", "{{state}}"),
                unit="none",
                about="Tries of tasks that ended in the hour before, by state.",
                stacked=True,
            ),
            lines(
                "How long do tasks wait for a slot?",
                Query(f"topk(10, {_mean('airflow_task_scheduled_duration', 'dag_id')})", "{{dag_id}}"),
                unit="s",
                about="From scheduled to queued, mean of an hour, by DAG.",
                limits=Limits(yellow=60),
            ),
            lines(
                "How late do runs start?",
                Query(f"topk(10, {_mean('airflow_dagrun_schedule_delay', 'dag_id')})", "{{dag_id}}"),
                unit="s",
                about="From the scheduled instant to the start of the run, mean of an hour, by DAG.",
                limits=Limits(yellow=60),
            ),
            lines(
                "Tasks that were lost",
                [
                    Query(
                        f"sum(increase(airflow_task_instances_without_heartbeats_killed[1h])) or {ALIVE}",
                        "without a heartbeat",
                    ),
                    Query(
                        f"sum(increase(airflow_scheduler_tasks_killed_externally[1h])) or {ALIVE}",
                        "killed from outside",
                    ),
                    Query(
                        f"sum(increase(airflow_scheduler_orphaned_tasks_cleared[1h])) or {ALIVE}",
                        "of a scheduler that died",
                    ),
                ],
                unit="none",
                about="In the hour before. They are tried again; many of them mean a machine without memory.",
                limits=Limits(yellow=1),
            ),
        ],
    )
