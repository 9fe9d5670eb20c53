"""What dbt is told of the lake around it; and that the files are those of contracts, reports and rules as they are."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from lake.contracts import Contract, load_all
from lake.lineage import dbt_files
from lake.lineage.graph import Graph

THING = Contract.model_validate(
    {
        "table": "things",
        "description": "Things.",
        "owner": "sales",
        "grain": "one row per thing",
        "key": ["k"],
        "cursor": "at",
        "deletes": "none",
        "stale_after_minutes": 90,
        "columns": {
            "k": {"type": "bigint unsigned", "as": "bigint", "nullable": False},
            "name": {"type": "varchar(9)", "personal": True, "description": "Who it belongs to."},
            "kind": {"type": "enum('a','b')"},
            "parent": {"type": "bigint", "references": "others.id"},
            "price": {"type": "decimal(10,2)"},
            "at": {"type": "datetime(6)"},
        },
    }
)


def _table(contract: Contract) -> Any:
    (source,) = yaml.safe_load(dbt_files.sources({contract.table: contract}))["sources"]
    (table,) = source["tables"]
    return table


def test_a_table_is_told_as_its_contract_has_it() -> None:
    assert _table(THING) == {
        "name": "things",
        "description": "Grain: one row per thing. Things.",
        "config": {
            "meta": {"owner": "sales", "key": ["k"]},
            "loaded_at_field": "_extracted_at",
            "freshness": {"warn_after": {"count": 90, "period": "minute"}},
        },
        "columns": [
            {"name": "k", "data_type": "bigint", "data_tests": ["not_null", "unique"]},
            {
                "name": "name",
                "data_type": "varchar",
                "description": "Who it belongs to.",
                "config": {"meta": {"personal": True}},
            },
            {
                "name": "kind",
                "data_type": "varchar",
                "data_tests": [{"accepted_values": {"arguments": {"values": ["a", "b"]}}}],
            },
            {
                "name": "parent",
                "data_type": "bigint",
                "data_tests": [{"relationships": {"arguments": {"to": "source('cleaned', 'others')", "field": "id"}}}],
            },
            {"name": "price", "data_type": "decimal(10, 2)"},
            {"name": "at", "data_type": "timestamp(6) with time zone"},
        ],
    }


def test_what_people_see_depends_on_what_its_queries_read(graph: Graph) -> None:
    told = {one["name"]: one for one in yaml.safe_load(dbt_files.exposures(graph))["exposures"]}
    assert told["alert_sessions_missing"]["depends_on"] == ["ref('sessions')"]
    assert told["alert_sessions_missing"]["owner"] == {"name": "marketing"}
    assert {"source('curated', 'fct_orders')", "ref('daily_revenue')"} <= {*told["report_business"]["depends_on"]}


def test_the_files_are_those_of_the_lake_as_it_is(graph: Graph) -> None:
    written = {
        dbt_files.CLEANED: dbt_files.sources(load_all(["shop"])),
        dbt_files.EXPOSURES: dbt_files.exposures(graph),
    }
    for file, text in written.items():
        assert file.read_text("utf-8") == text, f"{file.name} is stale: run `python -m lake.lineage.dbt_files`"


def test_a_stale_file_is_told(
    graph: Graph, monkeypatch: pytest.MonkeyPatch, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dbt_files.build, "of_checkout", lambda: graph)
    monkeypatch.setattr(dbt_files, "PROJECT", tmp_path)
    for name in ("CLEANED", "EXPOSURES"):
        monkeypatch.setattr(dbt_files, name, tmp_path / f"{name}.yml")
    assert dbt_files.main(["--check"]) == 1
    assert capsys.readouterr().err.count("is stale: run `python -m lake.lineage.dbt_files`") == 2
    assert dbt_files.main([]) == 0
    assert dbt_files.main(["--check"]) == 0
