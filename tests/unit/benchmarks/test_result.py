"""A benchmark over wrong figures is refused, and its ratios are ours by theirs."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from benchmarks.bench import Check, Result, of_rounds, refuse_wrong
from benchmarks.measure import Phase
from benchmarks.shop import Truth, scale_of
from lake.errors import AuditError, LakeError

TRUTH = Truth(Decimal("4536753.05"), 151250802)


def _result() -> Result:
    result = Result(scale=1, order_lines=1_469_307, began_at=datetime(2026, 1, 1, tzinfo=UTC))
    result.phases["shoplake full"] = Phase("shoplake full", 60.0, 90.0, {}, 4000, {}, orchestration_share=0.1)
    result.phases["peer full"] = Phase("peer full", 15.0, 18.0, {"peer": 16.0, "mariadb-replica": 2.0}, 800, {})
    result.checks = [Check("shoplake full", TRUTH, TRUTH), Check("peer full", TRUTH, TRUTH)]
    result.mart_rows = {"shoplake full": {"daily_revenue": 365}, "peer full": {"daily_revenue": 365}}
    return result


def test_ratios_are_ours_by_theirs_and_only_of_what_both_have_done() -> None:
    assert _result().ratios() == {"full": {"wall": 4.0, "cpu": 5.0, "peak_memory": 5.0}}


def test_right_figures_pass_and_the_json_keeps_money_exact() -> None:
    result = _result()
    refuse_wrong(result)
    written = json.loads(json.dumps(result.to_json()))
    assert written["checks"][0]["shop"] == {"revenue": "4536753.05", "units": 151250802}
    assert written["checks"][0]["is_right"] is True
    assert written["ratios"]["full"]["wall"] == 4.0


def test_of_several_rounds_the_median_counts_and_not_the_first() -> None:
    results = [_result() for _ in range(4)]
    for result, wall in zip(results, [200.0, 60.0, 40.0, 50.0], strict=True):
        result.phases["shoplake full"] = replace(result.phases["shoplake full"], wall_seconds=wall)
    found = of_rounds(results)
    assert found.phases["shoplake full"].wall_seconds == 50.0
    assert found.rounds["shoplake full"] == [200.0, 60.0, 40.0, 50.0]
    assert of_rounds(results[:1]).phases == results[0].phases


def test_one_cent_is_too_much() -> None:
    result = _result()
    result.checks.append(Check("peer increment", TRUTH, Truth(Decimal("4536753.06"), TRUTH.units)))
    with pytest.raises(AuditError, match=r"peer increment: daily_revenue has revenue 4536753\.06"):
        refuse_wrong(result)


def test_marts_of_different_length_are_not_the_same_marts() -> None:
    result = _result()
    result.mart_rows["peer full"] = {"daily_revenue": 364}
    with pytest.raises(AuditError, match="differ in rows"):
        refuse_wrong(result)


def test_an_increment_whose_changes_another_run_took_is_refused() -> None:
    result = _result()
    result.changed_lines, result.lines_read = {"increment": 14_694}, {"increment": 0}
    result.disturbed_by = ["scheduled__2026-01-01T01:00:00+00:00"]
    with pytest.raises(LakeError, match=r"read 0 order lines of 14694 .* \(scheduled__2026-01-01T01"):
        refuse_wrong(result)


def test_a_run_that_found_changes_where_none_were_made_is_refused() -> None:
    result = _result()
    result.published = {"full": True, "unchanged": True}
    with pytest.raises(LakeError, match="unchanged published something"):
        refuse_wrong(result)


@pytest.mark.parametrize(
    ("comment", "found"),
    [
        ("shoplake demo: loaded, anchor 2026-11-24, seed 1, sample 1, scale 10", (1.0, 10)),
        ("shoplake demo: loaded, anchor 2026-11-24, seed 1, sample 0.03, scale 1", (0.03, 1)),
        ("shoplake demo: loading", (0.0, 0)),
    ],
)
def test_the_shop_tells_its_scale(comment: str, found: tuple[float, int]) -> None:
    assert scale_of(comment) == found
