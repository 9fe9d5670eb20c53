"""Small tables are taken in without Spark: the same rows in the same tables, which Spark goes on with."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from pyiceberg.exceptions import CommitStateUnknownException

from lake.contracts import DELETE, READ
from lake.errors import AuditError
from lake.layers import sizes, small
from lake.layers.sizes import Arrived, Sizes
from lake.layers.small import SmallTables
from lake.layers.work import Landed, Work
from lake.maintenance import statistics
from lake.platform import catalog, sql
from lake.platform.rest_catalog import TogetherCatalog
from lake.quality import verdicts
from lake.quality.verdicts import Rejudged
from spark_jobs.session import Lake
from tests.integration.spark_jobs.branch import DAY, INSTANT, KEY, Branch, contract
from tests.integration.spark_jobs.conftest import Opener

STATE = {"type": "enum('good','fine')", "nullable": False}
PARENTS = contract("parents", key=["p"], columns={"p": KEY, "state": STATE, "at": INSTANT})
POINTER = {"type": "bigint", "references": "parents.p"}
CHILDREN = contract("children", key=["c"], columns={"c": KEY, "p": POINTER, "note": {"type": "text"}, "at": INSTANT})
EMPTY = contract("empty", key=["k"], columns={"k": KEY, "at": INSTANT})

ROWS: dict[str, list[tuple[Any, ...]]] = {
    "parents": [(READ, 1, "good"), (READ, 2, "broken"), (READ, 3, "fine")],
    "children": [(READ, 10, 1, "x"), (READ, 20, 2, ""), (READ, 30, None, None), (READ, 40, 4, "y")],
    "empty": [],
}
COUNTS = {"parents": (3, 1, 0), "children": (4, 2, 0), "empty": (0, 0, 0)}


@pytest.fixture
def branch(open_branch: Opener) -> Branch:
    """Three tables that were taken in without Spark: one has refused rows, one orphans, one no row."""
    opened = open_branch(PARENTS, CHILDREN, EMPTY)
    assert opened.run(0, full=True, in_memory=True, **ROWS) == COUNTS
    return opened


def _described(branch: Branch, layer: str, table: str) -> dict[str, Any]:
    """All that the catalog says of a table but its name and its history."""
    found = branch.found(layer, table)
    own = ("nessie.", "created-at", "owner")  # of the one table, and of who made it
    snapshot = found.current_snapshot()
    return {
        "schema": str(found.schema()),
        "ids": found.schema().highest_field_id,
        "spec": str(found.spec()),
        "order": str(found.sort_order()),
        "version": found.format_version,
        "properties": sorted(pair for pair in found.properties.items() if not pair[0].startswith(own)),
        "rows": (snapshot.summary or {})["total-records"] if snapshot else "0",
    }


def test_what_comes_out_is_what_spark_makes(branch: Branch, open_branch: Opener) -> None:
    by_spark = open_branch(PARENTS, CHILDREN, EMPTY)
    assert by_spark.run(0, full=True, **ROWS) == COUNTS
    for layer in ("cleaned", "quarantine"):
        for table in branch.contracts:
            mine, theirs = (_described(each, layer, table) for each in (branch, by_spark))
            assert mine == theirs, f"{layer}.{table}"
            columns = [name for name in branch.columns(layer, table) if name != "_run_id"]
            assert branch.rows(layer, table, *columns) == by_spark.rows(layer, table, *columns)


def test_they_were_taken_in_without_spark(open_branch: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spark_jobs.cleaned._table", None)
    opened = open_branch(PARENTS, CHILDREN, EMPTY)
    assert opened.run(0, full=True, in_memory=True, **ROWS) == COUNTS


def test_spark_goes_on_with_them(branch: Branch) -> None:
    changes = {"parents": [(READ, 2, "good")], "children": [(DELETE, 10, None, None), (READ, 50, 3, "z")]}
    assert branch.run(1, **changes) == {"children": (3, 1, 1), "empty": (0, 0, 0), "parents": (1, 0, 0)}
    assert branch.rows("cleaned", "parents", "p", "state") == [(1, "good"), (2, "good"), (3, "fine")]
    assert branch.rows("cleaned", "children", "c", "p") == [(20, 2), (30, None), (50, 3)]
    assert branch.rows("quarantine", "children", "c", "_reasons") == [(40, ["orphan:p"])]


def test_an_increment_goes_on_with_what_spark_has_made(open_branch: Opener) -> None:
    opened = open_branch(PARENTS, CHILDREN, EMPTY)
    opened.run(0, full=True, **ROWS)
    changes = {"parents": [(READ, 2, "good")], "children": [(DELETE, 10, None, None), (READ, 50, 3, "z")]}
    assert opened.run(1, in_memory=True, **changes) == {"children": (3, 1, 1), "empty": (0, 0, 0), "parents": (1, 0, 0)}
    assert opened.rows("cleaned", "children", "c", "p") == [(20, 2), (30, None), (50, 3)]
    assert opened.rows("quarantine", "children", "c", "_reasons") == [(40, ["orphan:p"])]


def test_an_increment_that_finds_all_rows_as_they_were_changes_no_table(branch: Branch) -> None:
    before = catalog.contents(branch.name)
    assert branch.run(1, in_memory=True, parents=[(READ, 1, "good", DAY[0])])["parents"] == (2, 1, 0)
    after = catalog.contents(branch.name)
    # What waits in quarantine was judged again.
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"raw.parents", "quarantine.parents", "quarantine.children"}


@pytest.mark.parametrize(
    "rewritten",
    [pytest.param(sizes.MERGED_VALUES, marks=pytest.mark.thorough, id="anew"), pytest.param(0, id="deletes")],
)
@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_random_histories_end_as_spark_ends_them(
    open_branch: Opener, monkeypatch: pytest.MonkeyPatch, seed: int, rewritten: int
) -> None:
    """Rows that change, come, go, are refused and mended, with and without their parents, four runs in a row; into
    tables that are written anew each time, and into those of which rows are deleted beside the data."""
    monkeypatch.setattr(sizes, "MERGED_VALUES", rewritten)
    chance = random.Random(seed)
    kept = [each.model_copy(update={"history": True}) for each in (PARENTS, CHILDREN)]
    both = [open_branch(*kept, in_memory=in_memory) for in_memory in (False, True)]
    held: dict[str, set[int]] = {"parents": set(), "children": set()}
    for day in range(5):
        rows = {table: _changes(chance, table, held[table], day) for table in held}
        told = [branch.run(day, full=day == 0, **rows) for branch in both]
        assert told[0] == told[1]
        for layer in ("cleaned", "quarantine", "history"):
            for table in held:
                spark, memory = (_with_marks(branch, layer, table) for branch in both)
                assert memory == spark, f"{layer}.{table} on day {day}"


def test_every_engine_leaves_out_rows_that_are_deleted(open_branch: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two increments, so that the second one has to leave out what the first one has deleted; each deletes rows of the
    first file, and the second one also those that the first one has added."""
    monkeypatch.setattr(sizes, "MERGED_VALUES", 0)
    monkeypatch.setattr("spark_jobs.cleaned._merge", None)
    opened = open_branch(PARENTS.model_copy(update={"history": True}), in_memory=True)
    opened.run(0, full=True, parents=[(READ, key, "good") for key in range(6)])
    opened.run(1, parents=[(READ, 1, "fine"), (DELETE, 2, None), (READ, 6, "good")])
    opened.run(2, parents=[(READ, 1, "good"), (READ, 3, "fine"), (DELETE, 6, None)])

    expected = [(0, "good"), (1, "good"), (3, "fine"), (4, "good"), (5, "good")]
    assert opened.rows("cleaned", "parents", "p", "state") == expected
    statement = "SELECT p, state FROM {} ORDER BY p"
    with sql.catalog_at(opened.name, opened.name) as shown:
        assert [(row["p"], row["state"]) for row in sql.rows(statement.format("cleaned.parents"), shown)] == expected
    seen = Lake(opened.spark, opened._run(2)).name("cleaned", "parents")
    assert [tuple(row) for row in opened.spark.sql(statement.format(seen)).collect()] == expected

    summary = opened.found("cleaned", "parents").current_snapshot().summary
    told = [summary[f"total-{what}"] for what in ("records", "delete-files", "position-deletes", "equality-deletes")]
    assert told == ["10", "3", "5", "0"]
    read = statistics.read(opened.found("cleaned", "parents"))
    assert (read.with_deletes, read.deleted_share) == (2, 1.0)
    assert [row[0] for row in opened.rows("history", "parents", "p", "is_current") if row[1]] == [0, 1, 3, 4, 5]


def _changes(chance: random.Random, table: str, held: set[int], day: int) -> list[tuple[Any, ...]]:
    """Some keys of eight, each read or, if it was there and this is not the first day, perhaps gone."""
    rows: list[tuple[Any, ...]] = []
    for key in chance.sample(range(8), chance.randint(0, 5) if day else 6):
        if day and key in held and chance.random() < 0.4:
            held.discard(key)
            rows.append((DELETE, key, None) if table == "parents" else (DELETE, key, None, None))
            continue
        held.add(key)
        if table == "parents":
            rows.append((READ, key, chance.choice(["good", "fine", "broken"])))
        else:
            rows.append((READ, key, chance.choice([None, *range(8)]), chance.choice(["", "x", None])))
    return rows


def _with_marks(branch: Branch, layer: str, table: str) -> list[tuple[Any, ...]]:
    columns = branch.columns(layer, table)
    return [tuple(str(value).removeprefix(branch.name) for value in row) for row in branch.rows(layer, table, *columns)]


def test_a_table_that_spark_has_marked_rows_of_as_deleted_stays_sparks(
    branch: Branch, monkeypatch: pytest.MonkeyPatch
) -> None:
    branch.run(1, children=[(DELETE, 10, None, None)])
    landed = {table: Landed(len(rows), 0, True, DAY[2], files=("s3://read/whole",)) for table, rows in ROWS.items()}
    told = Sizes(branch.name, branch.contracts, Work(landed, waiting=set()))
    assert [table for table in ROWS if told.is_small(table)] == ["parents", "empty"]
    branch.run(2, full=True, in_memory=True, **ROWS)
    assert branch.rows("cleaned", "children", "c") == [(10,), (30,)]


def test_content_is_replaced_and_columns_come_and_grow(branch: Branch) -> None:
    columns = {**PARENTS.columns, "extra": PARENTS.columns["state"]}
    wider = CHILDREN.with_columns({**CHILDREN.columns, "size": CHILDREN.columns["note"]})
    branch.contracts |= {"parents": PARENTS.with_columns(columns), "children": wider}
    rows = {"parents": [(READ, 3, "good", DAY[1], "fine")], "children": [(READ, 40, 3, "y", DAY[1], "10")]}
    assert branch.run(1, full=True, in_memory=True, **rows) == {
        "parents": (1, 0, 0), "children": (1, 0, 0), "empty": (0, 0, 0)
    }  # fmt: skip
    assert branch.rows("cleaned", "parents", "p", "state", "extra") == [(3, "good", "fine")]
    assert branch.rows("cleaned", "children", "c", "size") == [(40, "10")]
    for table in ("parents", "children"):
        assert branch.rows("quarantine", table, "_reasons") == []

    assert branch.run(2, full=True, in_memory=True)["parents"] == (0, 0, 0)
    assert branch.rows("cleaned", "parents", "p") == []


def test_verdicts_that_edited_rules_have_changed_are_counted(branch: Branch) -> None:
    """Of parents 1 to 3 the second one was refused."""
    labels = {**PARENTS.columns, "state": PARENTS.columns["state"].with_type("enum('good','broken')")}
    branch.contracts["parents"] = PARENTS.with_columns(labels)
    branch.run(1, full=True, in_memory=True, **ROWS)
    run = branch._run(1)
    assert verdicts.rejudged(run, branch.contracts["parents"]) == Rejudged(refused=1, accepted=1)
    # What waits for a parent has changed with it.
    assert verdicts.rejudged(run, CHILDREN) == Rejudged(refused=0, accepted=1)
    without_key = contract("parents", key=[], cursor=None, deletes="none", columns={"p": KEY, "at": INSTANT})
    assert verdicts.rejudged(run, without_key) == Rejudged(refused=0, accepted=0), "only their number is known"


def test_a_type_that_grows(open_branch: Opener) -> None:
    kinds = {"n": "int", "d": "decimal(5,2)", "f": "float"}
    grown = {"n": "bigint", "d": "decimal(12,2)", "f": "double"}
    opened = open_branch(_of_kinds(kinds))
    opened.run(0, full=True, in_memory=True, one=[(READ, 1, 5, Decimal("1.25"), 0.5)])
    opened.contracts["one"] = _of_kinds(grown)
    opened.run(1, full=True, in_memory=True, one=[(READ, 1, 2**40, Decimal("1234567890.25"), 0.1)])
    assert opened.rows("cleaned", "one", *kinds) == [(2**40, Decimal("1234567890.25"), 0.1)]


def _of_kinds(kinds: dict[str, str]) -> Any:
    columns = {"k": KEY, **{name: {"type": kind} for name, kind in kinds.items()}, "at": INSTANT}
    return contract("one", key=["k"], columns=columns)


def test_large_and_small_tables_point_at_each_other(open_branch: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    """The table in the middle goes to Spark; what it points at and what points at it do not."""
    below = contract(
        "below", key=["b"], columns={"b": KEY, "c": {"type": "bigint", "references": "children.c"}, "at": INSTANT}
    )
    opened = open_branch(PARENTS, CHILDREN, below)
    monkeypatch.setattr(sizes, "SMALL_VALUES", 12)
    rows = {"parents": ROWS["parents"], "children": ROWS["children"], "below": [(READ, 1, 10), (READ, 2, 20)]}
    assert opened.run(0, full=True, in_memory=True, **rows) == {
        "parents": (3, 1, 0), "children": (4, 2, 0), "below": (2, 1, 0)
    }  # fmt: skip
    assert opened.rows("quarantine", "below", "b", "_reasons") == [(2, ["orphan:c"])]


def test_a_commit_of_which_the_answer_was_lost_is_made_once(
    open_branch: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit, lost = TogetherCatalog.commit, [True]

    def losing(self: TogetherCatalog) -> None:
        commit(self)
        if lost:
            lost.pop()
            raise CommitStateUnknownException("the answer was lost")

    monkeypatch.setattr(TogetherCatalog, "commit", losing)
    opened = open_branch(PARENTS, CHILDREN, EMPTY)
    assert opened.run(0, full=True, in_memory=True, **ROWS) == COUNTS
    assert opened.rows("cleaned", "children", "c") == [(10,), (30,)]


def test_a_task_that_is_killed_leaves_whole_tables_and_finds_them_when_it_is_tried_again(
    open_branch: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One table a commit; the second commit never comes."""
    monkeypatch.setattr(small, "TOGETHER", 1)
    commit, commits = TogetherCatalog.commit, []

    def dying(self: TogetherCatalog) -> None:
        commits.append(self)
        if len(commits) == 2:
            raise KeyboardInterrupt
        commit(self)

    opened = open_branch(PARENTS, CHILDREN, EMPTY)
    of_others = set(catalog.tables(opened.name))
    with monkeypatch.context() as patch:
        patch.setattr(TogetherCatalog, "commit", dying)
        with pytest.raises(KeyboardInterrupt):
            opened.run(0, full=True, in_memory=True, **ROWS)
    there = {name for name in set(catalog.tables(opened.name)) - of_others if not name.startswith("raw.")}
    assert len(there) == 2
    assert opened.run(0, full=True, in_memory=True, **ROWS) == COUNTS
    assert opened.rows("cleaned", "parents", "p") == [(1,), (3,)]
    assert opened.rows("quarantine", "children", "c") == [(20,), (40,)]


def test_groups_of_one_task_do_not_mix(open_branch: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two groups of small tables may be ready at the same time, while Spark is at work on what is between them."""
    read = small.landing

    def slowly(arrived: Arrived) -> Any:
        time.sleep(0.3)
        return read(arrived)

    monkeypatch.setattr(small, "landing", slowly)
    opened = open_branch(PARENTS, CHILDREN, EMPTY)
    for table, rows in ROWS.items():
        opened.land(0, table, rows)
    taken = SmallTables(opened.name, "", set())

    def landed(table: str) -> Landed:
        files = (opened._uri(0, table),) if ROWS[table] else ()
        return Landed(len(ROWS[table]), 0, True, DAY[0], files=files)

    arrived = {
        table: Arrived(opened.contracts[table], landed(table), opened.contracts[table].references) for table in ROWS
    }
    with ThreadPoolExecutor() as pool:
        groups = [[arrived["parents"], arrived["children"]], [arrived["empty"]]]
        outcomes = [one for found in pool.map(taken.take_in, groups) for one in found]
    assert {one.table: (one.judged, one.refused, one.deleted) for one in outcomes} == COUNTS
    assert opened.rows("cleaned", "children", "c") == [(10,), (30,)]


def test_landing_files_with_other_rows_than_were_landed_are_refused(open_branch: Opener) -> None:
    opened = open_branch(PARENTS)
    opened.run(0, full=True, in_memory=True, parents=ROWS["parents"])
    with pytest.raises(
        AuditError, match="parents: its landing files hold 3 rows and 0 deleted keys, but its extraction landed 2 and 0"
    ):
        opened.clean(0, full=True, in_memory=True, parents=ROWS["parents"][:2])
