"""What depends on each other, worked off several at a time."""

from __future__ import annotations

from threading import Barrier, Event

import pytest

from lake.ordered import in_order


def test_a_name_comes_after_those_before_it_and_results_are_kept() -> None:
    done: list[str] = []

    def work(name: str) -> int:
        done.append(name)
        return len(name)

    assert in_order(
        {"items": {"orders", "products"}, "orders": {"customers"}, "products": (), "customers": ()}, work, 4
    ) == {
        "items": 5,
        "orders": 6,
        "products": 8,
        "customers": 9,
    }
    assert done.index("customers") < done.index("orders") < done.index("items")
    assert done.index("products") < done.index("items")


def test_names_that_do_not_wait_for_each_other_run_at_once() -> None:
    both = Barrier(2)
    in_order({"a": (), "b": ()}, lambda _: both.wait(timeout=10), 2)


def test_after_a_failure_nothing_new_begins() -> None:
    done: list[str] = []

    def work(name: str) -> None:
        done.append(name)
        if name == "parent":
            raise ValueError(name)

    with pytest.raises(ValueError, match="parent"):
        in_order({"child": {"parent"}, "parent": ()}, work, 2)
    assert done == ["parent"]


def test_what_goes_on_hears_of_a_failure_before_it_is_waited_for() -> None:
    given_up = Event()

    def work(name: str) -> None:
        if name == "broken":
            raise ValueError(name)
        assert given_up.wait(timeout=10)

    with pytest.raises(ValueError, match="broken"):
        in_order({"patient": (), "broken": ()}, work, 2, give_up=given_up.set)
