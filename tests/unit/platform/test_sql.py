"""What Trino's errors mean: a statement that is wrong, or an engine that could not carry it out."""

from __future__ import annotations

import os
from typing import Any

import pytest
import trino.exceptions

from lake.errors import LakeError, ServiceError
from lake.platform import sql
from lake.settings import PROJECT, settings

KILLED = {
    "errorType": "INSUFFICIENT_RESOURCES",
    "errorName": "CLUSTER_OUT_OF_MEMORY",
    "message": "Query killed because the cluster is out of memory. Please try again in a few minutes.",
}
WRONG = {"errorType": "USER_ERROR", "errorName": "COLUMN_NOT_FOUND", "message": "line 1:8: Column 'x' is unknown"}
BROKEN = {"errorType": "EXTERNAL", "errorName": "ICEBERG_FILESYSTEM_ERROR", "message": "the store is away"}
ENDED = {"errorType": "INTERNAL_ERROR", "errorName": "SERVER_SHUTTING_DOWN", "message": "Server is shutting down"}


def raised(error: dict[str, Any]) -> Exception:
    """What the client raises for an answer of the server, which decides by the error's type."""
    from trino.client import TrinoRequest

    try:
        return TrinoRequest._process_error(error, "20261125_1")
    except trino.exceptions.TrinoExternalError as external:
        return external


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (KILLED, ServiceError, "CLUSTER_OUT_OF_MEMORY: Query killed"),
        (BROKEN, ServiceError, "ICEBERG_FILESYSTEM_ERROR: the store is away"),
        (ENDED, ServiceError, "SERVER_SHUTTING_DOWN"),
        (WRONG, sql.RefusedError, "Trino refuses the statement: line 1:8"),
    ],
)
def test_what_is_wrong_with_the_engine_is_not_blamed_on_the_statement(
    monkeypatch: pytest.MonkeyPatch, error: dict[str, Any], kind: type[LakeError], words: str
) -> None:
    def refuse(self: Any, statement: str) -> None:
        raise raised(error)

    monkeypatch.setattr(trino.dbapi.Cursor, "execute", refuse)
    with pytest.raises(LakeError, match=words) as found:
        sql.query("SELECT x")
    assert type(found.value) is kind


def test_a_statement_that_took_too_long_says_which_limit_it_was() -> None:
    ended = {"errorType": "INSUFFICIENT_RESOURCES", "errorName": "EXCEEDED_TIME_LIMIT", "message": "exceeded 30.00m"}
    with pytest.raises(ServiceError, match=r"EXCEEDED_TIME_LIMIT: exceeded 30.00m\n.*LAKE_TRINO_TIMEOUT_SECONDS"):
        sql.raise_if_not_carried_out(repr(raised(ended)))


def test_whoever_asks_trino_says_how_long_a_statement_may_take(monkeypatch: pytest.MonkeyPatch) -> None:
    from dbt.config.profile import read_profile
    from dbt.config.renderer import ProfileRenderer
    from dbt_common.context import set_invocation_context
    from sqlalchemy import create_engine

    monkeypatch.setenv("LAKE_TRINO_TIMEOUT_SECONDS", "77")
    settings.cache_clear()
    try:
        expected = {"query_max_run_time": "77s", "query_max_execution_time": "77s"}
        assert sql.connect()._client_session.properties == expected
        engine = create_engine(sql.address("run_1"))
        assert engine.dialect.create_connect_args(engine.url)[1]["session_properties"] == expected
        set_invocation_context(os.environ)
        profile = ProfileRenderer({}).render_data(read_profile(str(PROJECT / "dbt")))
        assert profile["shoplake"]["outputs"]["lake"]["session_properties"] == expected
    finally:
        monkeypatch.undo()
        settings.cache_clear()


@pytest.mark.parametrize("error", [KILLED, BROKEN, ENDED])
def test_a_check_that_the_engine_could_not_make_is_no_failed_check(error: dict[str, Any]) -> None:
    said = f"(trino.exceptions.TrinoQueryError) {raised(error)!r}\n[SQL: SELECT count(*) FROM t]"
    with pytest.raises(ServiceError, match=error["errorName"]):
        sql.raise_if_not_carried_out(said)


def test_a_check_that_cannot_be_asked_has_failed() -> None:
    sql.raise_if_not_carried_out(f"(trino.exceptions.TrinoUserError) {raised(WRONG)!r}")
    sql.raise_if_not_carried_out("KeyError: 'value'")
