"""What dbt is told of the lake around it: the tables that it reads, and what people see of those that it makes.

Both stand elsewhere already, in contracts, reports and alert rules; so the files are written from them:
`python -m lake.lineage.dbt_files` writes, `--check` only looks. Formats:
https://docs.getdbt.com/reference/source-properties and https://docs.getdbt.com/reference/exposure-properties.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from lake.alerts import rules
from lake.contracts import EXTRACTED_AT, Contract, load_all, type_table
from lake.contracts.model import Column
from lake.layers.marts import DBT
from lake.lineage import build
from lake.lineage.graph import Graph
from lake.lineage.model import Kind, Table
from lake.reports import definition
from lake.settings import PROJECT, settings

CLEANED, EXPOSURES = DBT / "models" / "staging" / "_cleaned.yml", DBT / "models" / "_exposures.yml"

WHOLE = "shop"
"""Whose it is, where nobody is named."""

HEAD = "# Generated from {} by `python -m lake.lineage.dbt_files`; a test refuses a stale file.\n"
OF_CLEANED = """\
# The audit proves of each run what the tests here say, in one statement for all tables; these need one each, and are
# for who doubts the audit: `dbt test --select tag:contract`. A table that did not change is not stale, so how old one
# may be is judged by its receipts, but for those whose contract names an age.
"""


def sources(contracts: Mapping[str, Contract]) -> str:
    """The file of what dbt reads of the tables that have these contracts."""
    cleaned = {
        "name": "cleaned",
        "description": "Current state of the shop's tables: rows that keep their contract.",
        "tables": [_table(contracts[name]) for name in sorted(contracts)],
    }
    return HEAD.format("lake/contracts/shop/") + OF_CLEANED + _yaml({"version": 2, "sources": [cleaned]})


def exposures(graph: Graph) -> str:
    """The file of what people see of a lake that has this lineage."""
    told = sorted((*_reports(graph), *_rules(graph)), key=lambda one: str(one["name"]))
    return HEAD.format("reports and alert rules") + _yaml({"version": 2, "exposures": told})


def _yaml(content: Mapping[str, Any]) -> str:
    return str(yaml.safe_dump(content, sort_keys=False, width=110, allow_unicode=True))


def _table(contract: Contract) -> dict[str, Any]:
    config: dict[str, Any] = {"meta": {"owner": contract.owner, "key": [*contract.key]}}
    if contract.stale_after_minutes:
        config["loaded_at_field"] = EXTRACTED_AT
        config["freshness"] = {"warn_after": {"count": contract.stale_after_minutes, "period": "minute"}}
    return {
        "name": contract.table,
        "description": f"Grain: {contract.grain}. {contract.description}",
        "config": config,
        "columns": [_column(contract, name, column) for name, column in contract.columns.items()],
    }


def _column(contract: Contract, name: str, column: Column) -> dict[str, Any]:
    told: dict[str, Any] = {"name": name, "data_type": type_table.names(column.parsed.arrow)[-1]}
    if column.description:
        told["description"] = column.description
    if column.personal:
        told["config"] = {"meta": {"personal": True}}
    if tests := [*_tests(contract, name)]:
        told["data_tests"] = tests
    return told


def _tests(contract: Contract, name: str) -> Iterator[str | dict[str, Any]]:
    """dbt's own tests of a column. That of two columns which are a key together would need a package of macros."""
    column = contract.columns[name]
    if not column.nullable:
        yield "not_null"
    if contract.key == (name,):
        yield "unique"
    if column.allowed:
        yield {"accepted_values": {"arguments": {"values": [*column.allowed]}}}
    if name in contract.references:
        parent, field = contract.references[name]
        yield {"relationships": {"arguments": {"to": f"source('cleaned', '{parent}')", "field": field}}}


def _reports(graph: Graph) -> Iterator[dict[str, Any]]:
    for name in definition.names():
        report = definition.load(name)
        figures = [table for table in graph.made if (table.kind, table.space) == (Kind.REPORT, name)]
        owner = report.owner or WHOLE
        yield _exposure(f"report_{name}", "analysis", report.title, report.description, owner, figures, graph)


def _rules(graph: Graph) -> Iterator[dict[str, Any]]:
    for rule in rules.load(settings().alert_rules):
        table = Table(Kind.ALERT, "alerts", rule.name)
        owner = dict(rule.labels).get("team", WHOLE)
        label = rule.name.replace("_", " ").capitalize()
        yield _exposure(f"alert_{rule.name}", "application", label, rule.description, owner, [table], graph)


def _exposure(
    name: str, kind: str, label: str, description: str, owner: str, seen: Iterable[Table], graph: Graph
) -> dict[str, Any]:
    read = {table for one in seen for table in graph.made[one].inputs}
    return {
        "name": name,
        "type": kind,
        "label": label,
        "description": description,
        "owner": {"name": owner},
        "depends_on": [_reference(table) for table in sorted(read)],
    }


def _reference(table: Table) -> str:
    return (
        f"source('{table.space}', '{table.name}')" if table.space in ("cleaned", "curated") else f"ref('{table.name}')"
    )


def main(arguments: list[str]) -> int:
    """Write the files, or tell which are stale; the exit code."""
    is_checked = "--check" in arguments
    is_stale = _is_stale(CLEANED, sources(load_all(["shop"])), is_checked)
    # Only now: the lineage of what dbt makes can be had where dbt knows its sources.
    is_stale |= _is_stale(EXPOSURES, exposures(build.of_checkout()), is_checked)
    return int(is_stale)


def _is_stale(file: Path, text: str, is_checked: bool) -> bool:
    """Write a file, or tell that it is another."""
    if not is_checked:
        file.write_text(text, "utf-8")
    elif not file.exists() or file.read_text("utf-8") != text:
        print(f"{file.relative_to(PROJECT)} is stale: run `python -m lake.lineage.dbt_files`", file=sys.stderr)
        return True
    return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
