"""How far the replica is behind, and why.

Our own figures are asked of the servers by `lake exporter` and mean the same on both kinds; the exporter's names follow
the server's words, which are ``source`` on MySQL and ``master`` on MariaDB.
"""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from infra.grafana.board import REPLICATION, Choice, Section, board
from infra.grafana.panels import ANSWERS, GREEN, RED, Column, Limits, Query, lines, number, rows

CHOSEN = '{source=~"$source"}'
WRITES = '{command=~"insert.*|update.*|delete.*|replace.*|load"}'
LAG = Limits(yellow=60, red=300)
"""Of a replica; a run reads one that is further behind than 300 s by one connection only."""


def replication() -> Dashboard:
    """Whether the lake reads of today or of an hour ago."""
    return board(
        REPLICATION,
        "Replication lag",
        "How far the replicas that the lake reads are behind their primaries.",
        [_state(), _course(), _why()],
        choices=[Choice("source", "Source", "shoplake_source_up")],
    )


def _state() -> Section:
    return Section(
        "State",
        [
            number(
                "Does it receive?",
                Query(f'min by (source) (shoplake_replication_running{CHOSEN[:-1]},thread="io"}})', "{{source}}"),
                unit="none",
                about="The thread that takes the primary's binlog over. Stopped: network, password, or a binlog that "
                "is gone.",
                words={"1": ("yes", GREEN), "0": ("stopped", RED)},
                span=6,
            ),
            number(
                "Does it apply?",
                Query(f'min by (source) (shoplake_replication_running{CHOSEN[:-1]},thread="sql"}})', "{{source}}"),
                unit="none",
                about="The thread that does what the binlog says. Stopped: a row that is not as the primary has it; "
                "the last error tells which.",
                words={"1": ("yes", GREEN), "0": ("stopped", RED)},
                span=6,
            ),
            number(
                "Seconds behind",
                Query(f"shoplake_replication_lag_seconds{CHOSEN}", "{{source}}"),
                unit="s",
                about="Age of the newest change that the replica has applied, while there is a newer one to apply.",
                limits=LAG,
                span=6,
            ),
            number(
                "Transactions behind",
                Query(f"shoplake_replication_lag_transactions{CHOSEN}", "{{source}}"),
                unit="locale",
                about="Transactions of the primary that the replica has not applied, by their GTIDs.",
                span=6,
            ),
        ],
    )


def _course() -> Section:
    return Section(
        "Course",
        [
            lines(
                "How has the lag developed?",
                Query(
                    f"max by (source) (max_over_time(shoplake_replication_lag_seconds{CHOSEN}[$__rate_interval]))",
                    "{{source}}",
                ),
                unit="s",
                about="The greatest lag in each stretch of time, so that no spike is lost at any zoom.",
                limits=LAG,
            ),
            lines(
                "Does it catch up?",
                Query(f"deriv(shoplake_replication_lag_transactions{CHOSEN}[10m])", "{{source}}"),
                unit="ops",
                about="Transactions a second by which the backlog grows. Below zero it catches up; at zero it keeps "
                "pace, or has nothing to do.",
                from_zero=False,
            ),
            lines(
                "How long was it too far behind?",
                Query(f"avg_over_time((shoplake_replication_lag_seconds{CHOSEN} > bool 300)[1h:1m])", "{{source}}"),
                unit="percentunit",
                about="Share of the last hour with a lag of more than 300 s, the limit of LAKE_SOURCE_MAX_LAG_SECONDS.",
                maximum=1,
            ),
            lines(
                "What does the replica itself say?",
                Query(
                    'mysql_slave_status_seconds_behind_source{role="replica"} '
                    'or mysql_slave_status_seconds_behind_master{role="replica"}',
                    "{{server}}",
                ),
                unit="s",
                about="Seconds_Behind_Source of MySQL, Seconds_Behind_Master of MariaDB. They count only what was "
                "received, and vanish when a thread stops; trust the lag above.",
            ),
        ],
    )


def _why() -> Section:
    return Section(
        "Why",
        [
            lines(
                "Changes that wait in relay logs",
                Query('mysql_slave_status_relay_log_space{role="replica"}', "{{server}}"),
                unit="bytes",
                about="Size of what was received. Growing: it receives faster than it applies.",
            ),
            lines(
                "How many writes is it given?",
                Query(
                    f"sum by (server, role) (rate(mysql_global_status_commands_total{WRITES}[$__rate_interval]))",
                    "{{server}} {{role}}",
                ),
                unit="ops",
                about="Statements a second that change rows, as clients gave them. A burst on the primary explains a "
                "lag; any on a replica comes from somebody who should not write there.",
            ),
            rows(
                "What was the last error?",
                {
                    'max by (server) (mysql_slave_status_last_io_errno{role="replica"})': Column(
                        "Receiving", limits=Limits(red=1)
                    ),
                    'max by (server) (mysql_slave_status_last_sql_errno{role="replica"})': Column(
                        "Applying", limits=Limits(red=1)
                    ),
                },
                labels={"server": "Server"},
                about="Number of the error that stopped a thread, 0 for none. `lake logs` of the replica has its text.",
                sort_by="Applying",
            ),
            rows(
                "Which sources can be reached?",
                {
                    f"min by (source) (shoplake_source_up{CHOSEN})": Column("Answers", words=ANSWERS),
                    f"max by (source) (time() - shoplake_source_as_of_timestamp_seconds{CHOSEN})": Column(
                        "Read as of", unit="s", limits=Limits(yellow=7200, red=14400)
                    ),
                },
                labels={"source": "Source"},
                about="Whether each source answers, and how long ago the snapshot was taken that the lake holds of it.",
                sort_by="Read as of",
            ),
        ],
    )
