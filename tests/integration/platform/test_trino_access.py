"""Whom a real Trino lets in, and what it shows to whom, by the passwords and the rules that `lake up` made."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pytest
import trino
import yaml
from pyiceberg.expressions import EqualTo

from lake.layers import raw
from lake.platform import sql
from lake.platform.catalog import MAIN
from lake.quality.audit import RESULTS
from lake.runtime import access, scrape
from lake.settings import settings

HIDDEN = ("raw", "cleaned", "quarantine")
TABLE = "access_test"
OTHER = "access_test_catalog"
PERSON = ("ada@example.org", "Ada", "Köln")


@pytest.fixture(scope="module", autouse=True)
def tables(iceberg: None, engines: None) -> Iterator[None]:
    """A table of one person in each layer of the published lake, and a catalog beside it."""
    raw.prepare(MAIN)
    names = [f"lake.{layer}.{TABLE}" for layer in (*access.SHOWN, *HIDDEN)]
    try:
        with sql.catalog_at(OTHER, MAIN):
            for name in names:
                sql.rows(f"CREATE TABLE {name} AS SELECT * FROM (VALUES {PERSON}) AS t (email, first_name, city)")
            yield
    finally:
        for name in names:
            sql.rows(f"DROP TABLE IF EXISTS {name}")


def password(user: str) -> str:
    return str(getattr(settings(), access.PASSWORDS[user]).get_secret_value())


def ask(statement: str, user: str, speaks_as: str = "", **login: Any) -> list[list[Any]]:
    """What a client of its own gets, which knows the address, the authority, a user and a password."""
    known = {"auth": trino.auth.BasicAuthentication(user, password(user)), "http_scheme": "https", **login}
    session = sql._session()
    address = {"host": settings().trino_host, "port": settings().trino_port, "http_session": session}
    with trino.dbapi.connect(
        **address, user=speaks_as or user, **known, catalog="lake", request_timeout=20, max_attempts=1
    ) as connection:
        return [*connection.cursor().execute(statement).fetchall()]


def refused(statement: str, user: str) -> str:
    """Why a statement is refused."""
    with pytest.raises(trino.exceptions.TrinoUserError) as caught:
        ask(statement, user)
    return f"{caught.value.error_name}: {caught.value.message}"


def test_nobody_gets_in_without_a_password_or_with_a_wrong_one() -> None:
    for login in (None, trino.auth.BasicAuthentication("lake", "wrong"), trino.auth.BasicAuthentication("lake", "")):
        with pytest.raises(trino.exceptions.HttpError, match="401"):
            ask("SELECT 1", "lake", auth=login)
    unknown = trino.auth.BasicAuthentication("nobody", password("lake"))
    with pytest.raises(trino.exceptions.HttpError, match="401"):
        ask("SELECT 1", "lake", auth=unknown, speaks_as="nobody")
    assert ask("SELECT current_user", "lake") == [["lake"]]


def test_nobody_gets_in_without_tls() -> None:
    with pytest.raises(httpx.TransportError):
        httpx.get(settings().trino_url.replace("https", "http") + "/v1/info", timeout=5, trust_env=False)


def test_a_wrong_password_of_the_platform_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKE_TRINO_PASSWORD", "wrong")
    settings.cache_clear()
    try:
        with pytest.raises(Exception, match=r"does not let the user lake in.*\n.*LAKE_TRINO_PASSWORD"):
            sql.query("SELECT 1")
    finally:
        monkeypatch.undo()
        settings.cache_clear()


@pytest.mark.parametrize("user", access.READERS)
def test_readers_see_what_is_published_with_personal_columns_masked(user: str) -> None:
    for layer in access.SHOWN:
        assert ask(f"SELECT email, first_name, city FROM {layer}.{TABLE}", user) == [["***", "***", "Köln"]]
        # What is masked can be no more looked for than seen.
        assert ask(f"SELECT count(*) FROM {layer}.{TABLE} WHERE email = '{PERSON[0]}'", user) == [[0]]
    assert [list(PERSON)] == [*map(list, sql.query(f"SELECT * FROM curated.{TABLE}")[1])]


@pytest.mark.parametrize("layer", HIDDEN)
def test_other_layers_are_refused_and_not_shown(layer: str) -> None:
    assert "PERMISSION_DENIED" in refused(f"SELECT city FROM {layer}.{TABLE}", "dashboards")
    assert [layer] not in ask("SHOW SCHEMAS", "dashboards")


@pytest.fixture
def audited() -> Iterator[str]:
    """Id of a run whose audit counted rows, and saw a person's address in a column."""
    catalog, name = raw.open_catalog(MAIN), access.COUNTS
    was_there = catalog.table_exists(name)
    table = catalog.create_table_if_not_exists(name, RESULTS)
    common = {"run_id": TABLE, "checked_at": datetime.now(UTC), "layer": "quarantine", "table_name": TABLE}
    seen = {"expect_table_row_count_to_equal": "7", "expect_column_max_to_be_between": PERSON[0]}
    rows = [
        {**common, "check_name": check, "severity": "warning", "is_passed": False, "observed": said, "notes": PERSON[0]}
        for check, said in seen.items()
    ]
    table.append(pa.Table.from_pylist(rows, schema=RESULTS))
    yield TABLE
    if was_there:
        catalog.load_table(name).delete(EqualTo("run_id", TABLE))
    else:
        catalog.drop_table(name)


@pytest.mark.parametrize("user", access.READERS)
def test_readers_see_what_the_audit_counted_and_no_value_that_it_saw(user: str, audited: str) -> None:
    asked = f"SELECT check_name, observed, notes FROM audit.check_results WHERE run_id = '{audited}' ORDER BY 1 DESC"
    assert ask(asked, user) == [
        ["expect_table_row_count_to_equal", "7", None],
        ["expect_column_max_to_be_between", None, None],
    ]
    looked_for = f"SELECT count(*) FROM audit.check_results WHERE observed = '{PERSON[0]}' OR notes = '{PERSON[0]}'"
    assert ask(looked_for, user) == [[0]]
    assert "PERMISSION_DENIED" in refused('SELECT * FROM audit."check_results$files"', user)
    assert "PERMISSION_DENIED" in refused("DELETE FROM audit.check_results", user)


def test_other_catalogs_are_refused() -> None:
    assert "PERMISSION_DENIED" in refused(f"SELECT city FROM {OTHER}.curated.{TABLE}", "dashboards")
    assert "PERMISSION_DENIED" in refused("SELECT * FROM system.runtime.queries", "dashboards")
    assert [OTHER] not in ask("SHOW CATALOGS", "dashboards")
    assert sql.query(f"SELECT city FROM {OTHER}.curated.{TABLE}")[1] == [["Köln"]]


@pytest.mark.parametrize(
    "statement",
    [
        f"INSERT INTO marts.{TABLE} VALUES ('a', 'b', 'c')",
        f"DELETE FROM marts.{TABLE}",
        f"DROP TABLE marts.{TABLE}",
        "CREATE TABLE marts.of_dashboards (a int)",
        f"CREATE VIEW marts.of_dashboards AS SELECT * FROM marts.{TABLE}",
        "CREATE CATALOG of_dashboards USING iceberg",
        f"DROP CATALOG {OTHER}",
        f"CALL lake.system.rollback_to_snapshot('marts', '{TABLE}', 1)",
    ],
)
def test_nothing_can_be_changed(statement: str) -> None:
    assert "PERMISSION_DENIED" in refused(statement, "dashboards")


@pytest.mark.parametrize("about", ["files", "partitions", "manifests", "history"])
def test_tables_about_a_table_which_hold_its_values_are_refused(about: str) -> None:
    assert "PERMISSION_DENIED" in refused(f'SELECT * FROM curated."{TABLE}${about}"', "dashboards")


def test_when_a_table_was_written_is_no_secret() -> None:
    assert ask(f'SELECT count(*) FROM curated."{TABLE}$snapshots" WHERE committed_at IS NOT NULL', "dashboards") != [
        [0]
    ]


def test_nobody_speaks_for_another() -> None:
    with pytest.raises(trino.exceptions.TrinoUserError, match="User dashboards cannot impersonate user lake"):
        ask("SELECT 1", "dashboards", speaks_as="lake")


def test_sqlalchemy_finds_the_tables_and_their_columns() -> None:
    from sqlalchemy import URL, create_engine, inspect

    login = {"username": "dashboards", "password": password("dashboards")}
    url = URL.create("trino", **login, host=settings().trino_host, port=settings().trino_port, database="lake")
    with sql.trusted():
        found = inspect(create_engine(url, connect_args=sql.connect_args()))
        assert {*access.SHOWN} <= set(found.get_schema_names()) <= {*access.SHOWN, access.COUNTS[0]}
        assert TABLE in found.get_table_names("curated")
        assert [each["name"] for each in found.get_columns(TABLE, "curated")] == ["email", "first_name", "city"]
        found.get_table_comment(TABLE, "curated")


def test_prometheus_reads_the_metrics_and_its_user_nothing_else() -> None:
    (job,) = (
        each for each in yaml.safe_load(scrape.configuration([]))["scrape_configs"] if each["job_name"] == "trino"
    )
    login = (job["basic_auth"]["username"], Path(job["basic_auth"]["password_file"]).read_text())
    session = sql._session()
    session.verify = job["tls_config"]["ca_file"]
    url = f"{job['scheme']}://{job['static_configs'][0]['targets'][0]}/metrics"
    answer = session.get(url, auth=login, timeout=20)
    assert answer.status_code == 200 and "trino_memory" in answer.text
    assert session.get(url, timeout=20).status_code == 401
    assert session.get(url, auth=("dashboards", password("dashboards")), timeout=20).status_code == 403
    assert "PERMISSION_DENIED" in refused("SELECT 1", "prometheus")


def test_the_page_asks_for_a_login() -> None:
    session = sql._session()
    page = session.get(f"{settings().trino_url}/ui/", timeout=20)
    assert page.url.endswith("login.html"), page.url
    assert session.get(f"{settings().trino_url}/ui/api/stats", timeout=20).status_code == 401
    form = {"username": "people", "password": password("people"), "redirectPath": ""}
    session.post(f"{settings().trino_url}/ui/login", data=form, timeout=20)
    assert session.get(f"{settings().trino_url}/ui/api/stats", timeout=20).status_code == 200
