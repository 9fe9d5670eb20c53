"""Some of the alerts, from real faults to the receivers' ends, in a minute: `make stress` shows them all."""

from __future__ import annotations

import pytest

from lake.runtime import profiles
from lake.runtime.services import pairs, services
from tests.stress import on_databases, on_services
from tests.stress.catalogue import Shown, write_page
from tests.stress.stage import FAR, stage
from tests.stress.strike import Fault, Protocol, lanes

pytestmark = pytest.mark.thorough

SHORT = ("ConnectionsNearLimit", "ReplicaStopped", "ServiceDown", "HostDown", "DiskFull")


@pytest.fixture(scope="module")
def shown(servers: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Shown]:
    """What became of the faults."""
    if profiles.lacks(services()["prometheus"]):
        pytest.skip("missing part: prometheus is not installed; `make setup` says why")
    shop = pairs()[0]
    protocol = Protocol()
    with on_databases.scratch(shop), stage(tmp_path_factory.mktemp("stress")) as made:
        primary = {"instance": shop.primary}
        on_shop = (
            Fault(on_databases.connections(shop), {"ConnectionsNearLimit": primary}),
            Fault(on_databases.replica_stopped(shop), {"ReplicaStopped": {"source": "shop", "thread": "sql"}}),
        )
        on_host = [
            Fault(on_services.one_of_host_down, {"ServiceDown": {"host": FAR}}),
            Fault(on_services.host_down, {"HostDown": {"host": FAR}}),
        ]
        full = [] if on_services.may_mount(made) else [Fault(on_services.disk_full, {"DiskFull": {}})]
        lanes(made, protocol, *([each] for each in on_shop), on_host, full)
    write_page(protocol.shown)
    return protocol.shown


@pytest.mark.parametrize("name", SHORT)
def test_an_alert_is_heard_of_once_by_the_right_receiver_and_ends(shown: dict[str, Shown], name: str) -> None:
    if name == "DiskFull" and name not in shown:
        pytest.skip("a small disk cannot be mounted here")
    assert not shown[name].problems
    assert 0 <= shown[name].fired <= shown[name].delivered
