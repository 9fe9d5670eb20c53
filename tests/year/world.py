"""A lake of the year's own: its object store and its catalog, beside the suite's database servers, Spark and Trino.

The engines serve any lake: which one, each session and each catalog says. So what the year publishes, and what other
tests do on `main` of the suite's own catalog, do not meet, and the buckets hold the year's bytes alone.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from pyarrow import fs

from lake.maintenance import reachable
from lake.maintenance.reachable import Root
from lake.platform import catalog, storage
from lake.platform.catalog import MAIN
from lake.runtime import engines
from lake.settings import settings
from tests.faults.world import Server, forget, free_ports

PORTS = ("S3", "S3_CONSOLE", "NESSIE", "NESSIE_MANAGEMENT")
BUCKETS = {"lake_bytes": "warehouse", "landing_bytes": "landing"}

KEPT = {"LAKE_RECEIPTS_ALL_DAYS": "7", "LAKE_RECEIPTS_DAILY_DAYS": "30"}
"""A shop of one run a day keeps all of them for a year by the policy that is meant unless said, and so nothing of a
year would ever be forgotten. With these, twelve months see what a lake by that policy sees in twelve years."""


class World:
    """The lake's own state folder, contracts, object store and catalog.

    Attributes:
        home: state folder: secrets, sources and contracts.
        environment: variables by which this process, or another one, sees this lake.
    """

    def __init__(self) -> None:
        suite = settings()
        self.home = Path(mkdtemp(prefix="shoplake-year-"))
        # The engines have the suite's keys in their environment.
        shutil.copy(suite.home / "secrets.env", self.home)
        (self.home / "contracts").mkdir()
        ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
        ports |= {"SPARK": suite.spark_port, "TRINO": suite.trino_port}
        self.environment = {
            "LAKE_HOME": str(self.home),
            "LAKE_CONTRACTS": str(self.home / "contracts"),
            "LAKE_PORT_OFFSET": "0",
            "LAKE_SOURCE_HOST": "",
            "LAKE_TRINO_CA_FILE": str(suite.trino_ca),
            **{f"LAKE_{name}_PORT": str(port) for name, port in ports.items()},
            **KEPT,
        }
        with self.active():
            self._servers = [Server(service) for service in engines.services()[:2]]

    @contextmanager
    def active(self) -> Iterator[None]:
        """Let the code under test see this lake."""
        before = dict(os.environ)
        os.environ.update(self.environment)
        forget()
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)
            forget()

    def start(self) -> None:
        """Start store and catalog, side by side."""
        with self.active(), ThreadPoolExecutor() as pool:
            for done in [pool.submit(server.start) for server in self._servers]:
                done.result()

    def close(self) -> None:
        """End them, and remove all that they wrote."""
        for server in self._servers:
            server.close()
        shutil.rmtree(self.home, ignore_errors=True)


def stored_bytes() -> dict[str, int]:
    """Bytes of what the lake's tables and the landing area hold, and of what main as it is refers to alone."""
    found = {name: sum(info.size for info in _files(bucket)) for name, bucket in BUCKETS.items()}
    sizes = {f"s3://{info.path}": info.size for info in _files(BUCKETS["lake_bytes"])}
    main = reachable.find([Root(f"{MAIN}@{catalog.head()}", "main")], ()).of_main
    return {**found, "main_bytes": sum(size for uri, size in sizes.items() if uri in main)}


def bytes_by_layer() -> dict[str, int]:
    """Bytes of each layer's data and metadata, each for itself: ``raw/metadata``."""
    found = Counter[str]()
    for info in _files(BUCKETS["lake_bytes"]):
        _, layer, *_, kind, _ = info.path.split("/")
        found[f"{layer}/{kind}"] += info.size
    return dict(sorted(found.items()))


def _files(bucket: str) -> list[fs.FileInfo]:
    infos = storage.filesystem().get_file_info(fs.FileSelector(bucket, recursive=True))
    return [info for info in infos if info.type == fs.FileType.File]
