"""Builds: what changes for those who search, and what does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from lake.errors import AuditError
from lake.search import ask, build, store
from lake.search.documents import Product
from lake.search.index import PRODUCTS
from lake.search.query import Asked
from lake.search.store import NoIndexError
from tests.unit.search.made_up import product

SHELF = [
    product(1),
    product(2, name="Reed Mills Ground Coffee 12 Oz", category="COFFEE", kind="GROUND COFFEE", orders=3),
    product(3, name="Hall Foods Frozen Pizza", category="FROZEN PIZZA", kind="PIZZA/PREMIUM", orders=0),
    product(4, name="Hall Foods Batteries", category="BATTERIES", kind="ALKALINE BATTERIES", orders=7),
]


def built(products: Sequence[Product], number: int, whole: bool = False) -> build.Built:
    """The index of the receipt of a number."""
    done = build.index(products, f"run_{number}", f"c0ffee00000{number}", f"2026-03-0{number}T00:00:00+00:00", whole)
    ask.forget()
    return done


def names(text: str, at: str = "") -> list[str]:
    """Of the products that are found."""
    return [hit.name for hit in ask.search(Asked(text), at).hits]


def test_only_what_has_changed_is_written_and_the_index_before_is_kept_for_one_receipt(empty: None) -> None:
    first = built(SHELF, 1)
    assert (first.how, first.products, first.written, first.removed) == ("anew", 4, 4, 0)
    changed = [SHELF[0], replace(SHELF[1], name="Reed Mills Decaf Coffee", price=Decimal("3.49")), SHELF[3], product(5)]
    second = built(changed, 2)
    assert (second.how, second.products, second.written, second.removed) == ("changed", 4, 2, 1)
    assert names("coffee") == ["Reed Mills Decaf Coffee"]
    answer = ask.search(Asked("decaffeinated coffee"))
    assert (answer.receipt, answer.lake_commit, answer.hits[0].price) == ("run_2", "c0ffee000002", Decimal("3.49"))
    assert not ask.search(Asked("pizza")).is_found
    # As it was, with what has gone since.
    assert names("coffee", "run_1") == ["Reed Mills Ground Coffee 12 Oz"]
    assert names("pizza", "run_1") == ["Hall Foods Frozen Pizza"]
    assert ask.search(Asked("pizza"), "run_1").lake_commit == "c0ffee000001"

    third = built(changed, 3)
    assert (third.how, third.written, third.removed) == ("changed", 0, 0)
    assert {each.name for each in store.held()} == {second.index, third.index}
    with pytest.raises(NoIndexError, match="no index of the receipt run_1") as caught:
        names("coffee", "run_1")
    assert caught.value.fix == "there is one of run_3, run_2"


def test_an_index_of_the_same_receipt_leaves_the_one_before_it_kept(empty: None) -> None:
    first = built(SHELF, 1)
    built(SHELF, 2)
    again = built(SHELF, 2, whole=True)
    assert (again.how, again.written) == ("anew", 4)
    assert {each.name for each in store.held()} == {first.index, again.index}


def test_an_index_that_is_not_what_it_should_be_is_not_asked(empty: None, monkeypatch: pytest.MonkeyPatch) -> None:
    first = built(SHELF, 1)
    put = store.put
    monkeypatch.setattr(store, "put", lambda index, documents, gone=(): put(index, list(documents)[1:], gone))
    with pytest.raises(AuditError, match="it has 3 products, the lake 4") as caught:
        built(SHELF, 2, whole=True)
    # The best seller is the one that was lost.
    assert "'Larder Lane Fluid Milk White 1/2 Gal' finds" in str(caught.value)
    monkeypatch.undo()
    assert names("milk") == [SHELF[0].name]
    assert [each.name for each in store.held()] == [first.index]
    assert ask.search(Asked("milk")).receipt == "run_1"


def test_a_build_that_is_interrupted_leaves_nothing(empty: None, monkeypatch: pytest.MonkeyPatch) -> None:
    first = built(SHELF, 1)

    def interrupted(*args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(build, "_put_in_place", interrupted)
    with pytest.raises(KeyboardInterrupt):
        built(SHELF, 2)
    monkeypatch.undo()
    assert [each.name for each in store.held()] == [first.index]
    assert built(SHELF, 2).how == "changed"


def test_a_receipt_that_is_in_place_is_not_built_again(empty: None) -> None:
    first = built(SHELF, 1)
    # Trino is not asked: it does not run.
    again = build.build("run_1", "c0ffee000001", "2026-03-01T00:00:00+00:00")
    assert (again.index, again.how, again.products) == (first.index, "as it was", 4)


def test_a_shop_that_sells_nothing_keeps_its_index(empty: None) -> None:
    built(SHELF, 1)
    with pytest.raises(AuditError, match="the lake sells no product at c0ffee000002"):
        built([], 2)
    assert names("milk") == [SHELF[0].name]


def test_without_an_index_the_way_out_is_told(empty: None) -> None:
    with pytest.raises(NoIndexError, match="no index of the products was built yet") as caught:
        ask.search(Asked("milk"))
    assert "lake search build" in caught.value.fix
    assert store.asked() is None and PRODUCTS == "products"
