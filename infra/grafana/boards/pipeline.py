"""The runs: how they end, where their time goes, and whether they become slower."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from infra.grafana.board import AIRFLOW, PIPELINE, Choice, Section, board
from infra.grafana.panels import NO_TASK, NOT_ONE, Column, Limits, Query, bars, lines, number, rows

CHOSEN = '{dag_id=~"$dag_id"}'

TOGETHER = '{dag_id=~"$dag_id",task_id=~"marts|audit"}'
"""The two tasks of shop_lake that run at the same time: the shorter of them costs no time."""

WORKING = (
    f"sum by (dag_id) (shoplake_task_duration_seconds{CHOSEN}) "
    f"- (min by (dag_id) (shoplake_task_duration_seconds{TOGETHER}) "
    f"or 0 * sum by (dag_id) (shoplake_task_duration_seconds{CHOSEN}))"
)
LASTED = f"max by (dag_id) (shoplake_dag_run_duration_seconds{CHOSEN})"


def pipeline() -> Dashboard:
    """All DAGs, or the chosen one."""
    return board(
        PIPELINE,
        "Pipeline",
        "Runs of the pipeline and of the DAGs that follow it: how they ended, where their time goes.",
        [_now(), _time(), _trend()],
        choices=[Choice("dag_id", "DAG", "shoplake_dag_run_duration_seconds")],
        since="now-24h",
    )


def _now() -> Section:
    return Section(
        "Runs",
        [
            rows(
                "How did the last runs end?",
                {
                    f"max by (dag_id, state) (time() - shoplake_dag_run_ended_timestamp_seconds{CHOSEN})": Column(
                        "Ago", unit="s"
                    )
                },
                labels={"dag_id": "DAG", "state": "State"},
                about="How long ago a run of each DAG last ended, for each way in which it can end. A failure that is "
                "younger than the last success is the state of things.",
                sort_by="Ago",
                descending=False,
            ),
            rows(
                "Are runs late?",
                {
                    f"min by (dag_id) (time() - shoplake_dag_run_ended_timestamp_seconds{CHOSEN}) "
                    f"/ on (dag_id) max by (dag_id) (shoplake_dag_schedule_interval_seconds{CHOSEN} > 0)": Column(
                        "Intervals since", unit="none", limits=Limits(yellow=2, red=3)
                    ),
                    f"max by (dag_id) (shoplake_dag_schedule_interval_seconds{CHOSEN} > 0)": Column("Every", unit="s"),
                },
                labels={"dag_id": "DAG"},
                about="Time since a run last ended, in intervals of the DAG's schedule: 1 is on time, 3 means that two "
                "were missed. DAGs without a schedule are not here.",
                sort_by="Intervals since",
            ),
            number(
                "Tasks at work",
                Query(f"count(shoplake_task_running_seconds{CHOSEN} > 0) or {NO_TASK}", "now"),
                unit="none",
                about="Tasks that run now; the table below names them.",
                leads_to=AIRFLOW,
                span=6,
            ),
            number(
                "Tasks failed",
                Query(
                    f"round(sum(increase(shoplake_task_failures_total{CHOSEN}[$__range]))) or {NO_TASK}", "in this time"
                ),
                unit="none",
                about="Tries of tasks that failed within the chosen time.",
                limits=NOT_ONE,
                span=6,
                decimals=0,
            ),
            number(
                "Rows a second",
                Query("shoplake_extraction_rows_per_second", "{{source}}"),
                unit="locale",
                about="Rows that the newest extraction of each source wrote to landing, a second.",
                span=6,
                decimals=0,
            ),
            number(
                "Branches that wait",
                Query('sum by (kind) (shoplake_branches{kind!="other"})', "{{kind}}"),
                unit="none",
                about="Branches of the catalog. Those of runs that failed are kept for inspection and removed after "
                "LAKE_BRANCH_DAYS.",
                limits=Limits(yellow=20),
                span=6,
            ),
        ],
    )


def _time() -> Section:
    return Section(
        "Where the time goes",
        [
            bars(
                "Which tasks take longest?",
                Query(
                    f"topk(15, max by (dag_id, task_id) (shoplake_task_duration_seconds{CHOSEN}))",
                    "{{dag_id}}: {{task_id}}",
                ),
                unit="s",
                about="Duration of each task in the newest run in which it ended; the fifteen longest.",
                span=12,
                height=10,
            ),
            lines(
                "Does a run wait or work?",
                [
                    Query(WORKING, "{{dag_id}} works"),
                    Query(f"clamp_min({LASTED} - ({WORKING}), 0)", "{{dag_id}} waits"),
                ],
                unit="s",
                about="Of the newest run: the time in which one of its tasks was at work, and the rest, in which it "
                "waited for a slot, a scheduler or another try. marts and audit run at the same time, so the shorter "
                "of them counts as nothing.",
                stacked=True,
                height=10,
            ),
            lines(
                "How has the time by task developed?",
                Query(
                    f"topk(10, max by (dag_id, task_id) (shoplake_task_duration_seconds{CHOSEN}))",
                    "{{dag_id}}: {{task_id}}",
                ),
                unit="s",
                about="The ten longest tasks, over time.",
            ),
            rows(
                "Which tasks are at work?",
                {
                    f"topk(100, shoplake_task_running_seconds{CHOSEN} > 0)": Column(
                        "Since", unit="s", limits=Limits(yellow=1800, red=3600)
                    )
                },
                labels={"dag_id": "DAG", "task_id": "Task"},
                about="Tasks that run now, the longest first. One that takes longer than LAKE_TASK_TIMEOUT_MINUTES is "
                "ended and tried again.",
                sort_by="Since",
                empty="none known",
            ),
        ],
    )


def _trend() -> Section:
    return Section(
        "Do runs become slower?",
        [
            lines(
                "Duration of runs",
                [
                    Query(LASTED, "{{dag_id}}"),
                    Query(
                        f"avg by (dag_id) (avg_over_time(shoplake_dag_run_duration_seconds{CHOSEN}[1d]))",
                        "{{dag_id}}, mean of a day",
                    ),
                ],
                unit="s",
                about="Of the newest run of each DAG, beside the mean of the day before it.",
            ),
            rows(
                "Which tasks fail?",
                {
                    f"topk(100, round(increase(shoplake_task_failures_total{CHOSEN}[$__range])) > 0)": Column(
                        "Failures", unit="none"
                    )
                },
                labels={"dag_id": "DAG", "task_id": "Task"},
                about="Tries that failed within the chosen time. The log of each is on Airflow's page.",
                sort_by="Failures",
                empty="none known",
            ),
            lines(
                "Which errors are there?",
                Query("topk(10, round(sum by (class) (increase(shoplake_errors_total[1h]))))", "{{class}}"),
                unit="none",
                about="Errors of our own code in the hour before, by class.",
                span=24,
            ),
        ],
    )
