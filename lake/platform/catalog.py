"""Branches, merges and catalogs of a branch: Nessie versions the whole lake as git versions a tree.

The REST interface is Nessie's v2: https://projectnessie.org/nessie-latest/api/
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from lake.errors import CatalogError, ServiceError
from lake.settings import settings

MAIN = "main"
REPLY_SECONDS = 60
"""How long the catalog may take to answer."""
PAGE = 5_000
"""Tables that the catalog is asked for at a time."""
CATALOG = "lake"
"""Name of the catalog of branch main in Trino and Spark; a run's catalog is called like its branch."""


@dataclass(frozen=True)
class Commit:
    """One commit of the lake's history."""

    hash: str
    message: str
    committed_at: str


def head(branch: str = MAIN) -> str:
    """Commit hash that ``branch`` points to.

    Raises:
        CatalogError: the branch does not exist.
    """
    return str(_call("GET", f"trees/{branch}")["reference"]["hash"])


def exists(branch: str) -> bool:
    """Whether there is a branch of this name."""
    return branch in branches()


def branches() -> list[str]:
    """Names of all branches."""
    return [reference["name"] for reference in _call("GET", "trees")["references"]]


def create_branch(branch: str, at: str | None = None) -> str:
    """Open ``branch`` at a commit of main (its head by default) and return that commit's hash."""
    base = at or head(MAIN)
    source = {"type": "BRANCH", "name": MAIN, "hash": base}
    _call("POST", "trees", params={"name": branch, "type": "BRANCH"}, json=source)
    return base


def create_empty_branch(branch: str) -> None:
    """Make a branch that starts from nothing, unless there is one of this name: it holds none of main's tables."""
    nothing = {"type": "DETACHED", "hash": _call("GET", "config")["noAncestorHash"]}
    try:
        _call("POST", "trees", params={"name": branch, "type": "BRANCH"}, json=nothing)
    except CatalogError:
        if not exists(branch):
            raise


def delete_branch(branch: str) -> None:
    """Delete ``branch`` with what only it holds; nothing happens if there is none."""
    if exists(branch):
        _call("DELETE", f"trees/{branch}@{head(branch)}")


def merge(branch: str, message: str) -> str:
    """Merge ``branch`` into main in one commit and return main's new head.

    Raises:
        CatalogError: main changed a table that the branch changed too; main is as it was.
    """
    body = {"fromRefName": branch, "fromHash": head(branch), "message": message}
    result = _call("POST", f"trees/{MAIN}@{head(MAIN)}/history/merge", json=body)
    return str(result["resultantTargetHash"])


def log(reference: str = MAIN, limit: int = 100) -> list[Commit]:
    """The newest commits of ``reference``, newest first."""
    entries = _call("GET", f"trees/{reference}/history", params={"max-records": limit})["logEntries"]
    metas = [entry["commitMeta"] for entry in entries]
    return [Commit(meta["hash"], meta["message"], meta["commitTime"]) for meta in metas]


def tables(reference: str = MAIN) -> list[str]:
    """Qualified names (``layer.table``) of all tables at ``reference``."""
    return sorted(".".join(entry["name"]["elements"]) for entry in _table_entries(reference))


def contents(reference: str = MAIN) -> dict[str, str]:
    """What each table at ``reference`` is, by its qualified name: the address of its metadata.

    It is another one after each commit of the table, so a table with the same address at two references is the same.
    """
    entries = _table_entries(reference, content="true")
    return {".".join(entry["name"]["elements"]): entry["content"]["metadataLocation"] for entry in entries}


def _table_entries(reference: str, **more: str) -> Iterator[dict[str, Any]]:
    page: dict[str, str] = {}
    while True:
        answer = _call("GET", f"trees/{reference}/entries", params={"max-records": PAGE, **more, **page})
        yield from (entry for entry in answer["entries"] if entry["type"] == "ICEBERG_TABLE")
        if not answer.get("hasMore"):
            return
        page = {"page-token": answer["token"]}


def _call(method: str, path: str, **request: Any) -> dict[str, Any]:
    url = f"{settings().nessie_url}/api/v2/{path}"
    try:
        response = httpx.request(method, url, timeout=REPLY_SECONDS, **request)
    except httpx.TransportError as error:
        raise ServiceError(
            f"the catalog at {settings().nessie_url} does not answer: {error}",
            "look at `lake status` and `lake logs nessie`",
        ) from error
    if response.is_error:
        raise CatalogError(
            f"the catalog refused {method} {path}: {response.status_code} {_reason(response)}",
            "a conflict means that main moved under the run: run it again; main itself is unchanged",
        )
    answer: dict[str, Any] = response.json() if response.content else {}
    return answer


def _reason(response: httpx.Response) -> str:
    try:
        return str(response.json().get("message", response.text))
    except ValueError:
        return response.text[:500]


def rest_uri(reference: str) -> str:
    """Iceberg REST address of a branch, or of one commit as ``main@HASH``."""
    return f"{settings().nessie_url}/iceberg/{reference}"


def pyiceberg_properties(reference: str) -> dict[str, str]:
    """Properties of a PyIceberg REST catalog at ``reference``."""
    config = settings()
    return {
        "type": "rest",
        "uri": rest_uri(reference),
        "py-io-impl": "pyiceberg.io.pyarrow.PyArrowFileIO",
        "s3.endpoint": config.s3_url,
        "s3.access-key-id": config.s3_access_key,
        "s3.secret-access-key": config.s3_secret_key.get_secret_value(),
        "s3.region": config.s3_region,
        "s3.connect-timeout": "5",
        "s3.request-timeout": str(REPLY_SECONDS),
    }


def spark_configuration(name: str, reference: str) -> dict[str, str]:
    """Settings of a Spark session that make catalog ``name`` show ``reference``."""
    config = settings()
    prefix = f"spark.sql.catalog.{name}"
    return {
        prefix: "org.apache.iceberg.spark.SparkCatalog",
        f"{prefix}.type": "rest",
        f"{prefix}.uri": rest_uri(reference),
        # Other tasks and PyIceberg write to the same branch: a cached table would be up to half a minute old.
        f"{prefix}.cache-enabled": "false",
        f"{prefix}.io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
        f"{prefix}.s3.endpoint": config.s3_url,
        f"{prefix}.s3.path-style-access": "true",
        f"{prefix}.s3.access-key-id": config.s3_access_key,
        f"{prefix}.s3.secret-access-key": config.s3_secret_key.get_secret_value(),
        f"{prefix}.client.region": config.s3_region,
    }
