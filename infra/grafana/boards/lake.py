"""The lake: how fresh, how large, how clean, and how tidy it is; readable with two thousand tables."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from infra.grafana.board import LAKE, Choice, Section, board
from infra.grafana.panels import NOT_ONE, Column, Limits, Query, bars, lines, number, rows

CHOSEN = '{source=~"$source"}'
OF_CHOSEN = f"on (table) shoplake_table_held{CHOSEN}"
"""Joins what is known by table alone to the tables of the chosen source: whether it is held is known of each."""
AGE = f"time() - max by (source, table) (shoplake_table_as_of_timestamp_seconds{CHOSEN})"
VERIFIED = f"max by (source, table) (shoplake_table_verified_timestamp_seconds{CHOSEN})"
LIMIT = f"max by (source, table) (shoplake_table_stale_after_seconds{CHOSEN})"


def lake() -> Dashboard:
    """All sources, or the chosen one; what is known by layer alone is of all of them."""
    return board(
        LAKE,
        "Lake",
        "Freshness, rows, files, growth, quarantine and held tables of the published lake.",
        [_freshness(), _rows(), _quality(), _files()],
        choices=[Choice("source", "Source", "shoplake_table_as_of_timestamp_seconds")],
        since="now-7d",
    )


def _freshness() -> Section:
    return Section(
        "Freshness",
        [
            rows(
                "Which tables are oldest?",
                {
                    f"topk(200, ({AGE}) / {LIMIT})": Column(
                        "Of its limit", unit="percentunit", limits=Limits(yellow=0.8, red=1)
                    ),
                    f"({AGE}) and topk(200, ({AGE}) / {LIMIT})": Column("Age", unit="s"),
                    f"{LIMIT} and topk(200, ({AGE}) / {LIMIT})": Column("Limit", unit="s"),
                },
                labels={"source": "Source", "table": "Table"},
                about="How long ago the snapshot was taken that the lake holds of a table, and which age is too old. "
                "The two hundred nearest to their limit.",
                sort_by="Of its limit",
            ),
            lines(
                "How old has the lake been?",
                [
                    Query("time() - shoplake_published_timestamp_seconds", "since the last publish"),
                    Query(f"max(max by (source) ({AGE}))", "oldest table"),
                ],
                unit="s",
                about="A saw: it falls with every publish. Teeth that grow mean that runs take longer or fail. The "
                "oldest table stays up while it is held back.",
            ),
            rows(
                "Which tables are held back?",
                {
                    f"max by (source, table) (time() - shoplake_table_held_since_timestamp_seconds{CHOSEN}) "
                    f"and on (source, table) shoplake_table_held{CHOSEN} == 1": Column(
                        "Since", unit="s", limits=Limits(yellow=1, red=86400)
                    )
                },
                labels={"source": "Source", "table": "Table"},
                about="Not read, because their shape or their source stands against it; they stay as they were "
                "published. `lake follow` shows what has changed and lets contracts follow.",
                sort_by="Since",
                empty="none known",
            ),
            rows(
                "Which tables were not verified for longest?",
                {
                    f"topk(200, time() - {VERIFIED})": Column(
                        "Ago", unit="s", limits=Limits(yellow=2 * 86400, red=7 * 86400)
                    ),
                },
                labels={"source": "Source", "table": "Table"},
                about="Time since lake and source were last proven equal, row by row (`lake parity`). The two hundred "
                "longest.",
                sort_by="Ago",
            ),
        ],
    )


def _rows() -> Section:
    return Section(
        "Rows and growth",
        [
            lines(
                "Rows by layer",
                Query("sum by (layer) (shoplake_table_rows)", "{{layer}}"),
                unit="short",
                about="Of the published lake, over all tables.",
            ),
            lines(
                "How fast does it grow?",
                Query("sum by (layer) (delta(shoplake_table_rows[1d]))", "{{layer}}"),
                unit="short",
                about="Rows that each layer gained in the day before; below zero it lost some.",
                from_zero=False,
            ),
            bars(
                "Which tables are largest?",
                Query("topk(15, sum by (layer, table) (shoplake_table_rows))", "{{layer}}.{{table}}"),
                unit="short",
                about="By rows; the fifteen largest.",
                span=12,
                height=10,
            ),
            bars(
                "Which tables grow fastest?",
                Query('topk(15, sum by (table) (delta(shoplake_table_rows{layer="cleaned"}[1d])) > 0)', "{{table}}"),
                unit="short",
                about="Rows of cleaned tables gained in the day before; the fifteen with most.",
                span=12,
                height=10,
            ),
        ],
    )


def _quality() -> Section:
    return Section(
        "Quality",
        [
            number(
                "Checks of the last audit",
                Query("sum by (result) (shoplake_audit_checks)", "{{result}}"),
                unit="none",
                about="Of the newest run that was audited. A failed check keeps it from being published, a warning "
                "does not.",
                span=8,
            ),
            number(
                "Drift",
                Query(f"sum by (against) (shoplake_parity_drift_rows{CHOSEN})", "from the {{against}}"),
                unit="locale",
                about="Rows in which the last sweep of parity found a difference: between the lake and its source, or "
                "between that and the primary behind it.",
                limits=NOT_ONE,
                span=8,
            ),
            number(
                "Share of rows in quarantine",
                Query(
                    f'sum(shoplake_table_rows{{layer="quarantine"}} and {OF_CHOSEN}) '
                    f'/ sum(shoplake_table_rows{{layer=~"cleaned|quarantine"}} and {OF_CHOSEN})',
                    "of all rows",
                ),
                unit="percentunit",
                about="Rows that break a rule of their contract, of all rows that were read.",
                limits=Limits(yellow=0.01, red=0.05),
                span=8,
                decimals=2,
            ),
            lines(
                "Why are rows refused?",
                Query(f"topk(10, sum by (reason) (shoplake_quarantine_rows{CHOSEN}))", "{{reason}}"),
                unit="short",
                about="Rows in quarantine by reason; the ten most frequent. A row with two reasons counts for both.",
                stacked=True,
            ),
            rows(
                "Which tables have most refused rows?",
                {
                    f"topk(200, sum by (source, table, reason) (shoplake_quarantine_rows{CHOSEN}) > 0)": Column(
                        "Rows", unit="locale"
                    )
                },
                labels={"source": "Source", "table": "Table", "reason": "Reason"},
                about="Rows in quarantine by table and reason; the two hundred largest. "
                '`lake sql "select * from quarantine.TABLE"` shows them.',
                sort_by="Rows",
                empty="none known",
            ),
        ],
    )


def _files() -> Section:
    return Section(
        "Files",
        [
            lines(
                "Size by layer",
                Query("sum by (layer) (shoplake_lake_bytes)", "{{layer}}"),
                unit="bytes",
                about="Bytes of the files that the published lake refers to. Older states that are kept are not in it.",
                stacked=True,
                span=8,
            ),
            lines(
                "Files by layer",
                Query("sum by (layer, content) (shoplake_lake_files)", "{{layer}} {{content}}"),
                unit="short",
                about="Files of data and of deletes. They fall when maintenance writes tables anew.",
                span=8,
            ),
            lines(
                "Are delete files piling up?",
                Query(
                    'sum by (layer) (shoplake_lake_files{content="deletes"}) '
                    '/ sum by (layer) (shoplake_lake_files{content="data"})',
                    "{{layer}}",
                ),
                unit="percentunit",
                about="Files of deletes for each file of data. Every read has to apply them, so they slow queries "
                "until maintenance removes them.",
                limits=Limits(yellow=1),
                span=8,
            ),
        ],
    )
