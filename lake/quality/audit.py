"""Run the suites on the run's branch, keep the results, and decide whether the run may be published."""

from __future__ import annotations

import logging
import mimetypes
import warnings
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
from pyiceberg.expressions import EqualTo

with warnings.catch_warnings():
    # Importing Great Expectations logs some two hundred lines about its own registry.
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    import great_expectations as gx

from lake import tracing
from lake.contracts.types import INSTANT
from lake.errors import AuditError
from lake.layers import raw
from lake.platform import sql, storage
from lake.quality.severity import BLOCK
from lake.quality.suites import Suite
from lake.run import Run

log = logging.getLogger(__name__)

RESULTS = pa.schema(
    [
        ("run_id", pa.string()),
        ("checked_at", INSTANT),
        ("layer", pa.string()),
        ("table_name", pa.string()),
        ("check_name", pa.string()),
        ("column_name", pa.string()),
        ("severity", pa.string()),
        ("is_passed", pa.bool_()),
        ("observed", pa.string()),
        ("notes", pa.string()),
    ]
)


@dataclass(frozen=True)
class CheckResult:
    """The outcome of one check; the fields are the columns of ``audit.check_results``."""

    layer: str
    table_name: str
    check_name: str
    column_name: str
    severity: str
    is_passed: bool
    observed: str
    notes: str

    @property
    def blocks(self) -> bool:
        """Whether it stops the publish."""
        return not self.is_passed and self.severity == BLOCK

    def __str__(self) -> str:
        place = f"{self.layer}.{self.table_name}" + (f".{self.column_name}" if self.column_name else "")
        return f"{place}: {self.check_name}: observed {self.observed}" + (f" ({self.notes})" if self.notes else "")


@dataclass(frozen=True)
class Audit:
    """The results of an audit and the address of its data docs."""

    results: list[CheckResult]
    docs: str

    def summary(self) -> dict[str, Any]:
        """For the receipt."""
        failed = [result for result in self.results if not result.is_passed]
        return {
            "checks": len(self.results),
            "failed": sum(result.blocks for result in failed),
            "warnings": [str(result) for result in failed if not result.blocks],
            "docs": self.docs,
        }


def audit(run: Run, catalog: str, suites: list[Suite], counted: Iterable[CheckResult] = ()) -> Audit:
    """Check the run's branch through Trino, all suites in this process.

    Args:
        catalog: Trino's catalog of the run's branch.
        counted: checks that were made already; they are recorded and decide with the others.

    The results are added to ``audit.check_results`` on the branch and rendered as data docs in the object store,
    whether they are good or bad.

    Raises:
        AuditError: a blocking check failed; each one is named with what was observed.
        ServiceError: Trino went away, or had no memory left for a check, so that nothing was found out.
    """
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = [*counted, *(_validate(run, catalog, suites, Path(folder)) if suites else ())]
        docs = _upload(Path(folder), run) if suites else ""
    with tracing.span("record checks", {"shoplake.checks": len(results)}):
        _record(run, results)
    outcome = Audit(results, docs)
    blocking = [str(result) for result in results if result.blocks]
    for result in results:
        if not result.is_passed:
            log.warning("%s: %s", result.severity, result)
    if blocking:
        raise AuditError(
            f"{len(blocking)} of {len(results)} checks stop the publish:\n  " + "\n  ".join(blocking),
            f"look at branch {run.branch} with `lake sql --branch {run.branch}` and at {docs}; mend the source or the "
            "contract and run again (`lake run --full` reads everything anew)",
        )
    return outcome


def _validate(run: Run, catalog: str, suites: list[Suite], folder: Path) -> list[CheckResult]:
    with tracing.span("Great Expectations", {"shoplake.suites": len(suites)}), sql.trusted():
        return _validated(run, catalog, suites, folder)


def _validated(run: Run, catalog: str, suites: list[Suite], folder: Path) -> list[CheckResult]:
    context = gx.get_context(mode="ephemeral")
    store = {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(folder)}
    index = {"class_name": "DefaultSiteIndexBuilder"}
    site = {"class_name": "SiteBuilder", "store_backend": store, "site_index_builder": index}
    context.add_data_docs_site("docs", site)
    context.variables.progress_bars = {"globally": False}
    source = context.data_sources.add_sql(
        "lake", connection_string=sql.address(catalog), kwargs={"connect_args": sql.connect_args()}
    )
    definitions = []
    for suite in suites:
        asset = source.add_table_asset(suite.name, table_name=suite.table, schema_name=suite.layer)
        batch = asset.add_batch_definition_whole_table("whole")
        expectations = context.suites.add(gx.ExpectationSuite(suite.name, expectations=suite.expectations))
        definition = gx.ValidationDefinition(name=suite.name, data=batch, suite=expectations)
        definitions.append(context.validation_definitions.add(definition))
    checkpoint = gx.Checkpoint(name=run.run_id, validation_definitions=definitions, result_format="BASIC")
    outcome = context.checkpoints.add(checkpoint).run()
    items = [(found.suite_name, item) for found in outcome.run_results.values() for item in found.results]
    if broken := [info for _, item in items for info in _exceptions(item.exception_info)]:
        # A check that broke has failed, unless it is the engine that broke: then this raises.
        for info in broken:
            sql.raise_if_not_carried_out(f"{info['exception_message']}\n{info.get('exception_traceback', '')}")
        sql.rows("SELECT 1", catalog)
    context.build_data_docs()
    return [_result(suite, item) for suite, item in items]


def _result(suite: str, item: Any) -> CheckResult:
    layer, table = suite.split(".", 1)
    config = item.expectation_config
    failure = next((info["exception_message"] for info in _exceptions(item.exception_info)), None)
    columns = config.kwargs.get("column") or ",".join(config.kwargs.get("column_list", []))
    observed = item.result.get("observed_value")
    if observed is None and "unexpected_count" in item.result:
        observed = f"{item.result['unexpected_count']} of {item.result.get('element_count', 'the rows')} unexpected"
    return CheckResult(
        layer=layer,
        table_name=table,
        check_name=config.type,
        column_name=columns,
        severity=str(getattr(config.severity, "value", config.severity)),
        is_passed=bool(item.success),
        observed=str(failure or observed)[:2000],
        notes=str(config.description or config.notes or ""),
    )


def _exceptions(info: dict[str, Any]) -> list[dict[str, Any]]:
    """The exceptions of a check; one that broke has failed, and says how."""
    entries = [info] if "raised_exception" in info else list(info.values())
    return [entry for entry in entries if entry.get("raised_exception")]


def _upload(site: Path, run: Run) -> str:
    for file in site.rglob("*"):
        if file.is_file():
            kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
            storage.put(f"{storage.AUDIT}/{run.run_id}/{file.relative_to(site)}", file.read_bytes(), kind)
    return f"{storage.AUDIT}/{run.run_id}/index.html"


def _record(run: Run, results: list[CheckResult]) -> None:
    """Add the results to the branch's table; those of an earlier try of the same run give way."""
    now = datetime.now(UTC)
    rows = [{"run_id": run.run_id, "checked_at": now, **asdict(result)} for result in results]
    table = raw.open_catalog(run.branch).create_table_if_not_exists(
        ("audit", "check_results"), RESULTS, properties=raw.MERGED_MANIFESTS
    )
    added = pa.Table.from_pylist(rows, schema=RESULTS)
    with table.transaction() as transaction:
        if table.properties.get(raw.LAST_RUN) == run.run_id:
            transaction.overwrite(added, overwrite_filter=EqualTo("run_id", run.run_id))
        else:
            # Not an overwrite of what cannot be there: that looks into the files of all runs before.
            transaction.append(added)
            transaction.set_properties({raw.LAST_RUN: run.run_id})
