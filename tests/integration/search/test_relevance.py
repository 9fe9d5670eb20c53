"""How good answers are, on the products of a fixed demo shop: a change that makes them worse fails here.

``figures.json`` beside this file holds what is to be reached. After a change that makes answers better:
``LAKE_TEST_WRITES_FIGURES=1 pytest tests/integration/search/test_relevance.py`` writes it anew.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from lake.search import build
from lake.search.relevance.evaluate import evaluate
from tests.integration.search.conftest import demo_products

FIGURES = Path(__file__).with_name("figures.json")
CUSTOMERS = 0.05
ROUNDING = 0.0005
"""Figures are kept with four digits; products that score alike stand in the order of their ids."""


@pytest.mark.thorough
def test_answers_are_no_worse_than_they_were(empty: None) -> None:
    products = demo_products(CUSTOMERS)
    build.index(products, "run_demo", "de3033ab5e11", "2026-03-01T00:00:00+00:00")
    found = evaluate().to_json()
    if os.environ.get("LAKE_TEST_WRITES_FIGURES"):
        FIGURES.write_text(json.dumps(found, indent=1) + "\n")
    assert FIGURES.exists(), f"there is nothing to compare with; these are the figures: {json.dumps(found)}"
    before: dict[str, Any] = json.loads(FIGURES.read_text())
    assert (found["products"], found["left_out"]) == (before["products"], before["left_out"])
    for group in ("all", "seen", "held_out"):
        now, then = (each if group == "all" else each[group] for each in (found, before))
        for figure in ("ndcg@10", "mrr"):
            assert now["ours"][figure] >= then["ours"][figure] - ROUNDING, f"{group}: {figure}"
            assert now["ours"][figure] > now["bm25"][figure], f"{group}: {figure} of plain BM25"
        assert now["ours"]["zero_results"] <= then["ours"]["zero_results"], group
