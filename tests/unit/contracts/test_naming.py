"""Lake names for names of MySQL, which may hold anything."""

from __future__ import annotations

import random
import re

import pytest

from lake.contracts.naming import LONGEST, SAFE, distinct, safe

NASTY = [
    "orders", "Orders", "ORDERS", "a.b", "a b", "a_b", "a`b", "a;DROP TABLE x", "select", "it's", 'say "hi"', "100%",
    "%s", "❤", "☃", "Größe", "价格", "_id", "id", "9 lives", "x" * 64, "X" * 64, "x" * 63, " lead", "\t", "?", "a/../b",
]  # fmt: skip


@pytest.mark.parametrize(
    ("original", "expected"),
    [
        ("order_items", "order_items"),
        ("OrderItems", "orderitems"),
        ("Größe (cm)", "grosse_cm"),
        ("naïve café", "naive_cafe"),
        ("a;DROP TABLE x", "a_drop_table_x"),
        ("_id", "id"),
        ("trailing_", "trailing_"),
        ("2024", "2024"),
        ("价格", ""),
        ("%", ""),
    ],
)
def test_a_name_keeps_its_letters_and_digits(original: str, expected: str) -> None:
    assert safe(original) == expected


def test_names_that_would_be_alike_end_in_a_digest_of_the_original() -> None:
    assert distinct(["orders", "Orders", "a.b", "a b", "❤", "plain"]) == {
        "orders": "orders",
        "Orders": "orders_b7e8ac",
        "a.b": "a_b_2e7336",
        "a b": "a_b_c8687a",
        "❤": "unnamed_cc13ee",
        "plain": "plain",
    }


@pytest.mark.parametrize("prefix", ["", "crm_", "a" * 30 + "_"])
def test_all_names_are_safe_short_and_different_whatever_their_order(prefix: str) -> None:
    names = distinct(NASTY, prefix)
    assert set(names) == set(NASTY)
    assert len(set(names.values())) == len(NASTY)
    for name in names.values():
        assert re.fullmatch(SAFE, name)
        assert name.startswith(prefix)
        assert len(name) <= LONGEST
    assert distinct(random.Random(1).sample(NASTY, len(NASTY)), prefix) == names


def test_taken_names_are_avoided_and_a_digest_takes_no_name_of_another() -> None:
    assert distinct(["a"], taken={"a"}) == {"a": "a_ca9781"}
    assert distinct(["orders", "Orders", "orders_b7e8ac"])["Orders"] == "orders_b7e8acd"
