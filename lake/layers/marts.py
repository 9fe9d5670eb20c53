"""The business metrics: builds and tests the dbt project on the branch of a run, in one process.

dbt runs inside ours (`dbtRunner`), because a process of its own would pay for its imports and parsing once a command.
"""

from __future__ import annotations

import gc
import hashlib
import json
import logging
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from graphlib import TopologicalSorter
from pathlib import Path
from time import monotonic
from typing import Any, Literal

from opentelemetry import trace

from lake.errors import AuditError, LakeError
from lake.layers import dbt_manifest, declared
from lake.platform import sql
from lake.platform.catalog import MAIN
from lake.platform.catalog import tables as catalog_tables
from lake.settings import PROJECT, settings
from lake.tracing import Several, names

log = logging.getLogger(__name__)

DBT = PROJECT / "dbt"
MODEL, TEST = "model", "test"
CONTRACT_TAG = "contract"
"""Of the tests of what dbt reads (dbt_project.yml). The audit proves the same in each run, and a build leaves them."""

FAILED = ("fail", "error", "runtime error")


@dataclass(frozen=True)
class NodeResult:
    """The outcome of one model or test.

    Attributes:
        status: dbt's word: ``success``, ``pass``, ``warn``, ``fail``, ``error`` or ``skipped``.
        rows: rows of the table for a model, rows that break the rule for a test.
        message: dbt's own, with the database's error where there is one.
    """

    name: str
    kind: Literal["model", "test"]
    status: str
    rows: int
    seconds: float
    message: str


@dataclass(frozen=True)
class MartsResult:
    """What one build of the marts did.

    Attributes:
        manifest_sha256: of the models, tests and macros as written: the same code gives the same hash on every branch.
        seconds: wall time of the build, dbt's start included.
    """

    nodes: tuple[NodeResult, ...]
    manifest_sha256: str
    seconds: float

    @property
    def rows(self) -> dict[str, int]:
        """Rows of each mart."""
        return {node.name: node.rows for node in self.nodes if node.kind == MODEL}

    @property
    def tests(self) -> dict[str, str]:
        """Status of each test."""
        return {node.name: node.status for node in self.nodes if node.kind == TEST}


def readable(queries: list[str], reference: str) -> bool:
    """Whether none of the queries reads a mart that the lake, which may be one without the shop, does not have."""
    if not any(re.search(r"\bmarts\.", query) for query in queries):
        return True
    return any(table.startswith("marts.") for table in catalog_tables(reference))


def build(
    catalog: str,
    target_dir: Path,
    changed: Iterable[str] | None = None,
    held: Iterable[str] = (),
    months: Iterable[str] | None = None,
) -> MartsResult:
    """Build marts in ``catalog`` and test them.

    Args:
        catalog: Trino catalog of the run's branch; the marts are replaced there, in schema ``marts``.
        target_dir: folder for dbt's artifacts and its log.
        changed: qualified names of tables; the marts that are made of them are built. ``None`` builds every mart.
        held: qualified names of tables; the marts that are made of them stay as they are.
        months: first days (ISO 8601) of those in which order items changed; what is kept by month is built for these
            alone. ``None`` builds it for every month.

    Raises:
        AuditError: a test failed; it is named with the number of rows that break it.
        LakeError: a model could not be built, or dbt could not start; it is named with the database's own words.
    """
    selected = [] if changed is None else ["--select", *(f"source:{name}+" for name in sorted(changed))]
    left = ["--exclude", f"tag:{CONTRACT_TAG}", *(f"source:{name}+" for name in sorted(held))]
    kept = ["--full-refresh"] if months is None else ["--vars", json.dumps({"months": [*months]})]
    # Of a build dbt would tell of exposures too, that it did nothing about them.
    without = [part for kind in ("unit_test", "exposure") for part in ("--exclude-resource-type", kind)]
    command = ["build", *without, *kept, *selected, *left]
    result = _invoke(command, catalog, target_dir)
    if changed is None and not held and not result.nodes:
        raise LakeError(f"dbt found nothing to build in {DBT}", "restore its models")
    return result


@dataclass(frozen=True)
class Compiled:
    """A table that dbt makes, and the query behind it, in which what is no table of its own stands written out."""

    schema: str
    name: str
    query: str


def compiled(target_dir: Path) -> list[Compiled]:
    """The tables that dbt makes, each after those that it is made of. No service is asked.

    Args:
        target_dir: folder for dbt's artifacts and its log.

    Raises:
        LakeError: the project cannot be compiled.
    """
    # Without --full-refresh a table that is kept by month asks Trino whether it is there.
    apart = ["--no-populate-cache", "--no-introspect", "--full-refresh", "--select", f"resource_type:{MODEL}"]
    _run(["--quiet", "compile", *apart], MAIN, target_dir)
    models = _models(json.loads((target_dir / "manifest.json").read_text()))
    order = TopologicalSorter({unique_id: models[unique_id]["depends_on"]["nodes"] for unique_id in models})
    return [
        Compiled(models[unique_id]["schema"], models[unique_id]["name"], models[unique_id]["compiled_code"])
        for unique_id in order.static_order()
        if unique_id in models and models[unique_id]["config"]["materialized"] != "ephemeral"
    ]


def write_docs(folder: Path) -> None:
    """Write the pages of the project, and of its tables as the published lake has them: ``static_index.html``.

    Raises:
        LakeError: Trino does not answer, or the project cannot be compiled.
    """
    outcome = _run(["docs", "generate", "--static"], MAIN, folder)
    failed = [_node(result) for result in getattr(outcome.result, "results", ()) if str(result.status) in FAILED]
    _raise_failed(tuple(failed), MAIN)
    if not outcome.success:
        told = "; ".join(str(error) for error in getattr(outcome.result, "errors", None) or ["dbt does not say why"])
        raise LakeError(f"the pages of the marts could not be made: {told}", f"the log is {folder / 'dbt.log'}")


def _models(manifest: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The models of a dbt manifest, by their unique ids."""
    return {unique_id: node for unique_id, node in manifest["nodes"].items() if node["resource_type"] == MODEL}


def _invoke(command: list[str], catalog: str, target_dir: Path) -> MartsResult:
    started = monotonic()
    outcome = _run(command, catalog, target_dir)
    nodes = tuple(_node(result) for result in getattr(outcome.result, "results", ()))
    _trace(getattr(outcome.result, "results", ()))
    _raise_failed(nodes, catalog)
    manifest = json.loads((target_dir / "manifest.json").read_text())
    built = {node.name for node in nodes if node.kind == MODEL}
    declared.check((one for one in _models(manifest).values() if one["name"] in built), catalog)
    result = MartsResult(nodes, manifest_sha256(manifest), monotonic() - started)
    log.info("marts: %d tables, %d tests in %.1f s", len(result.rows), len(result.tests), result.seconds)
    return result


def _run(command: list[str], catalog: str, target_dir: Path) -> Any:
    """What dbt gives for a command, on the project as it was parsed before.

    Raises:
        LakeError: it did not come to its end. What is wrong with single models and tests stands in what it gives.
    """

    return _called(command, catalog, target_dir, dbt_manifest.manifest(DBT, catalog, lambda: _parsed(target_dir)))


def semantic_manifest(target_dir: Path) -> str:
    """The metrics and what they are made of, as MetricFlow reads them (JSON). No service is asked.

    Args:
        target_dir: folder for dbt's artifacts and its log.

    Raises:
        LakeError: the project cannot be parsed.
    """
    return dbt_manifest.semantic(DBT, lambda: _parsed(target_dir))


def _parsed(target_dir: Path) -> dbt_manifest.Parsed:
    _called(["parse", "--quiet"], dbt_manifest.PARSED_FOR, target_dir)
    return dbt_manifest.Parsed(
        project=(target_dir / "partial_parse.msgpack").read_bytes(),
        semantic=(target_dir / "semantic_manifest.json").read_bytes(),
    )


def _called(command: list[str], catalog: str, target_dir: Path, manifest: Any = None) -> Any:
    """What dbt gives for a command. Raises `LakeError` as `_run`."""
    # Imported here: dbt takes seconds to import, and most of those who import this module do not build.
    import trino.auth
    from dbt.cli.main import dbtRunner

    # It tells whoever loads it that this machine has no keyring, which nobody asks for.
    trino.auth.logger.setLevel(logging.WARNING)
    places = ["--project-dir", DBT, "--profiles-dir", DBT, "--target-path", target_dir, "--log-path", target_dir]
    try:
        with _environment(catalog), sql.trusted():
            outcome = dbtRunner(manifest=manifest).invoke([*command, *map(str, places), "--no-use-colors"])
    finally:
        _release()
    if outcome.exception is not None:
        raise LakeError(
            f"dbt {' '.join(command[:2])} could not run in catalog {catalog!r}: {outcome.exception}",
            f"the log is {target_dir / 'dbt.log'}; `lake status` shows whether Trino is up",
        ) from outcome.exception
    return outcome


def _release() -> None:
    """Let go of what dbt keeps for a next command: locks, which the end of a task of Airflow's would leave behind."""
    from dbt.adapters.factory import reset_adapters

    reset_adapters()
    gc.collect()  # they refer to each other


@contextmanager
def _environment(catalog: str) -> Iterator[None]:
    """What ``profiles.yml`` reads, for the length of the block."""
    config = settings()
    wanted = {
        "LAKE_BRANCH_CATALOG": catalog,
        "LAKE_TRINO_HOST": config.trino_host,
        "LAKE_TRINO_PORT": str(config.trino_port),
        "LAKE_TRINO_CA_FILE": str(config.trino_ca),
        # dbt keeps what is named so out of its logs.
        "DBT_ENV_SECRET_LAKE_TRINO_PASSWORD": config.trino_password.get_secret_value(),
        "LAKE_TRINO_TIMEOUT_SECONDS": str(config.trino_timeout_seconds),
    }
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _node(result: Any) -> NodeResult:
    is_model = result.node.resource_type == MODEL
    rows = result.adapter_response.get("rows_affected", 0) if is_model else result.failures
    return NodeResult(
        name=result.node.name,
        kind="model" if is_model else "test",
        status=str(result.status),
        rows=int(rows or 0),
        seconds=round(result.execution_time, 3),
        message=str(result.message or ""),
    )


def _trace(results: Iterable[Any]) -> None:
    """Let each model and test that took its time have a span, as of when dbt was at it.

    dbt tells of its nodes when all are done: ``timing`` has the phases of each, compiling and executing.
    """
    traced = Several(service="trino")
    for result in results:
        if not (phases := [one for one in result.timing if one.started_at and one.completed_at]):
            continue  # skipped, because of another
        told = {
            names.DBT_NODE: result.node.unique_id,
            names.DBT_STATUS: str(result.status),
            names.ROWS: _node(result).rows,
            names.TRINO_QUERY: result.adapter_response.get("query_id"),
        }
        name = f"{result.node.resource_type} {result.node.name}"
        started, ended = (_nanoseconds(each) for each in (phases[0].started_at, phases[-1].completed_at))
        error = f"{result.status}: {result.message}" if str(result.status) in FAILED else ""
        traced.add(name, started, ended, told, error)
    traced.emit(trace.get_current_span())


def _nanoseconds(moment: datetime) -> int:
    """Since 1970, of an instant in UTC."""
    return int(moment.replace(tzinfo=UTC).timestamp() * 1_000_000) * 1000


def _raise_failed(nodes: tuple[NodeResult, ...], catalog: str) -> None:
    """Raise for what failed. A model that breaks comes first: tests behind it were skipped for that reason."""
    failed = [node for node in nodes if node.status in FAILED]
    broken = [node for node in failed if node.kind == MODEL or node.status != "fail"]
    if broken:
        raise LakeError(
            "dbt could not build: " + "\n  ".join(f"{node.kind} {node.name}: {node.message}" for node in broken),
            f"correct the model in {DBT.name}/, or the table that it reads in catalog {catalog}",
        )
    if failed:
        raise AuditError(
            "dbt tests failed: " + "\n  ".join(f"{node.name}: {node.rows} rows break it" for node in failed),
            f"look at the marts in catalog {catalog}; the branch stays for inspection, main is as it was",
        )


def manifest_sha256(manifest: dict[str, Any]) -> str:
    """Hash of a dbt manifest without what differs between builds of the same code: times, ids, paths and catalogs."""
    written = {
        unique_id: node["raw_code"]
        for unique_id, node in manifest["nodes"].items()
        if node["resource_type"] in (MODEL, TEST)
    }
    written |= {
        unique_id: node["macro_sql"]
        for unique_id, node in manifest["macros"].items()
        if node["package_name"] == manifest["metadata"]["project_name"]
    }
    return hashlib.sha256(json.dumps(written, sort_keys=True).encode()).hexdigest()
