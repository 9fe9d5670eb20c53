"""Every alert of `infra/prometheus/rules`: how it is brought about, who must hear of it, and the table of how it went.

The table stands in `docs/monitoring.md` between two marks. `make stress` writes it, from the run itself.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from lake.settings import PROJECT
from tests.stress.recorder import HEARTBEAT
from tests.stress.shorten import FACTOR

PAGE = PROJECT / "docs" / "monitoring.md"
BEGIN, END = "<!-- written by `make stress` -->", "<!-- end of what `make stress` writes -->"

PAGER, DATABASE, DATA, PLATFORM = "page", "database", "data", "platform"


@dataclass(frozen=True)
class Row:
    """What is done for one alert.

    Attributes:
        fault: what is struck, and how.
        receiver: who alone must hear of it.
    """

    fault: str
    receiver: str


ROWS: dict[str, Row] = {
    "DatabaseDown": Row("a replica is stopped", PAGER),
    "ReplicaStopped": Row("a row is written on the replica, then the same on the primary: error 1062", PAGER),
    "ReplicaLagging": Row("a reader on the replica holds a table that the primary alters, past 300 s", DATABASE),
    "ReplicaDiverged": Row("a row is changed on the replica alone, read, and compared with the primary's", PAGER),
    "ConnectionsNearLimit": Row("90 of a hundred connections are opened, and idle", PAGER),
    "SlowQueries": Row("twenty statements a minute that take longer than ten seconds", DATABASE),
    "LongTransaction": Row("a transaction stays open while others commit 130,000 times", DATABASE),
    "LakeStale": Row("all tables of a source, which may be a minute old, are not read", PAGER),
    "LakeTableStale": Row("a table that may be a minute old is not read", DATA),
    "SourceDown": Row("the replica that a source is read from is stopped", PAGER),
    "ChecksFailing": Row("a row goes from the source of which no increment hears; `lake run`", PAGER),
    "QuarantineSpike": Row("200 rows break a rule of their contract; `lake run`", DATA),
    "TableHeld": Row("a column has another name in the source; `lake run`", DATA),
    "DeleteFilesPilingUp": Row("each of 60 files of a table loses seven rows, one by one", DATA),
    "TaskFailing": Row("a task raises, in a DAG without the callbacks that tell `DagFailed`", DATA),
    "TaskHanging": Row("a task sleeps past 900 s that was done in one", DATA),
    "RunLate": Row("Airflow's scheduler is stopped, beside a DAG that runs three times a minute", PAGER),
    "HostDown": Row("both exporters of a host are killed", PAGER),
    "ServiceDown": Row("Nessie is stopped", PAGER),
    "ServiceFlapping": Row("an exporter is stopped and started, four times", PLATFORM),
    "ScrapeMissing": Row("a job is taken out of Prometheus' configuration", PLATFORM),
    "CollectorFailing": Row("the catalog, which a collector asks, is stopped", PLATFORM),
    "DiskFilling": Row("a tmpfs of 64 MiB, two thirds full, gets 5 MiB a minute", PLATFORM),
    "DiskFull": Row("a tmpfs of 64 MiB is filled at once", PAGER),
    "AlertsNotDelivered": Row("a Slack that answers 503 while it is told of something", PAGER),
    "LogsLost": Row("lines that are no spans are written into a file of spans", PLATFORM),
    "LogsWaiting": Row("OpenSearch is stopped while a service logs 120,000 lines", PLATFORM),
    "Watchdog": Row("Prometheus is stopped", HEARTBEAT),
}
"""By name of the alert."""


@dataclass(frozen=True)
class Shown:
    """How it went with one alert.

    Attributes:
        fired: seconds from the fault until Prometheus took it for true.
        delivered: seconds from the fault until it was delivered.
        resolved: seconds from the mending until that was delivered.
        problems: what was not as it should be.
    """

    fired: float = 0.0
    delivered: float = 0.0
    resolved: float = 0.0
    problems: tuple[str, ...] = ()


def table(shown: Mapping[str, Shown], earlier: Mapping[str, str]) -> str:
    """The table of the page.

    Args:
        shown: by name of the alert.
        earlier: rows of alerts that were not struck this time, which stay.
    """
    lines = [
        f"| alert | fault | fired, s | delivered, s (all durations 1/{FACTOR}) | to | once | resolved, s |",
        "|---|---|---|---|---|---|---|",
    ]
    return "\n".join([*lines, *(_row(name, shown.get(name), earlier.get(name, "")) for name in ROWS)])


def _row(name: str, shown: Shown | None, earlier: str) -> str:
    row = ROWS[name]
    begin = f"| `{name}` | {row.fault} |"
    if shown is None:
        # What was shown of another fault counts no more.
        return earlier if earlier.startswith(begin) else f"{begin} not struck | | {row.receiver} | | |"
    if shown.problems:
        return f"{begin} **{'; '.join(shown.problems)}** | | {row.receiver} | | |"
    figures = (f"{shown.fired:.0f}", f"{shown.delivered:.0f}", row.receiver, "yes", f"{shown.resolved:.0f}")
    return f"{begin} {' | '.join(figures)} |"


def written(text: str) -> dict[str, str]:
    """The rows that a page has, by name of the alert."""
    rows = [line for line in _parts(text)[1].splitlines() if line.startswith("| `")]
    return {row.split("`")[1]: row for row in rows}


def page(text: str, shown: Mapping[str, Shown]) -> str:
    """A page with the table written anew."""
    before, _, after = _parts(text)
    return f"{before}{BEGIN}\n{table(shown, written(text))}\n{END}{after}"


def write_page(shown: Mapping[str, Shown]) -> None:
    """Write the table, when `make stress` asks for it. What was not struck this time stays as it was."""
    if os.environ.get("WRITE_MONITORING_TABLE"):
        PAGE.write_text(page(PAGE.read_text(), shown))


def _parts(text: str) -> tuple[str, str, str]:
    before, begin, rest = text.partition(BEGIN)
    inside, end, after = rest.partition(END)
    assert begin and end, f"{PAGE} has no place for the table"
    return before, inside, after
