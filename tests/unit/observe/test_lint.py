"""`make lint` names what a rule, a route or an inhibition calls by a name that is not there, and where it stands."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lake.observe.lint import promql
from lake.observe.lint.__main__ import main, mistakes
from lake.observe.lint.known import Known, known, listed
from lake.settings import PROJECT

RULES = "infra/prometheus/rules"
ROUTES = "infra/alertmanager/alertmanager.yml"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what is checked, to be spoiled."""
    for folder in ("infra/prometheus", "infra/alertmanager", "docs/runbooks"):
        shutil.copytree(PROJECT / folder, tmp_path / folder)
    return tmp_path


def _spoilt(project: Path, file: str, was: str, becomes: str) -> list[str]:
    """What is said of a file in which the first ``was`` is spoilt, with that line's number as ``LINE``."""
    path = project / file
    text = path.read_text()
    assert was in text
    line = text[: text.index(was)].count("\n") + 1
    path.write_text(text.replace(was, becomes, 1))
    return [str(each).removeprefix(f"{project}/").replace(f":{line}:", ":LINE:") for each in mistakes(project)]


def test_nothing_is_said_of_what_is_shipped() -> None:
    assert mistakes() == []


@pytest.mark.parametrize(
    ("file", "was", "becomes", "said"),
    [
        ("database", "expr: mysql_up == 0", "expr: mysql_upp == 0", "no metric mysql_upp: did you mean mysql_up?"),
        (
            "database",
            "expr: instance:mysql_connections:ratio >",
            "expr: instance:mysql_connection:ratio >",
            "no metric instance:mysql_connection:ratio: did you mean instance:mysql_connections:ratio?",
        ),
        (
            "database",
            'expr: shoplake_parity_drift_rows{against="primary"}',
            'expr: shoplake_parity_drift_rows{agains="primary"}',
            "no label agains in shoplake_parity_drift_rows: did you mean against?",
        ),
        (
            "lake",
            "expr: min by (source)",
            "expr: min by (sorce)",
            "no label sorce in table:shoplake_overdue:seconds: did you mean source?",
        ),
        ("platform", "max by (host) (up{", 'max by (host) (up{job="nod",', "no job nod: did you mean node?"),
        ("platform", 'summary: "{{ $labels.service }} does', 'summary: "{{ $labels.servce }} does',
         "no label servce in the expression: did you mean service?"),
        (
            "pipeline",
            "runbook: docs/runbooks/TaskHanging.md",
            "runbook: docs/runbooks/TaskHangs.md",
            "no runbook docs/runbooks/TaskHangs.md: did you mean docs/runbooks/TaskHanging.md?",
        ),
        ("lake", "{severity: critical", "{severity: critcal", "no severity critcal: did you mean critical?"),
        ("lake", "team: data}", "team: dta}", "no team dta: did you mean data?"),
        ("database", "expr: mysql_up == 0", "expr: (mysql_up == 0", "not PromQL: unclosed left parenthesis"),
        ("database", "expr: rate(mysql_global_status_slow_queries[5m])", "expr: rate(mysql_up)",
         "not PromQL: expected type matrix in call to function 'rate', got vector"),
    ],
)  # fmt: skip
def test_a_rule_that_names_what_is_not_there(project: Path, file: str, was: str, becomes: str, said: str) -> None:
    # What follows from it may be said as well: a rule that records nothing known, a route by a label that none has.
    assert f"{RULES}/{file}.yml:LINE: {said}" in _spoilt(project, f"{RULES}/{file}.yml", was, becomes)


def test_a_rule_without_owner_or_way_out(project: Path) -> None:
    found = _spoilt(project, f"{RULES}/database.yml", "labels: {severity: critical, team: database}", "labels: {}")
    assert [each.partition(": ")[2] for each in found if RULES in each] == [
        "DatabaseDown has no label severity: one of critical, info, warning",
        "DatabaseDown has no label team: one of data, database, platform",
    ]
    found = _spoilt(project, f"{RULES}/lake.yml", "          way_out:", "          wayout:")
    assert any(each.endswith("LakeStale has no annotation way_out") for each in found)


def test_two_alerts_of_one_name(project: Path) -> None:
    found = _spoilt(project, f"{RULES}/pipeline.yml", "alert: RunLate", "alert: TaskHanging")
    assert f"{RULES}/pipeline.yml:LINE: TaskHanging is there twice, also in {project}/{RULES}/pipeline.yml" in found


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        ("      receiver: database", "      receiver: databse", ["no receiver databse: did you mean database?"]),
        ("[alertname, beat]", "[alertname, beet]", ["no alert has the label beet: did you mean beat?"]),
        ("""'alertname="WatchSilent"'""", """'alertname="WatchSilnt"'""",
         ["no alertname WatchSilnt: did you mean WatchSilent?"]),
        ("""'team="platform"'""", """'team="platfrom"'""", ["no team platfrom: did you mean platform?"]),
        ("""'severity="critical"'""", """'severty="critical"'""",
         ["no alert has the label severty: did you mean severity?"]),
        ("""'alertname=~"SourceDown|SourceHeldBack"'""", """'alertname=~"SourceDown|SourceHeld"'""",
         ["no alertname SourceHeld: did you mean SourceHeldBack?"]),
        ("equal: [instance, mountpoint]", "equal: [instance, mountpiont]",
         ["no alert has the label mountpiont: did you mean mountpoint?",
          "no alert of source_matchers has the label mountpiont",
          "no alert of target_matchers has the label mountpiont"]),
        ("equal: [dag_id]", "equal: [dag_id, task_id]", ["no alert of source_matchers has the label task_id"]),
        ("""'alertname="DiskFull"'""", """'alertname=DiskFull'""", ["not a matcher: alertname=DiskFull: …"]),
    ],
)  # fmt: skip
def test_a_route_that_names_what_is_not_there(project: Path, was: str, becomes: str, said: list[str]) -> None:
    found = _spoilt(project, ROUTES, was, becomes)
    cut = [each.split("DiskFull: ")[0] + "DiskFull: …" if "not a matcher" in each else each for each in found]
    assert cut == [f"{ROUTES}:LINE: {each}" for each in said]


def test_a_file_that_is_no_yaml_is_named_with_its_line(project: Path) -> None:
    (project / RULES / "own.yml").write_text("groups:\n  - name: [\n")
    [said] = [str(each) for each in mistakes(project)]
    assert said.startswith(f"{project}/{RULES}/own.yml:3: not YAML: ")


def test_the_command_prints_what_it_refuses_and_fails(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(project) == 0
    _spoilt(project, f"{RULES}/database.yml", "expr: mysql_up == 0", "expr: mysql_upp == 0")
    assert main(project) == 1
    said = "infra/prometheus/rules/database.yml:23: no metric mysql_upp: did you mean mysql_up?\n"
    assert capsys.readouterr().err == said


KNOWN = Known(
    {
        "a": frozenset({"job", "x", "y"}),
        "b": frozenset({"job", "x", "z"}),
        "h_bucket": frozenset({"job", "le"}),
    },
    frozenset({"one"}),
)


@pytest.mark.parametrize(
    ("expression", "labels"),
    [
        ("a", "job x y"),
        ("rate(a[5m])", "job x y"),
        ("max_over_time(a[1h:1m])", "job x y"),
        ("sum(a)", ""),
        ("sum by (x) (a)", "x"),
        ("sum without (x) (a)", "job y"),
        ("topk(3, a)", "job x y"),
        ("a * 2 > 5", "job x y"),
        ("time() - a", "job x y"),
        ("-(a)", "job x y"),
        ("a or b", "job x y z"),
        ("a and on (x) b", "job x y"),
        ("a unless b", "job x y"),
        ("a / on (x) b", "x"),
        ("a / ignoring (y, z) b", "job x"),
        ("a * on (x) group_left (z) b", "job x y z"),
        ("b * on (x) group_right (z) a", "job x y z"),
        ('label_replace(a, "new", "$1", "x", "(.*)")', "job new x y"),
        ('label_join(a, "new", "-", "x", "y")', "job new x y"),
        ('absent(a{job="one", x!="1"})', "job"),
        ("histogram_quantile(0.9, h_bucket)", "job"),
        ("vector(1)", ""),
        ('{__name__="a"}', "job x y"),
    ],
)
def test_which_labels_an_expression_comes_to(expression: str, labels: str) -> None:
    assert promql.check(expression, KNOWN) == (frozenset(labels.split()), [])


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("a + on (y) b", "no label y in b: there is job, x, z"),
        ("a * on (x) group_left (y) b", "no label y in the side of one: there is job, x, z"),
        ('label_replace(a, "new", "$1", "xx", "(.*)")', "no label xx in a: did you mean x?"),
        ("sum by (z) (a)", "no label z in a: there is job, x, y"),
        ("vector(scalar(c))", "no metric c: there is a, b, h_bucket"),
    ],
)
def test_what_an_expression_names_wrongly(expression: str, said: str) -> None:
    assert promql.check(expression, KNOWN)[1] == [said]


def test_what_is_known_comes_with_the_labels_of_its_targets() -> None:
    found = known(PROJECT / "infra" / "prometheus")
    assert found.metrics["mysql_up"] == {"job", "instance", "host", "role", "server"}
    assert found.metrics["shoplake_source_up"] == {"job", "instance", "host", "source"}
    assert {"lake", "mysql", "prometheus"} <= found.jobs


def test_a_list_says_what_one_kind_of_server_alone_has(tmp_path: Path) -> None:
    file = tmp_path / "mysql.txt"
    file.write_text("# names\na\nb{x,y}  # mariadb\nc{x}  # mysql\n")
    assert listed(file) == {"a": set(), "b": {"x", "y"}, "c": {"x"}}
    assert listed(file, only="mysql") == {"a": set(), "c": {"x"}}


def test_a_business_figure_that_there_is_not(project: Path) -> None:
    file = "infra/prometheus/business.yml"
    told = "there is no metric 'oders'; did you mean orders?"
    assert _spoilt(project, file, "metric: orders", "metric: oders") == [f"{file}:LINE: {told}"]
