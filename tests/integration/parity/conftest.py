"""A database and a lake that follows it: extracted as a run does, and taken in with pyiceberg in Spark's place."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pymysql
import pytest
from pydantic import SecretStr

from lake.contracts import PROBLEMS, Contract, draft
from lake.extract.extract import extract
from lake.extract.manifest import Manifest, Part
from lake.layers import raw
from lake.layers.held import HeldRows
from lake.ledger import parity, parity_marks
from lake.ledger.parity import Against, Finding
from lake.ledger.parity_subjects import Subject
from lake.platform import catalog, storage
from lake.source import client, schema
from lake.source.sources import Source
from lake.steps.extract import request

REFUSED = pa.field("_reasons", pa.list_(pa.string()))


class Town:
    """A source, the contracts of its tables, and a branch with what the lake holds of them."""

    def __init__(self, origin: Source, connection: pymysql.connections.Connection[Any], branch: str) -> None:
        self.origin, self.branch = origin, branch
        self.contracts: dict[str, Contract] = {}
        self.published: dict[str, Manifest] = {}
        self.connection = connection
        self._runs = 0

    def do(self, *statements: str, binlog: bool = True) -> None:
        """Run statements, each in a transaction of its own; without the binlog as a restore does."""
        with self.connection.cursor() as cursor:
            cursor.execute(f"SET SESSION sql_log_bin = {int(binlog)}, sql_mode = ''")
            for statement in statements:
                cursor.execute(statement)

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        """What the source answers."""
        with self.connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    def contract(self, table: str, **changes: Any) -> Contract:
        """Draft a table's contract, with some changes, for the runs from now on."""
        with client.connected(self.origin) as reading:
            tables = schema.read_tables(reading, self.origin)
        drafts, refusals = draft.draft(tables, [table], "", [], self.origin.name)
        assert not refusals
        described = {**drafts[table].contract, **changes, "source": self.origin.name}
        described["table"] = f"{self.branch}_{table}"
        described["source_table"] = table
        self.contracts[table] = Contract.model_validate(described)
        return self.contracts[table]

    def run(self) -> dict[str, Manifest]:
        """Extract what changed of every table, and take it in."""
        self._runs += 1
        marks = parity_marks.read(self.contracts.values())
        requests = [
            request(contract, self.published.get(name), self._held, marks.get(contract.table))
            for name, contract in self.contracts.items()
        ]
        landed = extract(self.origin, requests, f"{self.branch}_{self._runs}")
        self.published = dict(zip(self.contracts, landed, strict=True))
        for name, manifest in self.published.items():
            self._take_in(self.contracts[name], manifest)
        return self.published

    def sweep(self, against: Against = "source") -> dict[str, Finding]:
        """What parity finds of each table."""
        return dict(zip(self.published, parity.sweep(self.origin, self.subjects(), against), strict=True))

    def subjects(self, tables: Collection[str] = ()) -> list[Subject]:
        """What is compared, by the tables' names in the lake."""
        pairs = [(self.contracts[name], manifest) for name, manifest in self.published.items()]
        return [
            Subject(contract, manifest, self._held(contract))
            for contract, manifest in pairs
            if not tables or contract.table in tables
        ]

    def landed_keys(self, table: str) -> list[tuple[Any, ...]]:
        """Keys of the rows that the last run landed."""
        contract = self.contracts[table]
        read = self._landed(contract, self.published[table].parts).select(list(contract.key))
        return [tuple(row.values()) for row in read.to_pylist()]

    def lake(self, table: str, layer: str = "cleaned") -> Any:
        """The Iceberg table of a layer."""
        found = raw.find(self.branch, layer, self.contracts[table].table)
        assert found is not None
        return found

    def _held(self, contract: Contract) -> HeldRows:
        return HeldRows(self.branch, contract)

    def _take_in(self, contract: Contract, manifest: Manifest) -> None:
        """Rows with problems go to quarantine, as Spark's rules say."""
        read, deleted = self._landed(contract, manifest.parts), self._landed(contract, manifest.deletes)
        if manifest.mode == "increment":
            held = pa.Table.from_batches(
                self._held(contract).rows([parity.Range()], contract.read_schema.names), contract.read_schema
            )
            names = list(contract.key)
            changed = pa.concat_tables([read.select(names), deleted.select(names)])
            positions = pa.table({"row": range(held.num_rows)}).append_column("x", pa.nulls(held.num_rows))
            with_rows = held.select(names).append_column("row", positions["row"])
            kept = with_rows.join(changed, names, join_type="left anti")["row"]
            read = pa.concat_tables([held.take(kept), read])
        refused = pa.compute.is_valid(read[PROBLEMS])
        self._write("cleaned", contract, read.filter(pa.compute.invert(refused)).drop_columns([PROBLEMS]))
        self._write("quarantine", contract, read.filter(refused))

    def _write(self, layer: str, contract: Contract, rows: pa.Table) -> None:
        name = (layer, contract.table)
        tables = raw.open_catalog(self.branch)
        if raw.find(self.branch, *name) is None:
            tables.create_table(name, rows.schema)
        tables.load_table(name).overwrite(rows)

    def _landed(self, contract: Contract, parts: list[Part]) -> pa.Table:
        files = [pq.read_table(storage.path_of(part.uri), filesystem=storage.filesystem()) for part in parts]
        chosen = [file.select(contract.read_schema.names).cast(contract.read_schema) for file in files]
        return pa.concat_tables([contract.read_schema.empty_table(), *chosen])


@pytest.fixture
def origin(iceberg: None, shop_database: tuple[str, int, str, str, str]) -> Iterator[Source]:
    """An empty database, read by its root."""
    host, port, user, password, name = shop_database
    yield Source(name=name, host=host, port=port, user=user, database=name, password=SecretStr(password))
    storage.delete_prefix(f"{storage.LANDING}/{name}")


@pytest.fixture
def town(origin: Source) -> Iterator[Town]:
    """The database and a branch of the lake, both empty."""
    branch = f"test_{uuid.uuid4().hex[:12]}"
    catalog.create_branch(branch)
    connect: Callable[..., Any] = pymysql.connect
    with closing(
        connect(
            host=origin.host,
            port=origin.port,
            user=origin.user,
            password=origin.password.get_secret_value(),
            database=origin.database,
            charset="utf8mb4",
            autocommit=True,
            init_command="SET time_zone = '+00:00'",
        )
    ) as connection:
        yield Town(origin, connection, branch)
    catalog.delete_branch(branch)
