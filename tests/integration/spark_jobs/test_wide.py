"""Tables of many columns: an increment must come to its end, and find what that of a narrow table finds."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from lake.contracts import DELETE, READ
from lake.settings import settings
from tests.integration.spark_jobs.branch import DAY, INSTANT, KEY, contract
from tests.integration.spark_jobs.conftest import Opener

FILLED = {"type": "int", "nullable": False}
PARENTS = contract("parents", key=["p"], columns={"p": KEY, "at": INSTANT})


@pytest.fixture(autouse=True)
def limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan that explodes fails its test, and does not hold up those after it."""
    monkeypatch.setattr(settings(), "spark_timeout_seconds", 240)


@pytest.mark.parametrize("width", [*(pytest.param(width, marks=pytest.mark.thorough) for width in (20, 60)), 500])
def test_an_increment_of_a_wide_table(open_branch: Opener, width: int) -> None:
    """One row is refused from the start, one is changed, one loses its parent."""
    filled = {f"c{i}": FILLED for i in range(width)}
    reference = {"type": "bigint", "references": "parents.p"}
    columns = {"k": KEY, "p": reference, **filled, "at": INSTANT}
    branch = open_branch(PARENTS, contract("wide", key=["k"], history=True, columns=columns))

    def row(key: int, parent: int, first: int | None, last: int) -> tuple[Any, ...]:
        return (READ, key, parent, first, *range(1, width - 1), last, DAY[bool(last)])

    first = [row(1, 1, 0, 0), row(2, 2, 0, 0), row(3, 1, None, 0), row(4, 1, 0, 0)]
    assert branch.run(0, full=True, parents=[(READ, 1), (READ, 2)], wide=first)["wide"] == (4, 1, 0)

    again = [row(1, 1, 0, 7), row(4, 1, 0, 0)]
    assert branch.run(1, parents=[(DELETE, 2)], wide=again)["wide"] == (4, 2, 0)

    last = f"c{width - 1}"
    changed, as_before = (f"{branch.name}_{day}" for day in (1, 0))
    assert branch.rows("cleaned", "wide", "k", last, "_run_id") == [(1, 7, changed), (4, 0, as_before)]
    assert branch.rows("quarantine", "wide", "k", "_reasons") == [(2, ["orphan:p"]), (3, ["null:c0"])]
    assert branch.rows("history", "wide", "k", last, "valid_from", "valid_to") == [
        (1, 0, DAY[0], DAY[1]),
        (1, 7, DAY[1], None),
        (2, 0, DAY[0], DAY[1]),
        (4, 0, DAY[0], None),
    ]


def test_a_table_that_points_at_its_parents_sixty_times(open_branch: Opener) -> None:
    references = {f"r{i}": {"type": "bigint", "references": "parents.p"} for i in range(60)}
    branch = open_branch(PARENTS, contract("wide", key=["k"], columns={"k": KEY, **references, "at": INSTANT}))
    nothing = [None] * 58
    branch.run(
        0, full=True, parents=[(READ, 1), (READ, 2)], wide=[(READ, 1, 1, *nothing, 1), (READ, 2, 1, *nothing, 2)]
    )

    assert branch.run(1, parents=[(DELETE, 2)])["wide"] == (1, 1, 0)

    assert branch.rows("cleaned", "wide", "k") == [(1,)]
    assert branch.rows("quarantine", "wide", "k", "_reasons") == [(2, ["orphan:r59"])]


ONE_OF_EACH = {
    "text": {"type": "varchar(9)"},
    "bytes": {"type": "varbinary(9)"},
    "single": {"type": "float"},
    "double": {"type": "double"},
    "money": {"type": "decimal(30,10)"},
}


CHANGES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"double": 0.0}, {"double": -0.0}),
    ({"single": -0.0}, {"single": 0.0}),
    ({"single": 1.0}, {"single": 1.0 + 2**-23}),
    ({"double": None}, {"double": 0.0}),
    ({"text": ""}, {"text": None}),
    ({"text": "x"}, {"text": "x "}),
    ({"text": "x"}, {"text": "X"}),
    ({"bytes": b""}, {"bytes": b"\0"}),
    ({"text": "x", "bytes": None}, {"text": None, "bytes": b"x"}),
    ({"money": Decimal("1.0000000001")}, {"money": Decimal("1.0000000002")}),
]


def test_a_row_is_changed_by_the_least_difference_and_by_nothing_else(open_branch: Opener) -> None:
    columns = {"k": KEY, **ONE_OF_EACH, "at": {"type": "datetime(6)"}}
    branch = open_branch(contract("one", key=["k"], cursor=None, columns=columns))

    def rows(which: int) -> list[tuple[Any, ...]]:
        listed = enumerate(pair[which] for pair in CHANGES)
        return [(READ, k, *(values.get(name) for name in ONE_OF_EACH), None) for k, values in listed]

    branch.run(0, full=True, one=rows(0))
    branch.run(1, one=rows(1))
    branch.run(2, one=rows(1))

    held = sorted(branch.rows("cleaned", "one", "k", *ONE_OF_EACH, "_run_id"))
    assert {changed_by for *_, changed_by in held} == {f"{branch.name}_1"}
    expected = [(k, *(values.get(name) for name in ONE_OF_EACH)) for k, (_, values) in enumerate(CHANGES)]
    # As text, because 0.0 == -0.0.
    assert repr([row[:-1] for row in held]) == repr(expected)
