"""Branches, merges and catalogs of a branch: Nessie versions the whole lake as git versions a tree.

The REST interface is Nessie's v2: https://projectnessie.org/nessie-latest/api/
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any

import httpx

from lake.errors import CatalogError, ServiceError
from lake.settings import settings

MAIN = "main"
REPLY_SECONDS = 60
"""How long the catalog may take to answer."""
PAGE = 5_000
"""Tables that the catalog is asked for at a time."""
COMMITS_PER_PAGE = 100
CATALOG = "lake"
"""Name of the catalog of branch main in Trino and Spark; a run's catalog is called like its branch."""


@dataclass(frozen=True)
class Commit:
    """One commit of the lake's history."""

    hash: str
    message: str
    committed_at: str


@dataclass(frozen=True)
class Reference:
    """A branch or a tag.

    Attributes:
        hash: commit that it points to.
        base: the newest commit that it has in common with main; empty where there is none.
    """

    name: str
    hash: str
    is_tag: bool
    base: str = ""


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
    return list(heads())


def heads() -> dict[str, str]:
    """The commit that each branch points to, by its name."""
    found = _pages("trees", "references", filter="refType == 'BRANCH'")
    return {reference["name"]: reference["hash"] for reference in found}


def references() -> list[Reference]:
    """All branches and tags, and where branches start from main."""
    # Where a reference starts the catalog finds out by walking its history: of tags, which are many, nobody asks it.
    tags = _pages("trees", "references", filter="refType == 'TAG'")
    branches = _pages("trees", "references", filter="refType == 'BRANCH'", fetch="ALL")
    found = [Reference(each["name"], each["hash"], is_tag=True) for each in tags]
    for each in branches:
        base = (each.get("metadata") or {}).get("commonAncestorHash") or ""
        found.append(Reference(each["name"], each["hash"], is_tag=False, base=base))
    return found


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


def create_tag(tag: str, commit: str) -> None:
    """Name a commit of main for good, unless there is a tag of this name.

    Raises:
        CatalogError: the catalog does not know the commit.
    """
    source = {"type": "BRANCH", "name": MAIN, "hash": commit}
    try:
        _call("POST", "trees", params={"name": tag, "type": "TAG"}, json=source)
    except CatalogError:
        if tag not in {each.name for each in references() if each.is_tag}:
            raise


def delete(reference: Reference) -> None:
    """Delete a branch or a tag, if it still points to where it did. One that is gone is no error.

    Raises:
        CatalogError: it has moved.
    """
    kind = "TAG" if reference.is_tag else "BRANCH"
    try:
        _call("DELETE", f"trees/{reference.name}@{reference.hash}", params={"type": kind})
    except CatalogError:
        if reference.name in {each.name for each in references()}:
            raise


def delete_branch(branch: str) -> None:
    """Delete ``branch`` with what only it holds; nothing happens if there is none."""
    if exists(branch):
        _call("DELETE", f"trees/{branch}@{head(branch)}")


def merge(branch: str, message: str, winning: Iterable[str] = ()) -> str:
    """Merge ``branch`` into main in one commit and return main's new head.

    Args:
        winning: qualified names of tables of which the branch's state counts whatever main has changed.

    Raises:
        CatalogError: main changed another table that the branch changed too; main is as it was.
    """
    body: dict[str, Any] = {"fromRefName": branch, "fromHash": head(branch), "message": message}
    if forced := [{"key": {"elements": name.split(".", 1)}, "mergeBehavior": "FORCE"} for name in winning]:
        body["keyMergeModes"] = forced
    result = _call("POST", f"trees/{MAIN}@{head(MAIN)}/history/merge", json=body)
    return str(result["resultantTargetHash"])


def log(reference: str = MAIN, limit: int = 100) -> list[Commit]:
    """The newest commits of ``reference``, newest first."""
    return list(islice(history(reference), limit))


def history(reference: str = MAIN) -> Iterator[Commit]:
    """The commits of ``reference``, newest first, each asked for when it is needed."""
    for entry in _pages(f"trees/{reference}/history", "logEntries", per_page=COMMITS_PER_PAGE):
        meta = entry["commitMeta"]
        yield Commit(meta["hash"], meta["message"], meta["commitTime"])


def knows(commit: str) -> bool:
    """Whether a commit is one of main's history."""
    try:
        log(f"{MAIN}@{commit}", limit=1)
    except CatalogError:
        return False
    return True


def namespaces(reference: str = MAIN) -> list[str]:
    """Names of all namespaces at ``reference``."""
    found = _pages(f"trees/{reference}/entries", "entries")
    return sorted(".".join(entry["name"]["elements"]) for entry in found if entry["type"] == "NAMESPACE")


def tables(reference: str = MAIN) -> list[str]:
    """Qualified names (``layer.table``) of all tables at ``reference``."""
    return sorted(".".join(entry["name"]["elements"]) for entry in _table_entries(reference))


def contents(reference: str = MAIN) -> dict[str, str]:
    """What each table at ``reference`` is, by its qualified name: the address of its metadata.

    It is another one after each commit of the table, so a table with the same address at two references is the same.
    """
    entries = _table_entries(reference, content="true")
    return {".".join(entry["name"]["elements"]): entry["content"]["metadataLocation"] for entry in entries}


def metadata(reference: str) -> dict[str, str]:
    """The address of the metadata of everything at ``reference`` that has one, views included, by qualified name."""
    return {
        ".".join(entry["name"]["elements"]): entry["content"]["metadataLocation"]
        for entry in _pages(f"trees/{reference}/entries", "entries", content="true")
        if "metadataLocation" in entry.get("content", {})
    }


def _table_entries(reference: str, **more: Any) -> Iterator[dict[str, Any]]:
    found = _pages(f"trees/{reference}/entries", "entries", **more)
    return (entry for entry in found if entry["type"] == "ICEBERG_TABLE")


def _pages(path: str, what: str, per_page: int = PAGE, **more: Any) -> Iterator[dict[str, Any]]:
    """Everything that an address of the catalog lists, page by page."""
    page: dict[str, str] = {}
    while True:
        answer = _call("GET", path, params={"max-records": per_page, **more, **page})
        yield from answer[what]
        if not answer.get("hasMore"):
            return
        page = {"page-token": answer["token"]}


def _call(method: str, path: str, **request: Any) -> dict[str, Any]:
    url = f"{settings().nessie_url}/api/v2/{path}"
    try:
        response = httpx.request(method, url, timeout=REPLY_SECONDS, verify=_tls(), **request)
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


@cache
def _tls() -> ssl.SSLContext:
    """Made once: to read the certificates of the world anew takes the processor ten times as long as a question."""
    return httpx.create_ssl_context()


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
