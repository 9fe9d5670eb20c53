"""SQL on Trino."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import requests
import trino
from opentelemetry.trace import INVALID_SPAN, Span
from pydantic import SecretStr

from lake import tracing
from lake.errors import LakeError, ServiceError
from lake.platform.catalog import CATALOG, rest_uri
from lake.settings import settings
from lake.tracing import names, statements

USER = "lake"
"""Who the platform is to Trino."""


class RefusedError(LakeError):
    """Trino refuses a statement, whoever asks it again.

    Attributes:
        name: Trino's own for the error, such as ``TABLE_NOT_FOUND``.
    """

    def __init__(self, what: str, fix: str, name: str) -> None:
        super().__init__(what, fix)
        self.name = name


@dataclass(frozen=True)
class Login:
    """As whom Trino is asked.

    Attributes:
        setting: that holds the password, as people set it.
        seconds: how long a statement may take; None for what the settings allow the platform.
    """

    user: str
    password: SecretStr
    setting: str
    seconds: int | None = None


def platform() -> Login:
    """The platform itself, which may do everything."""
    return Login(USER, settings().trino_password, "LAKE_TRINO_PASSWORD")


def connect(catalog: str = CATALOG, schema: str | None = None, login: Login | None = None) -> trino.dbapi.Connection:
    """A connection to Trino; ``catalog`` is `lake` for main, or a run's own.

    Args:
        login: the platform's own, if not given.
    """
    config, login = settings(), login or platform()
    return trino.dbapi.connect(
        host=config.trino_host,
        port=config.trino_port,
        http_scheme="https",
        http_session=_session(),
        user=login.user,
        auth=trino.auth.BasicAuthentication(login.user, login.password.get_secret_value()),
        catalog=catalog,
        schema=schema,
        timezone="UTC",
        session_properties=session_properties(login.seconds),
        request_timeout=60,
    )


class _Session(requests.Session):
    """HTTP to Trino. requests takes a bundle that the environment names before the one that it was told, and nobody's
    but ours has our authority in it."""

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> dict[str, Any]:
        return {**super().merge_environment_settings(url, proxies, stream, verify, cert), "verify": self.verify}


def _session() -> requests.Session:
    session = _Session()
    session.verify = str(settings().trino_ca)
    return session


def address(catalog: str) -> str:
    """The same for SQLAlchemy, with the password in it. It takes `connect_args` beside it, and is used in `trusted`."""
    config = settings()
    limits = quote(json.dumps(session_properties()))
    login = f"{USER}:{quote(config.trino_password.get_secret_value(), safe='')}"
    return f"trino://{login}@{config.trino_host}:{config.trino_port}/{catalog}?session_properties={limits}"


def connect_args() -> dict[str, str]:
    """What SQLAlchemy's Trino cannot take from an address."""
    return {"http_scheme": "https", "verify": str(settings().trino_ca)}


@contextmanager
def trusted() -> Iterator[None]:
    """Let libraries that bring their own HTTP session trust Trino's authority, and no other, for the length of the
    block: where the environment names a bundle, requests would ask that one, whatever it was told."""
    name = "REQUESTS_CA_BUNDLE"
    before = os.environ.get(name)
    os.environ[name] = str(settings().trino_ca)
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def session_properties(seconds: int | None = None) -> dict[str, str]:
    """What ends a statement that takes too long, queued or at work, whatever Trino it is asked of.

    Args:
        seconds: how long it may take; what the settings say, if not given.
    """
    limit = f"{seconds or settings().trino_timeout_seconds}s"
    return {"query_max_run_time": limit, "query_max_execution_time": limit}


def query(
    statement: str, catalog: str = CATALOG, login: Login | None = None, values: Sequence[Any] = ()
) -> tuple[list[str], list[list[Any]]]:
    """Run one statement; column names and rows, with decimals as `Decimal` and instants as aware datetimes.

    Args:
        login: as whom; the platform itself, if not given.
        values: for the question marks in the statement, in their order.

    Raises:
        RefusedError: Trino refuses the statement; its own words are in the message.
        ServiceError: Trino does not answer, or could not carry the statement out: it ran out of memory or of time, or
            something behind it failed. Another try may succeed.
    """
    try:
        with _traced(statement, catalog) as span, connect(catalog, login=login) as connection:
            cursor = connection.cursor()
            cursor.execute(*(statement, list(values)) if values else (statement,))
            found = cursor.fetchall()
            span.set_attributes({names.DB_ROWS: len(found), **_figures(cursor)})
            return [column[0] for column in cursor.description or []], found
    except trino.exceptions.TrinoUserError as error:
        said = f"Trino refuses the statement: {error.message}"
        raise RefusedError(said, "correct the statement", str(error.error_name)) from error
    except trino.exceptions.TrinoQueryError as error:
        raise _not_carried_out(str(error.error_name), error.message) from error
    except (trino.exceptions.TrinoConnectionError, trino.exceptions.Http503Error, OSError) as error:
        raise ServiceError(
            f"Trino at {settings().trino_url} does not answer: {error}", "look at `lake status` and `lake logs trino`"
        ) from error
    except trino.exceptions.HttpError as error:
        login = login or platform()
        raise ServiceError(
            f"Trino at {settings().trino_url} does not let the user {login.user} in: {error}",
            f"give it the password that it knows ({login.setting}); `lake up` lets our own know the settings'",
        ) from error


def _traced(statement: str, catalog: str) -> AbstractContextManager[Span]:
    """A span of one statement."""
    if not tracing.is_on():
        return nullcontext(INVALID_SPAN)
    about = statements.summary(statement)
    told = {
        names.DB_SYSTEM: "trino",
        names.DB_NAMESPACE: catalog,
        names.DB_SUMMARY: about,
        names.DB_TEXT: statements.without_values(statement),
    }
    return tracing.span(about, told, service="trino")


def _figures(cursor: trino.dbapi.Cursor) -> dict[str, str | int]:
    """What Trino says of a statement that it has carried out: https://trino.io/docs/current/develop/client-protocol.html"""
    stats = cursor.stats or {}
    found = {f"trino.{attribute}": stats[name] for name, attribute in FIGURES.items() if name in stats}
    return {names.TRINO_QUERY: cursor.query_id or "", **found}


FIGURES = {
    "elapsedTimeMillis": "elapsed_ms",
    "queuedTimeMillis": "queued_ms",
    "cpuTimeMillis": "cpu_ms",
    "processedRows": "read_rows",
    "processedBytes": "read_bytes",
    "peakMemoryBytes": "peak_memory_bytes",
    "spilledBytes": "spilled_bytes",
}
"""Of Trino's statistics of a statement, those that a span has, and under which names."""


def raise_if_not_carried_out(said: str) -> None:
    """Look for an error of Trino's in what another library says of it.

    Args:
        said: an error as text, which holds Trino's client's own description of it.

    Raises:
        ServiceError: Trino could not carry a statement out; what is wrong is not the statement.
    """
    for kind, name, message in _DESCRIBED.findall(said):
        if kind != "USER_ERROR":
            raise _not_carried_out(name, message)


_DESCRIBED = re.compile(r'Trino\w*Error\(type=(\w+), name=(\w+), message="(.*?)", query_id=')


def _not_carried_out(name: str, message: str) -> ServiceError:
    more = (
        "let a statement take longer (LAKE_TRINO_TIMEOUT_SECONDS)"
        if name == "EXCEEDED_TIME_LIMIT"
        else "give it more memory (LAKE_TRINO_MEMORY_MIB)"
    )
    return ServiceError(
        f"Trino could not carry a statement out, {name}: {message}",
        f"try again when less is running, or {more}; `lake logs trino` tells more",
    )


def rows(statement: str, catalog: str = CATALOG) -> list[dict[str, Any]]:
    """Run one statement; one dictionary a row. Raises as `query` does."""
    names, values = query(statement, catalog)
    return [dict(zip(names, row, strict=True)) for row in values]


@contextmanager
def catalog_at(name: str, reference: str) -> Iterator[str]:
    """A Trino catalog ``name`` bound to ``reference`` for the length of the block."""
    rows(f'DROP CATALOG IF EXISTS "{name}"')
    rows(f'CREATE CATALOG "{name}" {_bound_to(reference)}')
    try:
        yield name
    finally:
        rows(f'DROP CATALOG IF EXISTS "{name}"')


def make_catalog(name: str, reference: str, login: Login) -> None:
    """Bind a Trino catalog to ``reference``, unless there is one of this name already. Raises as `query` does."""
    query(f'CREATE CATALOG IF NOT EXISTS "{name}" {_bound_to(reference)}', name, login)


def _bound_to(reference: str) -> str:
    """What a statement says that makes a catalog of a reference."""
    config = settings()
    properties = {
        "iceberg.catalog.type": "rest",
        "iceberg.rest-catalog.uri": rest_uri(reference),
        "iceberg.rest-catalog.warehouse": "warehouse",
        "iceberg.rest-catalog.vended-credentials-enabled": "false",
        "iceberg.unique-table-location": "true",
        "iceberg.file-format": "PARQUET",
        # Sketches of each column's different values, made with every mart and read again with every plan: what they
        # cost is more than a better order of joins saves where there is one large table.
        "iceberg.extended-statistics.enabled": "false",
        "fs.native-s3.enabled": "true",
        "s3.endpoint": config.s3_url,
        "s3.path-style-access": "true",
        "s3.region": config.s3_region,
        # Trino resolves these from its own environment, so no secret travels in a statement or its query log.
        "s3.aws-access-key": "${ENV:S3_ACCESS_KEY}",
        "s3.aws-secret-key": "${ENV:S3_SECRET_KEY}",
    }
    pairs = ", ".join(f"\"{key}\" = '{value}'" for key, value in properties.items())
    return f"USING iceberg WITH ({pairs})"
