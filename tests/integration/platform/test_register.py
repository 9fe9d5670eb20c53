"""Landing files come into raw: new tables many in one commit, and nothing twice."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from lake.contracts import EXTRACTED_AT, OPERATION, READ, RUN_ID, Contract
from lake.extract.landing import write_batches
from lake.extract.manifest import Manifest
from lake.layers import raw
from lake.platform import catalog, storage
from lake.source.snapshot import Snapshot

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SAID: dict[str, Any] = {"description": "x", "owner": "x", "grain": "x", "deletes": "keys", "key": ["k"]}
COLUMNS = {"k": {"type": "bigint", "nullable": False}, "t": {"type": "text"}, "d": {"type": "decimal(20,3)"}}


@dataclass
class Landed:
    """Three tables on a branch of their own, of which the last has no row."""

    branch: str
    contracts: dict[str, Contract]
    manifests: list[Manifest] = field(default_factory=list)

    def land(self, run_id: str) -> None:
        """Land two rows of each table but the last."""
        snapshot = Snapshot("shop", NOW, "", server="")
        self.manifests = []
        for number, (table, contract) in enumerate(self.contracts.items()):
            rows = 2 if number < 2 else 0
            landed = Manifest(table, run_id, "full", snapshot, rows, watermark=NOW if number else None)
            if rows:
                values = {name: pa.nulls(rows, kind.type) for name, kind in zip(COLUMNS, contract.schema, strict=True)}
                read = pa.table({**values, "k": pa.array([1, 2], pa.int64()), "_problems": pa.nulls(rows, pa.string())})
                marks = {RUN_ID: run_id, EXTRACTED_AT: NOW, OPERATION: READ}
                uri = f"{storage.LANDING}/{self.branch}/{table}/run={run_id}/part.parquet"
                part = write_batches(uri, contract.raw_schema, marks, read.to_batches())
                assert part
                landed = replace(landed, parts=[part])
            self.manifests.append(landed)

    def register(self) -> None:
        raw.register_all(self.manifests, self.contracts, self.branch, catalog.contents(self.branch))

    @property
    def rows(self) -> list[int]:
        return [raw.row_count(self.branch, "raw", table) for table in self.contracts]

    @property
    def commits(self) -> int:
        return len(catalog.log(self.branch))


@pytest.fixture
def landed(iceberg: None) -> Iterator[Landed]:
    """What a first run has landed."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    contracts = {
        table: Contract.model_validate({**SAID, "table": table, "columns": COLUMNS})
        for table in (f"{name}_{number}" for number in range(3))
    }
    catalog.create_branch(name)
    found = Landed(name, contracts)
    found.land("first")
    yield found
    catalog.delete_branch(name)
    storage.delete_prefix(f"{storage.LANDING}/{name}")


def test_new_tables_are_made_in_one_commit_and_done_again_nothing_happens(landed: Landed) -> None:
    before = landed.commits
    landed.register()
    assert landed.rows == [2, 2, 0]
    assert landed.commits == before + 1
    first, second, empty = (raw.find(landed.branch, "raw", table) for table in landed.contracts)
    assert first and second and empty
    assert (first.properties[raw.LAST_RUN], raw.WATERMARK in first.properties) == ("first", False)
    assert second.properties[raw.WATERMARK] == NOW.isoformat()
    assert raw.LAST_RUN not in empty.properties
    assert [len(raw.files(landed.branch, table)) for table in landed.contracts] == [1, 1, 0]

    landed.register()
    assert (landed.rows, landed.commits) == ([2, 2, 0], before + 1)


def test_the_next_run_adds_to_them(landed: Landed) -> None:
    landed.register()
    landed.land("second")
    landed.register()
    assert landed.rows == [4, 4, 0]


def test_manifests_of_many_runs_are_put_together(landed: Landed) -> None:
    landed.register()
    runs = 12
    for number in range(runs):
        landed.land(f"run_{number}")
        landed.register()
    found = raw.find(landed.branch, "raw", next(iter(landed.contracts)))
    assert found
    snapshot = found.current_snapshot()
    assert snapshot
    assert len(snapshot.manifests(found.io)) < raw.FEW_MANIFESTS
    assert len(raw.files(landed.branch, found.name()[1])) == 1 + runs
    assert sorted(found.scan().to_arrow()["k"].to_pylist()) == sorted([1, 2] * (1 + runs))


def test_a_try_that_was_faster_with_one_table_is_no_matter(landed: Landed) -> None:
    present = catalog.contents(landed.branch)
    first = landed.manifests[0]
    raw.register(first, landed.contracts[first.table], landed.branch)
    raw.register_all(landed.manifests, landed.contracts, landed.branch, present)
    assert landed.rows == [2, 2, 0]
