"""Faults of a source, for both kinds of server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from lake.settings import settings
from tests.integration.doctor.conftest import Followed
from tests.integration.doctor.fault import SERVER, fault


@fault(SERVER, "sources", "problem", r"crm: cannot connect .*Access denied.* -> correct it with `lake add-source")
def a_password_that_is_not_ours(lake: Followed) -> Iterator[None]:
    lake.set(source_crm_password="wrong")
    yield


@fault(
    SERVER,
    "privileges",
    "problem",
    r"cannot read crm_visits of crm .*SELECT command denied.* -> grant the extraction user",
)
def a_reader_that_may_not_read(lake: Followed) -> Iterator[None]:
    lake.ask(f"REVOKE SELECT ON {lake.database}.* FROM {lake.reader}")
    lake.ask(f"GRANT SELECT (id, note) ON {lake.database}.visits TO {lake.reader}")
    yield


@fault(
    SERVER,
    "privileges",
    "warning",
    r"lacks the privilege REPLICATION SLAVE: changes of 1 tables .* -> on the server .*: GRANT REPLICATION SLAVE ON",
)
def a_reader_that_may_not_read_the_binlog(lake: Followed) -> Iterator[None]:
    lake.ask(f"REVOKE REPLICATION SLAVE ON *.* FROM {lake.reader}")
    yield


@fault(
    SERVER,
    "privileges",
    "warning",
    r"a replica that has stopped is not noticed -> on the .*: GRANT REPLICA(TION CLIENT| MONITOR) ON",
)
def a_reader_that_may_not_see_replication(lake: Followed) -> Iterator[None]:
    right = {"mariadb": "REPLICA MONITOR", "mysql": "REPLICATION CLIENT"}[lake.kind]
    lake.ask(f"REVOKE {right} ON *.* FROM {lake.reader}")
    yield


@fault(
    SERVER, "replication", "problem", r"the replica \S+ of crm does not replicate: .* -> mend it and start replication"
)
def a_replica_that_has_stopped(lake: Followed) -> Iterator[None]:
    lake.ask("STOP REPLICA SQL_THREAD")
    try:
        yield
    finally:
        lake.ask("START REPLICA SQL_THREAD")


@fault(
    SERVER, "replication", "warning", r"crm: \d+ s behind 127\.0\.0\.1:\d+, more than 0\.5 -> find out what holds it up"
)
def a_replica_that_lags(lake: Followed) -> Iterator[None]:
    lake.set(source_max_lag_seconds=0.5)
    lake.ask("FLUSH TABLES WITH READ LOCK")
    try:
        lake.write(f"INSERT INTO {lake.database}.visits (id) VALUES (1)")
        time.sleep(2.5)  # the servers tell whole seconds
        yield
    finally:
        lake.ask("UNLOCK TABLES")


@contextmanager
def set_globally(lake: Followed, name: str, value: object) -> Iterator[None]:
    """A variable of the replica, put back afterwards."""
    ((before,),) = lake.ask(f"SELECT @@GLOBAL.{name}")
    lake.ask(f"SET GLOBAL {name} = {value!r}")
    try:
        yield
    finally:
        lake.ask(f"SET GLOBAL {name} = {before!r}")


@fault(
    SERVER,
    "binlog",
    "problem",
    r"kept for 60 min .*, and runs are up to 24 h apart .* -> set binlog_expire_logs_seconds=2592",
)
def a_binlog_that_is_kept_for_an_hour(lake: Followed) -> Iterator[None]:
    lake.set(pipeline_schedule="30 3 * * *")
    with set_globally(lake, "binlog_expire_logs_seconds", 3600):
        yield


@fault(
    SERVER,
    "binlog",
    "warning",
    r"kept for 2 days .*: it does not bear 2 that fail -> set binlog_expire_logs_seconds=259200 or",
)
def a_binlog_that_is_kept_for_two_runs(lake: Followed) -> Iterator[None]:
    lake.set(pipeline_schedule="30 3 * * *")
    with set_globally(lake, "binlog_expire_logs_seconds", 2 * 24 * 3600):
        yield


@fault(
    SERVER,
    "binlog",
    "warning",
    r"binlog_row_image=MINIMAL.*: events name a row by its table's own key .* -> set binlog_row",
)
def a_binlog_that_tells_little_of_a_row(lake: Followed) -> Iterator[None]:
    with set_globally(lake, "binlog_row_image", "MINIMAL"):
        yield


@fault(
    SERVER, "clocks", "problem", r"clock of crm: 3\d\d\d\.\d s behind this machine's -> let both clocks be kept by NTP"
)
def a_server_whose_clock_is_an_hour_behind(lake: Followed) -> Iterator[None]:
    # For users who are no administrators.
    with set_globally(lake, "init_connect", "SET timestamp = UNIX_TIMESTAMP() - 3600"):
        yield


ZONE = (
    "INSERT INTO mysql.time_zone (Time_zone_id, Use_leap_seconds) VALUES (60001, 'N')",
    "INSERT INTO mysql.time_zone_name VALUES ('Doctor/Summer', 60001)",
    "INSERT INTO mysql.time_zone_transition_type VALUES (60001, 0, 3600, 0, 'W'), (60001, 1, 7200, 1, 'S')",
)


@fault(
    SERVER,
    "zones",
    "problem",
    r"Doctor/Summer has summer time: when it ends, crm_visits\.updated_at .* -> set default_time",
)
def a_cursor_that_is_set_back_in_autumn(lake: Followed) -> Iterator[None]:
    (contract,) = Path(settings().contracts).glob("crm/*.yml")
    contract.write_text(contract.read_text() + "increment: cursor\n")
    for statement in ZONE:
        lake.ask(statement)
    for year in range(2020, 2037):
        for kind, instant in ((1, datetime(year, 3, 28, 1, tzinfo=UTC)), (0, datetime(year, 10, 28, 1, tzinfo=UTC))):
            lake.ask(f"INSERT INTO mysql.time_zone_transition VALUES (60001, {int(instant.timestamp())}, {kind})")
    try:
        with set_globally(lake, "time_zone", "Doctor/Summer"):
            yield
    finally:
        for table in ("time_zone", "time_zone_name", "time_zone_transition_type", "time_zone_transition"):
            lake.ask(f"DELETE FROM mysql.{table} WHERE Time_zone_id = 60001")
