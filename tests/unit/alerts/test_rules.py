"""Alert rules: what a file may say, and how a mistake in it is named."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from lake.alerts import judge
from lake.alerts.rules import Condition, MetricRule, load
from lake.errors import LakeError
from lake.metrics import definitions
from lake.settings import settings

GOOD = """
rules:
  - name: sales
    description: Too few.
    severity: critical
    query: SELECT 1 AS value, 2 AS reference, $as_of
    condition: {min_ratio: 0.5}
"""


GOOD_METRIC = """
rules:
  - name: sales
    description: Too few.
    severity: critical
    metric: revenue
    by: department
    anomaly: {below: 4, beside: others}
"""


def test_the_rules_that_come_with_the_lake_name_metrics_and_dimensions_that_there_are() -> None:
    metrics = definitions.load()
    rules = load(settings().alert_rules)
    judged = [judge.known(rule, metrics).name for rule in rules if isinstance(rule, MetricRule)]
    assert len(judged) == len(rules) == 7


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("anomaly: {below: 4, beside: others}", "", "give one of threshold, change, anomaly, not none"),
        ("anomaly:", "threshold: {min: 1}\n    anomaly:", "not threshold and anomaly"),
        ("below: 4, ", "", "anomaly: Value error, give a number for at least one of below, above"),
        ("below: 4", "below: -4", "anomaly.below: Input should be greater than 0"),
        ("    by: department\n", "", "what lies beside others is a segment: give a dimension with `by`"),
        (
            "    by: department\n    anomaly: {below: 4, beside: others}",
            "    counted: {what: Orders, query: SELECT $first $last}\n    anomaly: {below: 4}",
            "what is counted is counted of segments: give a dimension with `by`",
        ),
        (
            "by: department",
            "by: department\n    counted: {what: Orders, query: SELECT $first}",
            "counted.query: Value error, the parameters are $first and $last, both of them",
        ),
        (
            "anomaly: {below: 4, beside: others}",
            "change: {against: monday}",
            "change.against: Input should be 'weekdays'",
        ),
        ("anomaly: {below: 4, beside: others}", "change: {against: year}", "at least one of min_ratio, max_ratio"),
        ("metric: revenue", "metric: revenue\n    labels: {segment: x}", "segment is set from the rule itself"),
    ],
)
def test_a_mistake_in_a_rule_on_a_metric_is_named(tmp_path: Path, old: str, new: str, told: str) -> None:
    file = tmp_path / "rules.yml"
    file.write_text(GOOD_METRIC)
    assert [rule.name for rule in load(file)] == ["sales"]
    assert old in GOOD_METRIC
    file.write_text(GOOD_METRIC.replace(old, new))
    with pytest.raises(LakeError) as caught:
        load(file)
    assert told in caught.value.what


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("severity: critical", "severity: loud", "rule 1 ('sales'):\n  severity: Input should be 'critical'"),
        ("min_ratio: 0.5", "", "rule 1 ('sales'):\n  condition: Value error, give a number for at least one of"),
        ("min_ratio: 0.5", "least: 1", "condition.least: Extra inputs are not permitted"),
        ("$as_of", "$yesterday", "query: Value error, the only parameter is $as_of"),
        (
            "description: Too few.",
            "labels: {severity: low}",
            "labels: Value error, severity is set from the rule itself",
        ),
        ("rules:", "rulez:", "has no list `rules`"),
        ("- name: sales", "- name: [", "is not YAML"),
    ],
)
def test_a_mistake_is_named_with_file_rule_and_expected_shape(tmp_path: Path, old: str, new: str, told: str) -> None:
    file = tmp_path / "rules.yml"
    file.write_text(GOOD.replace(old, new))
    with pytest.raises(LakeError) as caught:
        load(file)
    assert str(file) in caught.value.what
    assert told in caught.value.what
    assert "a rule looks like this" in caught.value.fix


def test_two_rules_of_one_name_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "rules.yml"
    file.write_text(GOOD + GOOD.removeprefix("\nrules:\n"))
    with pytest.raises(LakeError, match="two rules are called sales"):
        load(file)


@pytest.mark.parametrize(
    ("bounds", "value", "reference", "broken"),
    [
        ({"min_ratio": "0.5"}, "50.00", "100.00", ""),
        ({"min_ratio": "0.5"}, "49.99", "100.00", "49.99 should be at least 50 (0.5 times the reference 100.00)"),
        ({"max_ratio": "2"}, "200.01", "100.00", "200.01 should be at most 200 (2 times the reference 100.00)"),
        ({"min": "10000"}, "9999", None, "9,999 should be at least 10,000"),
        ({"min": "1", "max": "3"}, "3", None, ""),
        ({"min": "1", "max": "3"}, "4", None, "4 should be at most 3"),
    ],
)
def test_bounds(bounds: dict[str, str], value: str, reference: str | None, broken: str) -> None:
    condition = Condition.model_validate(bounds)
    assert condition.broken(Decimal(value), Decimal(reference) if reference else None) == broken
