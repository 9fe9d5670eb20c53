"""How a dbt build that went wrong is told."""

from __future__ import annotations

import pytest

from lake.errors import AuditError, LakeError
from lake.layers.marts import NodeResult, _raise_failed

TABLE = NodeResult("daily_revenue", "model", "success", 365, 1.0, "SUCCESS")
SKIPPED = NodeResult("grain_customer_value", "test", "skipped", 0, 0.0, "")
BROKEN = NodeResult("customer_value", "model", "error", 0, 0.1, "line 3:7: Column 'x' cannot be resolved")
REFUSED = NodeResult("revenue_adds_up", "test", "fail", 2, 0.2, "Got 2 results, configured to fail if != 0")


def test_all_is_well() -> None:
    _raise_failed((TABLE,), "run_1")


def test_a_test_that_fails_stops_the_publish_and_is_named_with_its_rows() -> None:
    with pytest.raises(AuditError, match="revenue_adds_up: 2 rows break it") as caught:
        _raise_failed((TABLE, REFUSED), "run_1")
    assert "catalog run_1" in caught.value.fix


def test_a_model_that_breaks_is_named_with_the_databases_own_words() -> None:
    with pytest.raises(LakeError, match="model customer_value: line 3:7: Column 'x' cannot be resolved") as caught:
        _raise_failed((TABLE, BROKEN, SKIPPED, REFUSED), "run_1")
    assert not isinstance(caught.value, AuditError)
