"""Which tables are cleaned together, and after which others."""

from __future__ import annotations

from spark_jobs.shares import Share, shares_of


def _shares(parents: dict[str, set[str]], large: str = "") -> dict[str, tuple[list[str], set[str]]]:
    found = shares_of(parents, lambda table: table not in large)
    return {name: (share.tables, share.after) for name, share in found.items()}


def test_small_tables_are_one_share_with_parents_first() -> None:
    assert _shares({"c": {"b"}, "b": {"a"}, "a": set()}) == {"0 small": (["a", "b", "c"], set())}


def test_a_large_table_is_alone_and_what_points_at_it_waits() -> None:
    assert _shares({"a": set(), "B": {"a"}, "c": {"B"}, "d": {"c"}, "E": {"d", "a"}}, large="BE") == {
        "0 small": (["a"], set()),
        "B": (["B"], {"0 small"}),
        "1 small": (["c", "d"], {"B"}),
        "E": (["E"], {"1 small", "0 small"}),
    }


def test_small_tables_of_one_level_do_not_wait_for_each_other_through_a_large_one() -> None:
    """`c` waits for a large table that waits for `a`: were they one share, it would wait for itself."""
    shares = _shares({"a": set(), "B": {"a"}, "c": {"B"}, "d": set()}, large="B")
    assert shares["0 small"][0] == ["a", "d"]
    assert shares["1 small"] == (["c"], {"B"})


def test_nothing() -> None:
    assert shares_of({}, lambda _: True) == {}
    assert shares_of({"a": set()}, lambda _: False) == {"a": Share(False, ["a"])}
