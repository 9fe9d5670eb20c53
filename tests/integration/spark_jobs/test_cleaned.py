"""Cleaning on a Nessie branch of its own, by Spark and in memory: literal rows, and exactly the rows expected."""

from __future__ import annotations

import pytest

from lake.contracts import DELETE, READ, Contract
from lake.errors import AuditError
from lake.layers import sizes
from spark_jobs.session import Lake
from tests.integration.spark_jobs.branch import DAY, INSTANT, KEY, Branch, contract
from tests.integration.spark_jobs.conftest import Opener

STATE = {"type": "enum('good','fine')", "nullable": False}
PARENTS = contract("parents", key=["p"], history=True, columns={"p": KEY, "state": STATE, "at": INSTANT})
POINTER = {"type": "bigint", "references": "parents.p"}
CHILDREN = contract("children", key=["c"], history=True, columns={"c": KEY, "p": POINTER, "at": INSTANT})


def _opened(open_branch: Opener, *contracts: Contract, in_memory: bool = False) -> Branch:
    """A branch with two parents, and with three children of which one points at no parent."""
    opened = open_branch(*contracts, in_memory=in_memory)
    counts = opened.run(
        0,
        full=True,
        parents=[(READ, 1, "good"), (READ, 2, "good")],
        children=[(READ, 10, 1), (READ, 20, 2), (READ, 30, 3), (READ, 40, None)],
    )
    assert counts == {"parents": (2, 0, 0), "children": (4, 1, 0)}
    return opened


@pytest.fixture
def by_spark(open_branch: Opener) -> Branch:
    """The branch as Spark has made it."""
    return _opened(open_branch, PARENTS, CHILDREN)


@pytest.fixture(params=["spark", "memory", "deletes"])
def branch(request: pytest.FixtureRequest, open_branch: Opener, monkeypatch: pytest.MonkeyPatch) -> Branch:
    """The branch, in turn by Spark, in memory with tables written anew, and in memory with rows deleted beside them."""
    if request.param == "memory":
        monkeypatch.setattr("spark_jobs.cleaned._merge", None)
    if request.param == "deletes":
        monkeypatch.setattr(sizes, "MERGED_VALUES", 0)
    return _opened(open_branch, PARENTS, CHILDREN, in_memory=request.param != "spark")


def test_a_full_load_puts_an_orphan_into_quarantine_and_null_points_at_nothing(branch: Branch) -> None:
    assert branch.rows("cleaned", "children", "c", "p") == [(10, 1), (20, 2), (40, None)]
    assert branch.rows("quarantine", "children", "c", "_reasons") == [(30, ["orphan:p"])]


def test_a_child_leaves_quarantine_when_its_parent_arrives(branch: Branch) -> None:
    assert branch.run(1, parents=[(READ, 3, "fine")]) == {"parents": (1, 0, 0), "children": (1, 0, 0)}
    assert branch.rows("cleaned", "children", "c", "p") == [(10, 1), (20, 2), (30, 3), (40, None)]
    assert branch.rows("quarantine", "children", "c") == []


@pytest.mark.parametrize("tries", [1, 2])
def test_a_refused_parent_takes_its_children_along_and_brings_them_back(branch: Branch, tries: int) -> None:
    for _ in range(tries):
        branch.run(1, parents=[(READ, 2, "broken")])
        assert branch.rows("cleaned", "parents", "p", "state") == [(1, "good")]
        assert branch.rows("quarantine", "parents", "p", "_reasons") == [(2, ["not_accepted:state"])]
        assert branch.rows("cleaned", "children", "c") == [(10,), (40,)]
        assert branch.rows("quarantine", "children", "c", "_reasons") == [(20, ["orphan:p"]), (30, ["orphan:p"])]

    branch.run(2, parents=[(READ, 2, "good")])
    assert branch.rows("cleaned", "parents", "p") == [(1,), (2,)]
    assert branch.rows("cleaned", "children", "c") == [(10,), (20,), (40,)]
    assert branch.rows("quarantine", "parents", "p") == []


def test_no_row_is_refused_for_a_parent_that_is_held_back_and_all_are_judged_when_it_is_no_longer(
    branch: Branch,
) -> None:
    """Of children 50 and 60, which came meanwhile, one points at a parent that the source had too by then."""
    children = [(READ, 50, 5), (READ, 60, 6)]
    assert branch.run(1, held="parents", children=children) == {"children": (3, 0, 0)}
    assert branch.rows("cleaned", "children", "c") == [(10,), (20,), (30,), (40,), (50,), (60,)]

    branch.run(2, was_held="parents", parents=[(READ, 5, "good")])
    assert branch.rows("cleaned", "children", "c") == [(10,), (20,), (40,), (50,)]
    assert branch.rows("quarantine", "children", "c", "_reasons") == [(30, ["orphan:p"]), (60, ["orphan:p"])]


def test_a_table_that_was_held_hears_which_parents_have_gone_meanwhile(branch: Branch) -> None:
    assert branch.run(1, held="children", parents=[(DELETE, 2, None)]) == {"parents": (0, 0, 1)}
    assert branch.rows("cleaned", "children", "c") == [(10,), (20,), (40,)]

    branch.run(2, was_held="children")
    assert branch.rows("cleaned", "children", "c") == [(10,), (40,)]
    assert branch.rows("quarantine", "children", "c", "_reasons") == [(20, ["orphan:p"]), (30, ["orphan:p"])]


def test_a_row_with_an_unreadable_value_waits_in_quarantine_and_says_why(branch: Branch) -> None:
    """The value is NULL, which is not held against the row a second time, and the row's children go along with it."""
    told = "state: 0xFF is no text; at: '0000-00-00' is no date and time"
    branch.run(1, parents=[(READ, 2, None)], problems=told)
    waiting = branch.rows("quarantine", "parents", "p", "state", "_problems", "_reasons")
    assert waiting == [(2, None, told, ["unreadable:state", "unreadable:at"])]
    assert branch.rows("cleaned", "parents", "p") == [(1,)]
    assert branch.rows("cleaned", "children", "c") == [(10,), (40,)]

    assert branch.run(2, parents=[(READ, 3, "good")])["parents"] == (2, 1, 0)
    assert branch.rows("quarantine", "parents", "p", "_problems") == [(2, told)]


def test_changes_and_deletes_are_merged_and_history_keeps_what_was(branch: Branch) -> None:
    branch.run(3, parents=[(READ, 1, "fine"), (DELETE, 2, None)], children=[(DELETE, 20, None)])
    assert branch.rows("cleaned", "parents", "p", "state") == [(1, "fine")]
    assert branch.rows("cleaned", "children", "c") == [(10,), (40,)]
    assert branch.rows("history", "parents", "p", "state", "valid_from", "valid_to", "is_current") == [
        (1, "fine", DAY[3], None, True),
        (1, "good", DAY[0], DAY[3], False),
        (2, "good", DAY[0], DAY[3], False),
    ]


def test_a_row_that_changes_between_others_is_replaced_too(branch: Branch) -> None:
    branch.run(1, children=[(READ, 10, 2), (READ, 20, 1), (READ, 40, 1)])
    assert branch.rows("cleaned", "children", "c", "p") == [(10, 2), (20, 1), (40, 1)]
    branch.run(2, children=[(DELETE, 10, None), (DELETE, 20, None), (DELETE, 40, None)])
    assert branch.rows("cleaned", "children", "c") == []


@pytest.mark.parametrize("in_memory", [False, True])
def test_a_row_is_refused_of_a_table_whose_contract_has_lost_a_column(open_branch: Opener, in_memory: bool) -> None:
    """The lake's tables keep it, quarantine too."""
    before = contract("things", key=["k"], columns={"k": KEY, "state": STATE, "b": {"type": "int"}, "at": INSTANT})
    opened = open_branch(before, in_memory=in_memory)
    assert opened.run(0, full=True, things=[(READ, 1, "good", 7), (READ, 2, "broken", 8)])["things"] == (2, 1, 0)
    opened.contracts["things"] = before.with_columns(
        {name: column for name, column in before.columns.items() if name != "b"}
    )
    assert opened.run(1, things=[(READ, 1, "broken"), (READ, 3, "good")])["things"] == (3, 2, 0)
    assert opened.rows("cleaned", "things", "k", "b") == [(3, None)]
    assert opened.rows("quarantine", "things", "k", "state", "_reasons") == [
        (1, "broken", ["not_accepted:state"]),
        (2, "broken", ["not_accepted:state"]),
    ]


VERSION = ("valid_from", "valid_to", "is_current")


def test_a_row_that_was_refused_and_is_valid_again_has_versions_that_do_not_overlap(branch: Branch) -> None:
    """The child itself did not change: its cursor and the instant at which it was read are those of the first day."""
    branch.run(1, parents=[(DELETE, 2, None)])
    branch.run(2, parents=[(READ, 2, "good")])
    assert branch.rows("history", "children", "c", "p", *VERSION)[1:3] == [
        (20, 2, DAY[0], DAY[1], False),
        (20, 2, DAY[2], None, True),
    ]
    assert branch.rows("history", "parents", "p", *VERSION)[1:] == [
        (2, DAY[0], DAY[1], False),
        (2, DAY[2], None, True),
    ]


def test_a_change_that_the_cursor_does_not_tell_of_begins_when_it_was_seen(branch: Branch) -> None:
    branch.run(1, parents=[(READ, 1, "fine", DAY[0]), (READ, 2, "fine", DAY[7])])
    branch.run(2, parents=[(READ, 1, "good", DAY[0])])
    assert branch.rows("history", "parents", "p", "state", *VERSION) == [
        (1, "fine", DAY[1], DAY[2], False),
        (1, "good", DAY[0], DAY[1], False),
        (1, "good", DAY[2], None, True),
        (2, "fine", DAY[1], None, True),
        (2, "good", DAY[0], DAY[1], False),
    ]


def test_a_table_that_was_emptied_and_is_read_whole_closes_every_version(branch: Branch) -> None:
    branch.run(1, full=True, parents=[], children=[])
    assert branch.rows("cleaned", "parents", "p") == []
    versions = branch.rows("history", "parents", "p", *VERSION) + branch.rows("history", "children", "c", *VERSION)
    assert {version[1:] for version in versions} == {(DAY[0], DAY[1], False)}
    assert len(versions) == 5


@pytest.mark.parametrize("in_memory", [False, True])
def test_history_of_a_table_that_is_nothing_but_its_key(open_branch: Opener, in_memory: bool) -> None:
    tags = contract("tags", key=["k"], cursor=None, history=True, columns={"k": KEY})
    branch = open_branch(tags, in_memory=in_memory)
    branch.run(0, full=True, tags=[(READ, 1), (READ, 2)])
    branch.run(1, tags=[(READ, 1), (DELETE, 2)])
    assert branch.rows("history", "tags", "k", *VERSION) == [(1, DAY[0], None, True), (2, DAY[0], DAY[1], False)]


@pytest.mark.parametrize(
    ("is_full", "row"),
    [
        (False, (READ, 1, "fine")),
        pytest.param(False, (DELETE, 1, None), marks=pytest.mark.thorough),
        pytest.param(True, (READ, 1, "good"), marks=pytest.mark.thorough),
    ],
)
def test_a_run_whose_rows_are_gone_from_raw_is_refused(
    by_spark: Branch, is_full: bool, row: tuple[object, ...]
) -> None:
    by_spark.land(1, "parents", [row])
    by_spark.forget(1, "parents")
    with pytest.raises(AuditError, match="parents"):
        by_spark.clean(1, full=is_full, parents=[row])


def test_rows_that_are_lost_while_they_are_written_stop_the_run(
    by_spark: Branch, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = Lake.append
    monkeypatch.setattr(
        Lake, "append", lambda lake, layer, table, rows, n: append(lake, layer, table, rows.limit(1), n)
    )
    with pytest.raises(AuditError, match="parents: 2 rows judged, but 1 valid and 0 refused"):
        by_spark.run(1, parents=[(READ, 1, "fine"), (READ, 3, "good")])
