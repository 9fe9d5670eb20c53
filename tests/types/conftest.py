"""One set-up for the whole matrix: literal values in a database of their own, extracted with both decoders, registered
in raw and cleaned on a branch of their own. The oracle is what the server itself prints, as text or in hexadecimal.
"""

from __future__ import annotations

import contextlib
import functools
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import mysql_arrow
import pyarrow as pa
import pyarrow.parquet as pq
import pymysql
import pytest

from lake.commands.add_table import add_tables
from lake.contracts import Contract, load_all
from lake.extract.extract import Request, extract
from lake.extract.manifest import Manifest
from lake.layers import raw
from lake.platform import catalog, sql, storage
from lake.run import Run
from lake.settings import settings
from lake.source import sources
from tests.types import tables

HOSTILE = (
    "SET SESSION time_zone = '+05:30', sql_mode = 'PAD_CHAR_TO_FULL_LENGTH,ANSI_QUOTES,PIPES_AS_CONCAT', "
    "character_set_results = latin1"
)
"""A server may have such defaults for the sessions of others; not one value may depend on them."""

plainly = functools.partial(mysql_arrow.query, decoder="plain")
"""`mysql_arrow.query` with the decoder in plain Python."""


GEOMETRIES = ("geometry", "point", "polygon", "geometrycollection", "geomcollection")


@dataclass(frozen=True)
class RunBySpark(Run):
    """A run beside another of the same name, on a branch of its own."""

    @property
    def branch(self) -> str:
        return f"{super().branch}_by_spark"


@dataclass(frozen=True)
class Matrix:
    """The tables on their way: in the source, in landing, in raw, in cleaned and in quarantine.

    Attributes:
        run: its branch is also the name of the Trino catalog that shows it.
        by_spark: the same run on a branch on which Spark cleaned every table, small ones too.
        plain: what the decoder in plain Python landed, from the same rows.
        outcomes: what cleaning did, by table.
    """

    connection: pymysql.connections.Connection[Any]
    run: Run
    by_spark: Run
    contracts: dict[str, Contract]
    manifests: dict[str, Manifest]
    plain: dict[str, Manifest]
    outcomes: dict[str, Any]
    _known: dict[tuple[str, str], list[dict[str, str | None]]] = field(default_factory=dict)

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        """What the source answers."""
        with self.connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    @property
    def keeps_bad_text(self) -> bool:
        """Whether the server stores text that is none; MySQL lets no such bytes in."""
        return "mariadb" in str(self.ask("SELECT VERSION()")).lower()

    def in_source(self, table: str) -> list[dict[str, str | None]]:
        """All rows as the server prints them, sorted."""
        columns = self.contracts[table].columns
        listed = ", ".join(_printed(name, column.type) for name, column in columns.items())
        found = [dict(zip(columns, row, strict=True)) for row in self.ask(f"SELECT {listed} FROM `{table}`")]
        for row in found:
            row.update({name: _bits(row[name]) for name, column in columns.items() if _is_float(column.type)})
        return sorted(found, key=_in_order)

    def in_lake(self, layer: str, table: str) -> list[dict[str, str | None]]:
        """All rows of a layer, printed by Trino as the server would, sorted."""
        if (layer, table) not in self._known:
            columns = self.contracts[table].columns
            listed = ", ".join(_shown(name, column.parsed.arrow) for name, column in columns.items())
            rows = sql.query(f"SELECT {listed} FROM {layer}.{table}", self.run.branch)[1]
            found = [dict(zip(columns, row, strict=True)) for row in rows]
            self._known[layer, table] = sorted(found, key=_in_order)
        return self._known[layer, table]


def landed(manifest: Manifest) -> pa.Table:
    """The rows of an extraction, without the marks of its run."""
    files = [pq.read_table(storage.path_of(part.uri), filesystem=storage.filesystem()) for part in manifest.parts]
    return pa.concat_tables(files).drop_columns(["_run_id", "_extracted_at"])


def _in_order(row: dict[str, str | None]) -> list[str]:
    return [value or "" for value in row.values()]


def _is_float(mysql: str) -> bool:
    return mysql.startswith(("float", "double"))


def _printed(name: str, mysql: str) -> str:
    """A column as text that can be compared: what is text itself, and bytes, in hexadecimal."""
    column = f"`{name}`"
    if _is_float(mysql):
        # The bytes of a double, in a point's X. As text MySQL prints the largest doubles beyond what there is.
        return f"HEX(SUBSTR(POINT({column}, 0), 10, 8))"
    if mysql.startswith(("tinyint", "smallint", "mediumint", "int", "bigint", "bit", "year")) or "zerofill" in mysql:
        return f"CAST({column} + 0 AS CHAR)"
    if mysql.startswith(("datetime", "timestamp")):
        return f"DATE_FORMAT({column}, '%Y-%m-%d %H:%i:%s.%f')"
    if mysql == "date" or (mysql.startswith("decimal") and int(mysql[8:].split(",")[0]) <= 38):
        return f"CAST({column} AS CHAR)"
    if "blob" in mysql or "binary" in mysql or mysql in GEOMETRIES:
        return f"HEX({column})"
    return f"HEX(CAST({column} AS CHAR CHARACTER SET utf8mb4))"


def _shown(name: str, arrow: pa.DataType) -> str:
    """The same text from Trino."""
    column = f'"{name}"'
    if arrow == pa.string():
        return f"to_hex(to_utf8({column}))"
    if arrow == pa.binary():
        return f"to_hex({column})"
    if arrow in (pa.float32(), pa.float64()):
        return f"to_hex(to_ieee754_64(CAST({column} AS double)))"
    if arrow == pa.bool_():
        return f"CAST(CAST({column} AS integer) AS varchar)"
    if pa.types.is_timestamp(arrow):
        return f"replace(CAST({column} AT TIME ZONE 'UTC' AS varchar), ' UTC', '')"
    return f"CAST({column} AS varchar)"


def _bits(printed: str | None) -> str | None:
    """The bytes of a double, of which the server gives the lowest one first, in hexadecimal."""
    return None if printed is None else bytes.fromhex(printed)[::-1].hex().upper()


@pytest.fixture(scope="module")
def source(
    platform: None, server: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[pymysql.connections.Connection[Any]]:
    """A connection to a database of the test's own on the primary, which the settings name as the source.

    The replica gets nothing of it: it could not be dropped there under a replication that is still behind.
    """
    name = f"types_{uuid.uuid4().hex[:12]}"
    connection = pymysql.connect(
        host=server.host,
        port=server.port,
        user=server.user,
        password=server.password,
        charset="utf8mb4",
        autocommit=True,
        init_command="SET sql_log_bin = 0, time_zone = '+00:00'",
    )
    environment = {
        "CONTRACTS": str(tmp_path_factory.mktemp("contracts")),
        "SOURCE_NAME": name,
        "SOURCE_DATABASE": name,
        "SOURCE_HOST": server.host,
        "SOURCE_PORT": str(server.port),
        "SOURCE_USER": server.user,
        "SOURCE_PASSWORD": server.password,
    }
    with connection, connection.cursor() as cursor, pytest.MonkeyPatch.context() as patch:
        for key, value in environment.items():
            patch.setenv(f"LAKE_{key}", value)
        settings.cache_clear()
        cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci")
        connection.select_db(name)
        try:
            yield connection
        finally:
            cursor.execute(f"DROP DATABASE {name}")
            storage.delete_prefix(f"{storage.LANDING}/{name}")
            patch.undo()
            settings.cache_clear()


@contextlib.contextmanager
def hostile_sessions() -> Iterator[None]:
    """New sessions begin with the defaults that a hostile server would give them."""
    from pymysql.connections import Connection

    authenticate = Connection._request_authentication

    def begin(self: Any) -> None:
        authenticate(self)
        self._execute_command(3, HOSTILE)
        self._read_ok_packet()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Connection, "_request_authentication", begin)
        yield


@pytest.fixture(scope="module")
def matrix(source: pymysql.connections.Connection[Any]) -> Iterator[Matrix]:
    """All tables, all the way: one extraction with each decoder, one pass of Spark."""
    from lake.layers.work import Work
    from spark_jobs.cleaned import clean
    from spark_jobs.session import connect, disconnect

    made = tables.make(source)
    origin = sources.shop()
    add_tables(made, source_name=origin.name)
    contracts = tables.adjusted(load_all([origin.name]))
    requests = [Request(contracts[table]) for table in made]
    with hostile_sessions():
        manifests = {manifest.table: manifest for manifest in extract(origin, requests, origin.name)}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(mysql_arrow, "query", plainly)
            plain = {manifest.table: manifest for manifest in extract(origin, requests, f"{origin.name}_plain")}

    raw.prepare(catalog.MAIN)
    run, by_spark = (kind(origin.name, "", sources=(origin.name,), has_marts=False) for kind in (Run, RunBySpark))
    work = Work.of(manifests.values(), waiting=set())
    # Without the addresses of their files they cannot be judged without Spark.
    without_files = Work({table: replace(landed, files=()) for table, landed in work.landed.items()}, waiting=set())
    spark = connect()
    try:
        outcomes = []
        for each, found in ((run, work), (by_spark, without_files)):
            catalog.create_branch(each.branch)
            raw.register_all(list(manifests.values()), contracts, each.branch, present=())
            outcomes.append({one.table: one for one in clean(spark, each, made, contracts, found)})
        assert outcomes[0] == outcomes[1]
        with sql.catalog_at(run.branch, run.branch):
            yield Matrix(source, run, by_spark, contracts, manifests, plain, outcomes[0])
    finally:
        disconnect(spark)
        for each in (run, by_spark):
            catalog.delete_branch(each.branch)
