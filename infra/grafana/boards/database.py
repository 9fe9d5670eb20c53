"""The database servers, primary and replica side by side, MySQL and MariaDB alike.

`mysqld_exporter <https://github.com/prometheus/mysqld_exporter>`_ reads both; where the two name a figure differently,
the expression asks for one or the other. The undo log needs its collector ``info_schema.innodb_metrics``, the binlog
its ``binlog_size``.
"""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from infra.grafana.board import DATABASE, Choice, Section, board
from infra.grafana.panels import ANSWERS, GREEN, Limits, Query, lines, number

CHOSEN = '{server=~"$server",role=~"$role"}'
WHO = "{{server}} {{role}}"


def _rate(metric: str, more: str = "") -> str:
    return f"rate({metric}{CHOSEN[:-1]}{more}}}[$__rate_interval])"


def database() -> Dashboard:
    """What the shop's servers are busy with, and how near they are to their limits."""
    return board(
        DATABASE,
        "Database",
        "The shop's primary, which takes writes, and the replica that the lake reads.",
        [_state(), _work(), _memory_and_disk(), _waiting()],
        choices=[Choice("server", "Server", "mysql_up"), Choice("role", "Role", "mysql_up")],
    )


def _state() -> Section:
    return Section(
        "State",
        [
            number(
                "Do the servers answer?",
                Query(f"mysql_up{CHOSEN}", WHO),
                unit="none",
                about="Whether the exporter can log in. `lake status` and `lake logs NAME` tell why it cannot.",
                words=ANSWERS,
                span=8,
            ),
            number(
                "Up since",
                Query(f"mysql_global_status_uptime{CHOSEN}", WHO),
                unit="s",
                about="Time since each server was started. A short one that nobody expects is a crash.",
                span=8,
            ),
            number(
                "Takes writes",
                Query(f"1 - mysql_global_variables_read_only{CHOSEN}", WHO),
                unit="none",
                about="A primary must take writes, a replica must not: rows written there are in no binlog of the "
                "primary, so the lake would differ from the shop.",
                words={"1": ("yes", GREEN), "0": ("read only", "blue")},
                span=8,
            ),
        ],
    )


def _work() -> Section:
    return Section(
        "Work",
        [
            lines(
                "How near is the limit of connections?",
                Query(
                    f"mysql_global_status_threads_connected{CHOSEN} / mysql_global_variables_max_connections{CHOSEN}",
                    WHO,
                ),
                unit="percentunit",
                about="Open connections as a share of max_connections. At 100 % the next client is refused.",
                limits=Limits(yellow=0.6, red=0.8),
                maximum=1,
            ),
            lines(
                "Threads at work",
                Query(f"mysql_global_status_threads_running{CHOSEN}", WHO),
                unit="none",
                about="Statements that are executed at this moment. Many more than cores means that they wait for each "
                "other; a source with more than LAKE_SOURCE_MAX_THREADS_RUNNING is read by one connection only.",
                limits=Limits(yellow=32),
            ),
            lines(
                "Statements of clients a second",
                Query(_rate("mysql_global_status_questions"), WHO),
                unit="ops",
                about="What clients ask, without what the server does for itself.",
            ),
            lines(
                "Which statements are they?",
                Query(
                    "topk(10, sum by (command) ("
                    + _rate(
                        "mysql_global_status_commands_total",
                        ',command=~"select|insert.*|update.*|delete.*|replace.*|commit|rollback|load|alter_table|create_table"',
                    )
                    + "))",
                    "{{command}}",
                ),
                unit="ops",
                about="Statements a second by kind, over the chosen servers.",
                stacked=True,
            ),
            lines(
                "Slow statements a second",
                Query(_rate("mysql_global_status_slow_queries"), WHO),
                unit="ops",
                about="Statements that took longer than long_query_time. The slow log has their text.",
                limits=Limits(yellow=0.05),
            ),
            lines(
                "Clients refused or lost a second",
                [
                    Query(
                        f"sum by (server, role) ({_rate('mysql_global_status_connection_errors_total')})",
                        f"refused by {WHO}",
                    ),
                    Query(_rate("mysql_global_status_aborted_connects"), f"failed to log in to {WHO}"),
                    Query(_rate("mysql_global_status_aborted_clients"), f"lost by {WHO}"),
                ],
                unit="ops",
                about="Refused: the server was out of connections or failed inside. Failed to log in: a wrong password "
                "or address. Lost: the client went without saying so, or was idle for too long.",
            ),
        ],
    )


def _memory_and_disk() -> Section:
    return Section(
        "Memory and disk",
        [
            lines(
                "How often must a page be read from disk?",
                Query(
                    f"{_rate('mysql_global_status_innodb_buffer_pool_reads')} "
                    f"/ {_rate('mysql_global_status_innodb_buffer_pool_read_requests')}",
                    WHO,
                ),
                unit="percentunit",
                about="Share of the pages that InnoDB looked for and did not find in its buffer pool. More than a few "
                "per cent for long: the pool is too small for what is read.",
                limits=Limits(yellow=0.05),
            ),
            lines(
                "What is the buffer pool filled with?",
                Query(
                    f'sum by (server, role, state) (mysql_global_status_buffer_pool_pages{CHOSEN[:-1]},state!="old"}})'
                    f" * on (server, role) group_left () mysql_global_status_innodb_page_size{CHOSEN}",
                    f"{WHO}: {{{{state}}}}",
                ),
                unit="bytes",
                about="Pages of tables (data), room for more (free), and the server's own (misc).",
                stacked=True,
            ),
            lines(
                "Bytes to and from clients a second",
                [
                    Query(_rate("mysql_global_status_bytes_sent"), f"sent by {WHO}"),
                    Query(_rate("mysql_global_status_bytes_received"), f"received by {WHO}"),
                ],
                unit="Bps",
                about="An extraction shows as what the replica sends. LAKE_SOURCE_MAX_MIB_PER_SECOND bounds it.",
            ),
            lines(
                "Size of the binlogs",
                Query(f"mysql_binlog_size_bytes{CHOSEN}", WHO),
                unit="bytes",
                about="All binlogs that the server still has. What is expired before the lake has read it makes the "
                "next run read tables whole.",
            ),
        ],
    )


def _waiting() -> Section:
    return Section(
        "What statements wait for",
        [
            lines(
                "Time that statements wait for row locks",
                Query(f"{_rate('mysql_global_status_innodb_row_lock_time')} / 1000", WHO),
                unit="s",
                about="Seconds waited in each second, over all connections. The lake's reads take no row locks.",
            ),
            lines(
                "Length of the undo log",
                Query(
                    f"mysql_info_schema_innodb_metrics_transaction_trx_rseg_history_len{CHOSEN} "
                    f"or mysql_global_status_innodb_history_list_length{CHOSEN}",
                    WHO,
                ),
                unit="locale",
                about="Old versions of rows that InnoDB keeps for transactions which may still read them. It grows "
                "while a long transaction is open, also one of ours.",
                limits=Limits(yellow=100_000),
            ),
            lines(
                "Temporary tables on disk a second",
                Query(_rate("mysql_global_status_created_tmp_disk_tables"), WHO),
                unit="ops",
                about="Statements whose sorting or grouping did not fit into memory.",
                span=24,
            ),
        ],
    )
