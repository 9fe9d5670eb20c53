"""What the index holds of a product, and what is suggested."""

from dataclasses import replace
from decimal import Decimal

from lake.search.documents import Phrase, phrases, sha256
from tests.unit.search.made_up import product


def test_a_document_has_money_as_text_and_ranks_by_what_is_above_zero() -> None:
    assert product(7).to_json() == {
        "product_id": 7,
        "name": "Larder Lane Fluid Milk White 1/2 Gal",
        "department": "GROCERY",
        "category": "FLUID MILK PRODUCTS",
        "kind": "FLUID MILK WHITE ONLY",
        "brand": "Private",
        "size": "1/2 GAL",
        "price": "1.99",
        "orders": 12,
        "margin_rate": "0.3100",
        "popularity": 12,
        "margin": 0.31,
    }
    unsold = product(8, brand=None, size=None, orders=0, margin_rate=None).to_json()
    assert {"brand", "size", "margin_rate", "margin", "popularity"} & set(unsold) == set()
    lossy = product(9, margin_rate=Decimal("-0.2")).to_json()
    assert lossy["margin_rate"] == "-0.2" and "margin" not in lossy


def test_any_change_of_a_product_changes_its_hash() -> None:
    first = product(7)
    changes = [
        replace(first, price=Decimal("2.09")),
        replace(first, orders=13),
        replace(first, brand=None),
        replace(first, name="Larder Lane Fluid Milk"),
        replace(first, margin_rate=None),
    ]
    hashes = [sha256(each.to_json()) for each in (first, *changes)]
    assert len(set(hashes)) == len(hashes)
    assert sha256(product(7).to_json()) == hashes[0]


def test_phrases_are_kinds_and_categories_in_plain_words() -> None:
    products = [
        product(1, name="Abbott Mills Pizza", category="FROZEN PIZZA", kind="FRZN SS PREMIUM ENTREES/DNRS/N", orders=3),
        product(2, name="Pizza 2", category="FROZEN PIZZA", kind="PIZZA/PREMIUM", orders=4),
        product(3, name="Goods", category="UNKNOWN", kind="UNKNOWN", orders=9),
    ]
    assert phrases(products, ["frozen pizza", "pizza pie"]) == [
        Phrase("frozen pizza", 7, 2),
        Phrase("frozen single serve premium entrees dinners n", 3, 1),
        Phrase("pizza premium", 4, 1),
        # Not suggested, and right all the same.
        Phrase("abbott", 0, 0),
        Phrase("goods", 0, 0),
        Phrase("mills", 0, 0),
        Phrase("pizza", 0, 0),
        Phrase("pizza pie", 0, 0),
    ]


def test_a_phrase_is_found_by_each_of_its_words() -> None:
    assert Phrase("frozen pizza premium", 7, 2).to_json() == {
        "text": "frozen pizza premium",
        "orders": 7,
        "products": 2,
        "typed": {"input": ["frozen pizza premium", "pizza premium", "premium"], "weight": 7},
    }
    assert "typed" not in Phrase("pizza pie", 0, 0).to_json()
