"""What has drifted is read again by the next run, and a second pass agrees. The oracle is what the source holds."""

from __future__ import annotations

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyarrow as pa
import pytest
from pyiceberg.expressions import EqualTo, In
from typer.testing import CliRunner

from lake.commands import parity as command
from lake.commands.main import app
from lake.errors import LakeError
from lake.layers import raw
from lake.ledger import ops, parity_ledger, parity_marks, parity_pass, parity_subjects
from lake.platform import catalog, storage
from lake.source import sources
from tests.integration.parity.conftest import Town
from tests.numbers import numbers


@pytest.fixture
def shop(town: Town, monkeypatch: pytest.MonkeyPatch) -> Town:
    """A table of each kind, published, and seen by a pass as if they were main's."""
    town.do(
        "CREATE TABLE orders (id INT PRIMARY KEY, status VARCHAR(20), updated_at TIMESTAMP(6) NOT NULL"
        " DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6))",
        "CREATE TABLE stores (code VARCHAR(10) PRIMARY KEY, name VARCHAR(40))",
        "CREATE TABLE visits (id INT, at DATE)",
        f"INSERT INTO orders SELECT seq, 'new', '2026-01-01' FROM {numbers(1, 3000)}",
        "INSERT INTO orders (id, status) VALUES (3001, 'new')",
        "INSERT INTO stores VALUES ('a', 'A street'), ('b', 'B street')",
        "INSERT INTO visits VALUES (1, '2026-01-01'), (1, '2026-01-01')",
    )
    for table in ("orders", "stores", "visits"):
        town.contract(table)
    town.run()
    monkeypatch.setattr(parity_subjects, "published", lambda commit, tables: {town.origin.name: town.subjects(tables)})
    monkeypatch.setattr(sources, "named", lambda name: town.origin)
    return town


def _in_lake(town: Town, table: str) -> list[tuple[Any, ...]]:
    rows = town.lake(table).scan().to_arrow().select(list(town.contracts[table].columns)).to_pylist()
    return sorted(tuple(str(value).replace("+00:00", "") for value in row.values()) for row in rows)


def _in_source(town: Town, table: str) -> list[tuple[Any, ...]]:
    return sorted(tuple(map(str, row)) for row in town.ask(f"SELECT * FROM {table}"))


def _marks(town: Town) -> set[str]:
    marked = parity_marks.read(town.contracts.values())
    return {name for name, contract in town.contracts.items() if contract.table in marked}


@pytest.mark.parametrize(("way", "drifted"), [("binlog", 5), ("cursor", 5), ("sweep", 0)])
def test_what_drifted_is_read_again_among_what_changed(shop: Town, way: str, drifted: int) -> None:
    """A sweep finds by itself what the source changed, and reads its bucket whole."""
    shop.contract("orders", increment=way)
    shop.run()
    shop.do(
        "UPDATE orders SET status = 'old', updated_at = updated_at WHERE id IN (1, 2, 3)",
        "UPDATE stores SET name = 'C street' WHERE code = 'a'",
        binlog=False,
    )
    shop.do("DELETE FROM stores WHERE code = 'b'", "INSERT INTO stores VALUES ('c', 'C street')", binlog=False)
    shop.lake("orders").delete("id in (100, 101)")
    found = {one.table: one for one in parity_pass.take(is_marking=True)}
    rows = {name: found[contract.table].drift.rows for name, contract in shop.contracts.items()}
    assert rows == {"orders": drifted, "stores": 3, "visits": 0}
    # One of the rows changes besides, and one is gone by now.
    shop.do("UPDATE orders SET status = 'paid' WHERE id IN (2, 7)", "DELETE FROM orders WHERE id IN (3, 9)")
    landed = shop.run()
    for table in ("orders", "stores"):
        assert _in_lake(shop, table) == _in_source(shop, table)
    assert "3 rows that had drifted are read again" in landed["stores"].reason
    read = shop.landed_keys("orders")
    assert len(read) == len(set(read))
    assert all(one.is_equal for one in parity_pass.take(is_marking=True))
    assert _marks(shop) == set()
    assert shop.run()["stores"].rows == 0


def test_rows_that_have_no_name_or_cannot_be_merged_are_read_with_their_whole_table(shop: Town) -> None:
    stores = shop.lake("stores")
    stores.append(stores.scan(row_filter="code == 'a'").to_arrow())
    shop.lake("visits").delete("id == 1")
    (file,) = shop.lake("orders").inspect.files()["file_path"].to_pylist()
    storage.put(file, b"PAR1" + bytes(100))
    found = {one.table: one for one in parity_pass.take(is_marking=True)}
    assert file in found[shop.contracts["orders"].table].error
    assert _marks(shop) == {"orders", "stores", "visits"}
    landed = shop.run()
    assert {manifest.mode for manifest in landed.values()} == {"full"}
    assert landed["stores"].reason == "1 rows had drifted, and are not mended one by one"
    assert all(one.is_equal for one in parity_pass.take(is_marking=True))
    assert _marks(shop) == set()


def test_the_command(shop: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    table = shop.contracts["stores"].table
    said = CliRunner().invoke(app, ["parity", table, "--json"])
    assert said.exit_code == 0
    (entry,) = json.loads(said.stdout)
    assert (entry["table"], entry["verified_through"]) == (table, entry["instant"])
    shop.do("UPDATE stores SET name = 'C street' WHERE code = 'b'", binlog=False)
    said = CliRunner().invoke(app, ["parity", "--json"])
    assert said.exit_code == 1
    orders, stores, _ = json.loads(said.stdout)
    assert (orders["drift_rows"], orders["drift"]) == (0, {})
    assert (stores["drift_rows"], stores["mended_rows"], stores["verified_through"]) == (1, 0, entry["instant"])
    assert stores["drift"] == {"changed": [{"code": "b"}]}
    assert "changed: code=b" in CliRunner().invoke(app, ["parity"]).stdout
    assert _marks(shop) == set()

    monkeypatch.setattr(command, "run_pipeline", lambda asked, console: shop.run())
    said = CliRunner().invoke(app, ["parity", "--repair", "--json"])
    assert said.exit_code == 0
    _, stores, _ = json.loads(said.stdout)
    assert (stores["drift_rows"], stores["mended_rows"]) == (1, 1)
    assert stores["verified_through"] > stores["instant"]
    assert _in_lake(shop, "stores") == _in_source(shop, "stores")


def test_a_repair_whose_run_fails_is_done_by_the_next_run(shop: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.do("UPDATE stores SET name = 'C street' WHERE code = 'b'", binlog=False)

    def fails(full: bool, console: Any) -> None:
        raise LakeError("the run failed")

    monkeypatch.setattr(command, "run_pipeline", fails)
    assert CliRunner().invoke(app, ["parity", "--repair"]).exit_code == 1
    assert _marks(shop) == {"stores"}
    shop.run()
    assert _in_lake(shop, "stores") == _in_source(shop, "stores")
    assert all(one.is_equal for one in parity_pass.take(is_marking=False))
    assert _marks(shop) == set()


def test_the_ledger_is_on_a_branch_of_its_own_and_says_what_was_found_and_mended(shop: Town) -> None:
    main, stores = catalog.head(), shop.contracts["stores"].table
    parity_pass.take(is_marking=True)
    proven = parity_ledger.verified_through()[stores]
    shop.do("UPDATE stores SET name = 'C street' WHERE code = 'b'", binlog=False)
    parity_pass.take(is_marking=True)
    assert parity_ledger.verified_through()[stores] == proven
    shop.run()
    parity_pass.take(is_marking=True)
    assert parity_ledger.verified_through()[stores] > proven
    table = raw.find(ops.BRANCH, "ops", "parity")
    assert table is not None
    rows = table.scan(row_filter=EqualTo("table", stores)).to_arrow().sort_by("instant").to_pylist()
    assert [(row["drift_rows"], row["mended_rows"]) for row in rows] == [(0, 0), (1, 0), (0, 1)]
    assert [row["verified_through"] for row in rows] == [rows[0]["instant"], rows[0]["instant"], rows[2]["instant"]]
    assert {(row["source_rows"], row["lake_rows"], row["lake_commit"]) for row in rows} == {(2, 2, main)}
    assert catalog.head() == main
    # What the runs of other tests left of their lineage is there too.
    assert {*catalog.tables(ops.BRANCH)} <= {"ops.lineage", "ops.parity"}


def test_a_sweep_that_is_entered_twice_stands_there_once(shop: Town) -> None:
    findings, sweep = list(shop.sweep().values()), uuid.uuid4().hex
    for _ in range(2):
        parity_ledger.write(sweep, catalog.head(), "source", findings)
    table = raw.find(ops.BRANCH, "ops", "parity")
    assert table is not None
    assert table.scan(row_filter=EqualTo("sweep", sweep)).to_arrow().num_rows == len(findings)


def test_sweeps_that_end_at_once_are_all_entered(shop: Town) -> None:
    findings, ids = list(shop.sweep().values()), [uuid.uuid4().hex for _ in range(4)]
    with ThreadPoolExecutor(len(ids)) as pool:
        list(pool.map(lambda sweep: parity_ledger.write(sweep, catalog.head(), "source", findings), ids))
    table = raw.find(ops.BRANCH, "ops", "parity")
    assert table is not None
    assert table.scan(row_filter=In("sweep", ids)).to_arrow().num_rows == len(ids) * len(findings)


def test_keys_of_every_kind_are_marked_as_they_are(town: Town) -> None:
    columns = "a BIGINT UNSIGNED, b DATE, c VARBINARY(9), d DECIMAL(9,2), e DATETIME(6), f VARCHAR(9), v INT"
    town.do(
        f"CREATE TABLE t ({columns}, PRIMARY KEY (a, b, c, d, e, f))",
        "INSERT INTO t VALUES (18446744073709551615, '0001-01-01', 0x00FF, -0.10, '2026-01-01 00:00:00.00001', 'é', 1)",
    )
    contract = town.contract("t")
    town.run()
    town.do("UPDATE t SET v = 2", binlog=False)
    finding = town.sweep()["t"]
    mark = parity_marks.set_mark(finding, contract)
    again = parity_marks.read([contract])[contract.table]
    assert isinstance(again.keys, pa.Table)
    assert again.keys.equals(mark.keys) and again.keys.num_rows == 1
    town.run()
    assert town.sweep()["t"].is_equal
    parity_marks.forget(contract.table)
