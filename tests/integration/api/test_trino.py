"""The API's way to a real Trino: as its own user, at one commit, whatever main becomes."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from lake.api import trino as edge
from lake.api.problems import Problem
from lake.api.published import BranchHead, Lake
from lake.api.trino import Trino
from lake.errors import LakeError
from lake.layers import raw
from lake.platform import catalog, sql
from lake.platform.catalog import MAIN

PERSON = ("ada@example.org", "Ada", "Köln")


@pytest.fixture(scope="module")
def table(iceberg: None, engines: None) -> Iterator[str]:
    """A table of one person in `curated` and in `cleaned` of the published lake."""
    raw.prepare(MAIN)
    name = f"api_test_{uuid.uuid4().hex[:8]}"
    try:
        for layer in ("curated", "cleaned"):
            sql.rows(f"CREATE TABLE lake.{layer}.{name} AS SELECT * FROM (VALUES {PERSON}) AS t (email, given, city)")
        yield name
    finally:
        for layer in ("curated", "cleaned"):
            sql.rows(f"DROP TABLE IF EXISTS lake.{layer}.{name}")


@pytest.fixture
def trino() -> Iterator[Trino]:
    """The edge, whose catalogs go afterwards."""
    made = Trino()
    yield made
    for name in [*made._made]:
        made._drop(name)


def now(receipt: str = "r", is_past: bool = False) -> Lake:
    return Lake(receipt, catalog.head(), "", is_past)


def test_a_commit_shows_the_same_whatever_main_becomes(table: str, trino: Trino) -> None:
    before = now()
    asked = f"SELECT count(*) FROM curated.{table} WHERE city = ?"
    assert trino.ask(before, asked, ["Köln"])[1] == [[1]]
    sql.rows(f"INSERT INTO lake.curated.{table} VALUES {PERSON}")
    assert trino.ask(before, asked, ["Köln"])[1] == [[1]]
    assert trino.ask(now(), asked, ["Köln"])[1] == [[2]]
    assert trino.ask(now(), asked, ["' OR '1'='1"])[1] == [[0]]


def test_what_is_personal_is_masked_and_what_is_not_served_is_refused(table: str, trino: Trino) -> None:
    lake = now()
    email, given = trino.ask(lake, f"SELECT email, given FROM curated.{table}")[1][0]
    assert (email, given) == ("***", "Ada")
    for statement in (
        f"SELECT 1 FROM cleaned.{table}",
        f"SELECT 1 FROM lake.curated.{table}",
        f"DELETE FROM curated.{table}",
        f'SELECT 1 FROM curated."{table}$files"',
        f"CREATE TABLE curated.{table}_2 AS SELECT 1 AS a",
    ):
        with pytest.raises(LakeError, match="Access Denied"):
            trino.ask(lake, statement)
    with pytest.raises(LakeError, match="Access Denied"):
        sql.make_catalog("lake_of_api", lake.reference, edge._login())


@pytest.mark.thorough
def test_a_catalog_that_trino_has_forgotten_is_made_again(table: str, trino: Trino) -> None:
    lake = now()
    trino.ask(lake, f"SELECT 1 FROM curated.{table}")
    sql.rows(f'DROP CATALOG "{lake.catalog}"')
    assert trino.ask(lake, f"SELECT 1 FROM curated.{table}")[1]
    another = Trino()
    assert another.ask(lake, f"SELECT 1 FROM curated.{table}")[1]
    assert lake.catalog in another._made


@pytest.mark.thorough
def test_catalogs_do_not_pile_up(table: str, trino: Trino, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge, "MOST_CATALOGS", 2)
    commits = [commit.hash for commit in catalog.log(limit=4)]
    for commit in commits:
        trino.ask(Lake("r", commit, ""), "SELECT 1")
    left = {str(name) for (name,) in sql.query("SHOW CATALOGS")[1] if str(name).startswith("api_")}
    assert left <= {Lake("r", commit, "").catalog for commit in commits[-2:]}


def test_a_lake_that_did_not_have_the_table_yet_says_so(trino: Trino, table: str) -> None:
    with pytest.raises(Problem) as caught:
        trino.ask(now(is_past=True), "SELECT 1 FROM marts.of_next_year")
    assert (caught.value.status_code, caught.value.kind) == (404, "not-in-this-lake")


def test_main_s_head_is_what_the_catalog_says(iceberg: None) -> None:
    import asyncio

    async def asked() -> str:
        head = BranchHead(catalog.MAIN)
        try:
            return await head()
        finally:
            await head.close()

    assert asyncio.run(asked()) == catalog.head()
