"""How checks are run and told, and what is judged without a service."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from lake.commands.main import app
from lake.errors import ContractError, LakeError, ServiceError
from lake.observe.doctor import checks, databases, installation
from lake.observe.doctor.examine import examine
from lake.observe.doctor.finding import Check, Finding, ok, problem, warning
from lake.runtime.artifacts import artifacts
from lake.runtime.schedule import longest_gap
from lake.settings import PROJECT
from lake.source.sources import Source

Look = Callable[[datetime], Iterable[Finding]]


def check(look: Look, name: str = "it", seconds: float = 30) -> Check:
    return Check(name, "something", "something", look, seconds)


def raising(error: Exception) -> Look:
    def look(now: datetime) -> Iterator[Finding]:
        yield ok("one", "this is not told: the check did not come to its end")
        raise error

    return look


# -- running them
def test_checks_are_told_in_their_order_with_the_instant() -> None:
    now = datetime(2026, 1, 2, tzinfo=UTC)
    found = examine([check(lambda at: [ok("a", str(at))], "a"), check(lambda at: [ok("b", "")], "b")], now)
    assert list(found) == ["a", "b"]
    assert found["a"] == [ok("a", str(now))]


def test_checks_run_side_by_side() -> None:
    meeting = threading.Barrier(3, timeout=20)

    def meet(now: datetime) -> list[Finding]:
        meeting.wait()
        return [ok("met", "")]

    found = examine([check(meet, name) for name in "abc"])
    assert [each.state for (each,) in found.values()] == ["ok"] * 3


def test_one_that_hangs_is_a_problem_and_keeps_nobody_waiting() -> None:
    released = threading.Event()

    def hang(now: datetime) -> list[Finding]:
        released.wait(60)
        return []

    found = examine([check(hang, "hangs", seconds=0.2), check(lambda at: [ok("b", "")], "b")])
    released.set()
    (told,) = found["hangs"]
    assert (told.state, told.seen) == ("problem", "there was no answer within 0.2 s")
    assert found["b"] == [ok("b", "")]


@pytest.mark.parametrize(
    ("error", "state", "seen", "way_out"),
    [
        (
            ServiceError("nessie is away", "start it"),
            "skipped",
            "it could not be looked at: nessie is away",
            "start it",
        ),
        (ContractError("orders.yml:3: wrong", "mend it"), "problem", "orders.yml:3: wrong", "mend it"),
        (TimeoutError("late"), "problem", "the check itself broke: TimeoutError: late", "tell those who keep"),
        (KeyError("x"), "problem", "the check itself broke: KeyError: 'x'", "tell those who keep this software"),
    ],
)
def test_one_that_does_not_come_to_its_end(error: Exception, state: str, seen: str, way_out: str) -> None:
    ((told,),) = examine([check(raising(error))]).values()
    assert (told.subject, told.state, told.seen) == ("it", state, seen)
    assert told.way_out.startswith(way_out)


def test_one_that_says_nothing_is_not_taken_for_well() -> None:
    ((told,),) = examine([check(lambda now: [])]).values()
    assert (told.state, told.seen) == ("skipped", "there is nothing to look at")


# -- telling
def run(monkeypatch: pytest.MonkeyPatch, *findings: Finding, arguments: tuple[str, ...] = ()) -> tuple[int, str]:
    monkeypatch.setattr(checks, "CHECKS", (check(lambda now: findings),))
    result = CliRunner().invoke(app, ["doctor", *arguments], env={"COLUMNS": "300"})
    return result.exit_code, result.output


def test_a_warning_is_told_with_its_way_out_and_does_not_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    code, said = run(monkeypatch, ok("it", "fine"), warning("crm", "so [so]", "do [this]"))
    assert code == 0
    assert [line.split() for line in said.splitlines()] == [
        ["ok", "it", "fine"],
        ["warning", "it", "crm:", "so", "[so]"],
        ["->", "do", "[this]"],
        [],
        ["1", "warnings,", "1", "well"],
    ]


def test_a_problem_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, problem("a", "b", "c"))[0] == 1
    code, said = run(monkeypatch, problem("a", "b", "c"), arguments=("--json",))
    assert code == 1
    assert json.loads(said) == [{"check": "it", "subject": "a", "state": "problem", "seen": "b", "way_out": "c"}]


def test_a_check_that_is_not_known_is_refused() -> None:
    with pytest.raises(LakeError, match=r"no check 'clok'\n  -> there are packages, parts, .*clocks, clock, "):
        checks.named(["clok"])
    assert [each.name for each in checks.named(["disk", "packages"])] == ["packages", "disk"]


def test_the_document_has_the_table_of_the_code() -> None:
    assert checks.markdown() in (PROJECT / "docs" / "doctor.md").read_text()


def test_names_are_different_and_no_check_waits_for_ever() -> None:
    assert len({each.name for each in checks.CHECKS}) == len(checks.CHECKS)
    assert max(each.seconds for each in checks.CHECKS) <= 60


# -- judging
ORIGIN = Source("crm", "db.example", 3306, "reader", "crm", SecretStr(""))


@pytest.mark.parametrize(
    ("kind", "version", "state"),
    [
        ("MySQL", "5.7.44-log", "problem"),
        ("MySQL", "8.0.36", "ok"),
        ("MySQL", "8.4.7-rds.20260101", "ok"),
        ("MySQL", "9.7.4-2", "ok"),
        ("MySQL", "10.0.1", "warning"),
        ("MariaDB", "10.6.18-MariaDB", "problem"),
        ("MariaDB", "10.11.6-MariaDB-0+deb12u1", "ok"),
        ("MariaDB", "11.4.5-MariaDB-log", "ok"),
        ("MariaDB", "12.1.2-MariaDB", "warning"),
        ("MySQL", "nonsense", "problem"),
    ],
)
def test_versions_of_servers(kind: str, version: str, state: str) -> None:
    told = databases.judged(ORIGIN, kind, version)
    assert told.state == state
    assert f"{kind} {version} at db.example:3306" in told.seen


def test_a_longer_name_is_no_other_version() -> None:
    trino = artifacts()["trino"]
    assert trino.folder.with_name("trino-connectors-476").exists()
    assert installation._other_versions(trino) == [trino.version]


@pytest.mark.parametrize(
    ("cron", "missed", "gap"),
    [
        ("0 * * * *", 0, timedelta(hours=1)),
        ("0 * * * *", 2, timedelta(hours=3)),
        ("30 3 * * 1-5", 0, timedelta(days=3)),
        ("30 3 * * 1-5", 2, timedelta(days=5)),
    ],
)
def test_the_longest_gap_of_a_schedule(cron: str, missed: int, gap: timedelta) -> None:
    assert longest_gap(cron, missed) == gap
