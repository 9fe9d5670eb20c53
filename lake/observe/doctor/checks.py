"""Every check, in the order in which it is told. A further one is a line more here, and in `docs/doctor.md`."""

from __future__ import annotations

from collections.abc import Sequence

from lake.errors import LakeError
from lake.observe.doctor import clock, databases, held, installation, machine, services, zones
from lake.observe.doctor.finding import Check

CHECKS: tuple[Check, ...] = (
    Check(
        "packages",
        "Python and its packages, against `pyproject.toml`",
        "`make setup`",
        installation.packages,
    ),
    Check(
        "parts",
        "servers and libraries, against `infra/artifacts.toml`: all there, and none of another version at work",
        "`make setup`, then `lake down` and `lake up`",
        installation.parts,
    ),
    Check(
        "secrets",
        "the modes of the state folder and of the files in it that hold passwords",
        "`chmod 600`; where others use the machine, new passwords",
        installation.secrets,
    ),
    Check(
        "ports",
        "that each port is free, or held by the service that it is for",
        "stop the process that it names, or `lake up --port-offset 100`",
        machine.ports,
    ),
    Check(
        "disk",
        "room for the state folder and for what Trino spills (`LAKE_FREE_DISK_GIB`)",
        "`lake maintenance`, or a larger disk",
        machine.disk,
    ),
    Check(
        "memory",
        "what the settings give to the services, against what the machine has",
        "smaller `LAKE_SPARK_MEMORY_MIB` and `LAKE_TRINO_MEMORY_MIB`",
        machine.memory,
    ),
    Check(
        "services",
        "that object store, catalog, Trino and Spark answer what their clients ask",
        "`lake status`, `lake logs NAME`, `lake up`",
        services.reach,
    ),
    Check(
        "airflow",
        "the heartbeats of Airflow's four parts",
        "`lake logs airflow-scheduler`; `lake up` starts what is not running",
        services.airflow,
    ),
    Check(
        "receivers",
        "that somebody hears of alerts",
        "`LAKE_ALERT_EMAIL_TO` and `LAKE_ALERT_SMTP`, or `LAKE_ALERT_WEBHOOK_URL`: [alerts](alerts.md)",
        services.receivers,
    ),
    Check(
        "sources",
        "that each source answers and lets us in, and that its version is one that was tried",
        "the address: `lake add-source … --replace`, or `LAKE_SOURCE_*` for the shop",
        databases.reach,
    ),
    Check(
        "privileges",
        "that our user may read each column of each contract, the binlog, and the state of replication",
        "the GRANT that it prints: [sources](sources.md)",
        databases.privileges,
    ),
    Check(
        "replication",
        "that a replica which is read follows its primary, and how far it is behind (`LAKE_SOURCE_MAX_LAG_SECONDS`)",
        "mend it, then START REPLICA; or read another one",
        databases.replication,
    ),
    Check(
        "binlog",
        "that it tells every change (`binlog_format`, `binlog_row_image`), and is kept for three runs of the schedule",
        "a longer `binlog_expire_logs_seconds`: [increments](increments.md)",
        databases.binlogs,
    ),
    Check(
        "zones",
        "that no DATETIME by which changes are found is set back when summer time ends; which zone tables there are",
        "`default_time_zone='+00:00'`, a TIMESTAMP, or `increment: sweep`",
        zones.zones,
    ),
    Check(
        "clocks",
        "this machine's clock against each source's (5 s are told, 60 s are a problem)",
        "NTP on both",
        clock.databases,
    ),
    Check(
        "clock",
        "this machine's clock against the object store's, which refuses requests that are 15 minutes off",
        "NTP on both",
        clock.object_store,
    ),
    Check(
        "buckets",
        "that each bucket is there and takes an object, and keeps no old versions",
        "`lake up` makes them; a rule that expires old versions",
        held.buckets,
    ),
    Check(
        "catalog",
        "that it answers, and main has the namespaces of all layers",
        "`lake run` makes them",
        held.namespaces,
    ),
    Check(
        "branches",
        "branches of runs on which nothing was written for a week (`LAKE_BRANCH_DAYS`)",
        "`lake maintenance`; is its DAG paused?",
        held.branches,
    ),
    Check(
        "receipts",
        "that runs are published as the schedule says, and that the catalog has the commits of all kept receipts",
        "`lake run`; a catalog's newer state put back",
        held.receipts,
    ),
)


def named(names: Sequence[str]) -> list[Check]:
    """The checks of these names, in their own order; all without a name.

    Raises:
        LakeError: there is none of a name.
    """
    known = {check.name for check in CHECKS}
    if unknown := [name for name in names if name not in known]:
        raise LakeError(f"there is no check {unknown[0]!r}", f"there are {', '.join(check.name for check in CHECKS)}")
    return [check for check in CHECKS if not names or check.name in names]


def markdown() -> str:
    """The table as it stands in the document."""
    lines = ["| check | what is looked at | what helps, as a rule |", "|---" * 3 + "|"]
    lines += [f"| `{check.name}` | {check.looks_at} | {check.remedy} |" for check in CHECKS]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(markdown(), end="")
