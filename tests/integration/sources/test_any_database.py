"""A database that the lake has never seen, from its address to ``cleaned``. The oracle is SQL on both sides."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote as in_url

import pymysql
import pytest

from lake import contracts
from lake.commands.add_table import add_source, add_tables
from lake.contracts import Contract, frozen
from lake.contracts.source_schema import ForeignKey
from lake.errors import ContractError, SourceError
from lake.layers import raw
from lake.layers.outcome import Outcome
from lake.platform import catalog, sql, storage
from lake.run import Run
from lake.source import client, schema, sources
from lake.steps import cleaning
from lake.steps.audit import audit
from lake.steps.clean import clean
from lake.steps.curate import curate
from lake.steps.extract import extract
from lake.steps.marts import marts
from lake.steps.register import register

pytestmark = pytest.mark.thorough

LONG = "customer's-" + "very-" * 10 + "old"
WIDE = ", ".join(f"c{number} INT NOT NULL DEFAULT {number}" for number in range(100))
PASSWORD = "p@ss:w/ör'd\\ ${HOME}#%"
CHANGES = (
    "DELETE FROM `no key` WHERE a = 1 LIMIT 1",
    "INSERT INTO `no key` VALUES (2, 'once')",
    "UPDATE `pairs%` SET b = 'z' WHERE a = 2",
    "DELETE FROM `a;DROP TABLE x` WHERE `order` = 2",
    f"UPDATE `{LONG}` SET updated_at = '2026-01-01' WHERE id = 2",
    f"DELETE FROM `{LONG}` WHERE id = 1",
    "UPDATE tokens SET n = 1 WHERE token = x'6120'",
    "DELETE FROM tokens WHERE token = x''",
    "UPDATE words SET word = 'GRÖSSE' WHERE word = 'Größe'",
    "INSERT INTO `empty` VALUES (1, 'no more')",
)
Execute = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def database(own_lake: Path, shop_database: tuple[str, int, str, str, str]) -> Iterator[tuple[Execute, str]]:
    """A way to ask the nasty schema, and its address for a user who may read it and nothing else."""
    host, port, user, password, name = shop_database
    reader = f"reader_{name[-8:]}"
    assert len(LONG) == 64
    statements = (Path(__file__).parent / "nasty.sql").read_text().replace("{parent}", LONG).replace("{wide}", WIDE)
    with pymysql.connect(
        host=host, port=port, user=user, password=password, database=name, charset="utf8mb4", autocommit=True
    ) as connection:

        def execute(statement: str, parameters: tuple[Any, ...] | None = None) -> list[tuple[Any, ...]]:
            with connection.cursor() as cursor:
                cursor.execute(statement, parameters)
                return list(cursor.fetchall())

        execute(f"ALTER DATABASE {name} CHARACTER SET utf8mb4")
        for statement in statements.split(";\n"):
            if statement.strip():
                execute(statement)
        execute(f"CREATE USER {reader} IDENTIFIED BY %s", (PASSWORD,))
        execute(f"GRANT SELECT, SHOW VIEW ON {name}.* TO {reader}")
        yield execute, f"mysql://{reader}:{in_url(PASSWORD, safe='')}@{host}:{port}/{name}"
        execute(f"DROP USER {reader}")


@pytest.fixture
def branch(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A branch on which runs follow each other."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    raw.prepare(catalog.MAIN)
    catalog.create_branch(name)
    monkeypatch.setattr(Run, "branch", property(lambda self: name))
    yield name
    catalog.delete_branch(name)


def run_once(number: int, origins: tuple[str, ...], is_audited: bool) -> dict[str, Outcome]:
    """The steps of the pipeline up to the audit; the outcome of each table."""
    from spark_jobs.session import connect, disconnect

    spark = connect()
    try:
        run_id = f"{origins[0]}_{number}"
        sha256 = frozen.freeze(contracts.load_all(origins))
        run = Run(run_id, catalog.head(), sources=origins, has_marts=False, contracts_sha256=sha256)
        for origin in origins:
            extract(run, origin)
        for tables in register(run):
            clean(spark, run, tables)
        assert curate(spark, run) == {}
        assert marts(run)["rows"] == {}
        if is_audited:
            checks = audit(run)
            assert (checks["failed"], checks["warnings"]) == (0, [])
        return cleaning.outcomes(run)
    finally:
        disconnect(spark)


def assert_equal_to_source(execute: Execute, found: dict[str, Contract], branch: str) -> None:
    """Every row of every table, as often as the source has it."""
    with sql.catalog_at(branch, branch):
        for table, contract in found.items():
            held = ", ".join(f'"{name}"' for name in contract.columns)
            names = ", ".join(
                "`" + contract.column_in_source(name).replace("`", "``") + "`" for name in contract.columns
            )
            there = execute(f"SELECT {names} FROM `{contract.name_in_source}`")
            here = sql.query(f'SELECT {held} FROM cleaned."{table}"', branch)[1]
            assert Counter(map(_plain, here)) == Counter(map(_plain, there)), table


def _plain(row: Any) -> tuple[Any, ...]:
    return tuple(value.astimezone(UTC).replace(tzinfo=None) if _is_aware(value) else value for value in row)


def _is_aware(value: Any) -> bool:
    return isinstance(value, datetime) and value.tzinfo is not None


def test_every_table_reaches_cleaned_and_follows_the_source(
    database: tuple[Execute, str], branch: str, own_lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute, url = database
    origin, other = sources.from_url(url, f"n{branch[-6:]}"), sources.from_url(url, f"n{branch[-6:]}b")
    try:
        assert "18 tables" in add_source(origin)
        assert PASSWORD not in (own_lake / "sources.json").read_text()
        assert (own_lake / "secrets.env").stat().st_mode & 0o777 == 0o600
        assert sources.named(origin.name).password.get_secret_value() == PASSWORD

        added = add_tables([], every=True)
        assert len(added.written) == 18
        assert f"{origin.name}: view a view is left out" in added.notes
        assert add_tables([], every=True).written == []
        # The same database once more, as another source: their tables do not meet.
        add_source(other)
        with pytest.raises(ContractError, match=f"table 'tree' is in {origin.name} and {other.name}"):
            add_tables(["tree"])
        (file,) = add_tables(["tree"], source_name=other.name).written
        with pytest.raises(ContractError, match=f"{file.name} exists"):
            add_tables(["tree"], source_name=other.name)
        drafted = file.read_text()
        assert add_tables(["tree"], source_name=other.name, replace=True).written == [file]
        assert file.read_text() == drafted

        found = contracts.load_all([origin.name, other.name])
        assert len(found) == 19
        assert all(table.startswith(contract.source + "_") for table, contract in found.items())
        run_once(1, (origin.name, other.name), is_audited=True)
        assert_equal_to_source(execute, found, branch)

        for statement in CHANGES:
            execute(statement)
        # As if the first run were published: its manifests hold what the increments start from.
        monkeypatch.setattr("lake.steps.extract.last_published", lambda commit: f"{origin.name}_1")
        outcomes = run_once(2, (origin.name, other.name), is_audited=False)
        assert_equal_to_source(execute, found, branch)
        moved = [contract for contract in found.values() if contract.cursor]
        assert {contract.name_in_source for contract in moved} == {LONG, "pairs%", "tokens"}
        for contract in moved:
            outcome = outcomes[contract.table]
            assert (outcome.judged, outcome.refused, outcome.deleted) == (1, 0, 1)
    finally:
        for name in (origin.name, other.name):
            storage.delete_prefix(f"{storage.LANDING}/{name}/")


def test_foreign_keys_that_the_server_hides_are_not_taken_for_none(database: tuple[Execute, str]) -> None:
    execute, url = database
    origin = sources.from_url(url, "nasty")

    def references(table: str) -> list[ForeignKey] | None:
        with client.connected(origin) as connection:
            return schema.read_tables(connection, origin)[table].foreign_keys

    assert references("tree") == [ForeignKey(("parent",), "tree", ("id",))]
    assert references("words") == []
    execute(f"REVOKE SHOW VIEW ON {origin.database}.* FROM {origin.user}")
    # MySQL 8 shows them all the same.
    assert references("tree") != []


def test_a_source_that_refuses_us_is_not_remembered(database: tuple[Execute, str], own_lake: Path) -> None:
    _, url = database
    wrong = url.replace(in_url(PASSWORD, safe=""), "wrong")
    with pytest.raises(SourceError, match=r"cannot connect to the source .*Access denied.*\n.*lake add-source"):
        add_source(sources.from_url(wrong, "nasty"))
    with pytest.raises(SourceError, match="Can't connect"):
        add_source(sources.from_url("mysql://a:b@127.0.0.1:9/c", "nasty"))
    assert "nasty" not in sources.known()
    assert not (own_lake / "sources.json").exists()
