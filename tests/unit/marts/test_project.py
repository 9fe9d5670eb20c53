"""The dbt project: its layers, its grains, and the hash of its code."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from dbt.cli.main import dbtRunner

from lake.layers.marts import DBT, manifest_sha256

MARTS = {
    "daily_revenue",
    "product_performance",
    "category_performance",
    "customer_value",
    "cohort_retention",
    "campaign_effect",
    "delivery_times",
    "calendar_days",
    "sales_by_day",
    "order_details",
    "payments_by_day",
    "reviews_by_day",
    "customer_churn",
    "sessions",
    "searches",
    "stock",
    "campaign_uplift",
    "category_affinity",
    "discount_effect",
}
BY_MONTH = {"int_product_months", "int_category_months", "int_category_days", "int_category_pairs"}
BELOW = {"marts": ("marts", "int_"), "int_": ("int_", "stg_"), "stg_": ("source",)}


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    target = str(tmp_path_factory.mktemp("dbt"))
    places = ["--project-dir", str(DBT), "--profiles-dir", str(DBT), "--target-path", target, "--log-path", target]
    outcome = dbtRunner().invoke(["--quiet", "parse", *places])
    assert outcome.success, outcome.exception
    parsed: dict[str, Any] = json.loads((Path(target) / "manifest.json").read_text())
    return parsed


def _models(manifest: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {node["name"]: node for node in manifest["nodes"].values() if node["resource_type"] == "model"}


def _layer(name: str) -> str:
    return next((prefix for prefix in ("stg_", "int_") if name.startswith(prefix)), "marts")


def test_the_marts_are_tables_and_what_is_kept_by_month(manifest: dict[str, Any]) -> None:
    models = _models(manifest)
    assert {name for name, model in models.items() if model["config"]["materialized"] == "table"} == MARTS
    assert {name for name, model in models.items() if model["config"]["materialized"] == "incremental"} == BY_MONTH
    schemas = {name: model["schema"] for name, model in models.items() if name in MARTS | BY_MONTH}
    assert schemas == dict.fromkeys(MARTS, "marts") | dict.fromkeys(BY_MONTH, "intermediate")


def test_every_layer_reads_only_the_next_one(manifest: dict[str, Any]) -> None:
    for name, model in _models(manifest).items():
        read = model["depends_on"]["nodes"]
        assert read, f"{name} reads nothing"
        for unique_id in read:
            kind, *_, other = unique_id.split(".")
            below = "source" if kind == "source" else _layer(other)
            assert below in BELOW[_layer(name)], f"{name} reads {unique_id}"


def test_every_model_states_its_grain_and_every_mart_is_tested_for_it(manifest: dict[str, Any]) -> None:
    for name, model in _models(manifest).items():
        assert model["description"].startswith("Grain: "), name
        assert bool(model["config"]["meta"].get("grain")) == (name in MARTS), name
    tested = manifest["nodes"]["test.shoplake.every_mart_has_its_grain"]["depends_on"]["nodes"]
    assert {unique_id.split(".")[-1] for unique_id in tested} == MARTS


def test_every_mart_declares_its_columns_and_none_of_them_is_a_float(manifest: dict[str, Any]) -> None:
    for name in MARTS:
        model = _models(manifest)[name]
        assert model["config"]["contract"]["enforced"], name
        types = [column["data_type"] for column in model["columns"].values()]
        assert types and not {"real", "double"} & {*types}, name


def test_the_hash_is_that_of_the_code_alone(manifest: dict[str, Any]) -> None:
    elsewhere = copy.deepcopy(manifest)
    elsewhere["metadata"]["generated_at"] = "2001-01-01T00:00:00Z"
    for node in elsewhere["nodes"].values():
        node["database"] = "run_2"
    assert manifest_sha256(elsewhere) == manifest_sha256(manifest)
    elsewhere["nodes"]["model.shoplake.daily_revenue"]["raw_code"] += " "
    assert manifest_sha256(elsewhere) != manifest_sha256(manifest)
