"""Every alert that is shipped, from its fault to its receiver's ends: `make stress`. It takes about twenty minutes."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from lake.runtime import profiles
from lake.runtime.pair import Pair
from lake.runtime.services import pairs, services
from lake.settings import settings
from tests.stress import on_databases, on_lake, on_logs, on_pipeline, on_services, watchdog
from tests.stress.catalogue import ROWS, Shown, write_page
from tests.stress.on_lake import CRM
from tests.stress.stage import FAR, Stage, stage
from tests.stress.strike import Fault, Protocol, lanes, strike

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

LONG = 900 + 300
"""Seconds in which a task that hangs past 900 of them is heard of, on a busy machine."""

BUSY = 420
"""Seconds for what needs runs of the pipeline."""

WATCHED = ("postgres-exporter", "statsd-exporter")
FLAPS, LOST = "postgres-exporter", "airflow"


@pytest.fixture(scope="module")
def shown(platform: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Shown]]:
    """What became of the faults."""
    for name in ("prometheus", *WATCHED, *on_logs.PARTS):
        if profiles.lacks(services()[name]):
            pytest.skip(f"missing part: {name} is not installed; `make setup` says why")
    if len(pairs()) < 2:
        pytest.skip(f"missing part: a server beside {settings().shop_server} is not installed; `make setup` says why")
    file, protocol = on_pipeline.write_dags(), Protocol()
    try:
        with stage(tmp_path_factory.mktemp("stress"), (*WATCHED, *on_logs.PARTS)) as made:
            _strike_all(made, protocol)
        yield protocol.shown
    finally:
        file.unlink()
        write_page(protocol.shown)


def _strike_all(made: Stage, protocol: Protocol) -> None:
    shop, second = pairs()
    ready = threading.Event()

    def prepare() -> None:
        try:
            on_lake.prepare(shop, second)
        finally:
            ready.set()

    with on_databases.scratch(shop), on_databases.scratch(second):
        disks = [] if on_services.may_mount(made) else [_disk_full(made), _disk_filling(made)]
        lanes(
            made,
            protocol,
            [Fault(on_pipeline.task_hangs, {"TaskHanging": {"dag_id": on_pipeline.HANGS}}, LONG, BUSY)],
            [Fault(on_pipeline.task_fails, {"TaskFailing": {"dag_id": on_pipeline.FAILS}}, BUSY, 600)],
            _of_the_monitoring(),
            _of_the_logs(),
            _of_servers(shop),
            *([fault] for fault in disks),
            [prepare, *_of_the_lake(shop)],
            [ready.wait, *_of_a_source(second)],
            [
                ready.wait,
                Fault(on_lake.piled, {"DeleteFilesPilingUp": {"layer": on_lake.PILED.split(".")[0]}}, 900, BUSY),
            ],
        )
    # Nothing else can be struck meanwhile: what is told by the one, and who tells.
    strike(made, Fault(on_pipeline.scheduler_dead, {"RunLate": {"dag_id": on_pipeline.OFTEN}}, BUSY, BUSY), protocol)
    watchdog.silence(made, protocol)


def _of_the_monitoring() -> list[Fault]:
    lost = on_services.deaf_slack(on_services.scrape_missing(LOST))
    told = {"ScrapeMissing": {"job": LOST}, "AlertsNotDelivered": {"integration": "slack"}}
    return [
        Fault(on_services.host_down, {"HostDown": {"host": FAR}}, quiet={"ServiceDown": {"host": FAR}}),
        Fault(on_services.flapping(FLAPS), {"ServiceFlapping": {"instance": "postgres"}}, mending=240),
        Fault(lost, told, mending=240),
    ]


def _of_the_logs() -> list[Fault]:
    return [
        Fault(on_logs.refused, {"LogsLost": {"instance": "shipper"}}, mending=240),
        Fault(on_logs.piling_up, {"LogsWaiting": {"instance": "otel-collector"}}, 240, BUSY),
    ]


def _of_servers(shop: Pair) -> list[Fault]:
    primary = {"instance": shop.primary}
    return [
        Fault(on_databases.connections(shop), {"ConnectionsNearLimit": primary}),
        Fault(on_databases.replica_stopped(shop), {"ReplicaStopped": {"source": "shop", "thread": "sql"}}),
        Fault(on_databases.slow_queries(shop), {"SlowQueries": primary}, 240),
        Fault(on_databases.long_transaction(shop), {"LongTransaction": primary}, 240),
    ]


def _of_a_source(second: Pair) -> list[Fault]:
    gone = {"DatabaseDown": {"instance": second.replica}, "SourceDown": {"source": CRM}}
    return [
        Fault(on_databases.lagging(second), {"ReplicaLagging": {"source": CRM}}, 300 + BUSY),
        Fault(on_lake.alone(on_databases.stopped(second.replica)), gone, BUSY),
    ]


def _of_the_lake(shop: Pair) -> list[Fault]:
    old = {"LakeStale": {"source": CRM}, "LakeTableStale": {"table": on_lake.OLD}}
    found = {"QuarantineSpike": {"table": on_lake.FLOODED}, "TableHeld": {"table": on_lake.RENAMED}}
    away = {"ServiceDown": {"instance": "nessie"}, "CollectorFailing": {"collector": "lake"}}
    failed = {"TaskFailing": {"dag_id": "shop_lake"}}
    return [
        Fault(on_lake.not_read, old, BUSY, BUSY),
        Fault(on_lake.spoilt, found, BUSY, BUSY),
        Fault(on_lake.shorn, {"ChecksFailing": {}}, BUSY, BUSY, quiet=failed),
        Fault(on_lake.diverged(shop), {"ReplicaDiverged": {"table": on_lake.DIVERGED}}, BUSY, BUSY),
        Fault(on_lake.alone(on_databases.stopped("nessie")), away, BUSY, BUSY),
    ]


def _disk_full(made: Stage) -> Fault:
    return Fault(on_services.disk_full, {"DiskFull": {"mountpoint": f"{made.folder}/disk-full"}})


def _disk_filling(made: Stage) -> Fault:
    return Fault(on_services.disk_filling, {"DiskFilling": {"mountpoint": f"{made.folder}/disk-filling"}}, BUSY)


@pytest.mark.parametrize("name", ROWS)
def test_an_alert_is_heard_of_once_by_the_right_receiver_and_ends(shown: dict[str, Shown], name: str) -> None:
    if name.startswith("Disk") and name not in shown:
        pytest.skip("a small disk cannot be mounted here")
    assert not shown[name].problems
    assert 0 <= shown[name].fired <= shown[name].delivered
