"""Answers of a real index: words of the trade, errors, filters, orders, and what nobody should type."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from lake.search import ask, build
from lake.search.query import Asked, Sort, Way
from tests.unit.search.made_up import product

DINNERS, SOFT = "FRZN MEAT/MEAT DINNERS", "SOFT DRINKS"
SHELF = [
    product(1, name="Larder Lane Fluid Milk White 1/2 Gal", size="1/2 GAL", price=Decimal("1.99"), orders=90),
    product(2, name="Reed Mills Fluid Milk White Gal", size="1 GA", price=Decimal("3.49"), orders=60, brand="National"),
    product(
        3, name="Larder Lane Chocolate Milk 1 Qt", kind="CHOCOLATE MILK", size="1 QT", price=Decimal("2.29"), orders=500
    ),
    product(4, name="Hall Foods Frozen Dinner", category=DINNERS, kind="FRZN SS PREMIUM ENTREES/DNRS/N", orders=5),
    product(5, name="Hall Foods Soft Drinks 12 Oz", category=SOFT, kind="SOFT DRINKS 12/18&15PK CAN CAR", orders=40),
    product(6, name="Cole Farms Catsup", category="CONDIMENTS/SAUCES", kind="CATSUP", brand="National", orders=7),
    product(7, name="Cole Farms Bananas", department="PRODUCE", category="TROPICAL FRUIT", kind="BANANAS", orders=80),
    product(8, name="Beck Organic Bananas", department="PRODUCE", category="TROPICAL FRUIT", kind="BANANAS", orders=8),
    product(9, name="Cole Farms Pancake Mixes", category="SYRUP/PANCAKE MIXS", kind="PANCAKE MIXES", orders=0),
]


@pytest.fixture(scope="module")
def shelf(node: None) -> Iterator[None]:
    from tests.integration.search.conftest import clear

    clear()
    build.index(SHELF, "run_1", "c0ffee000001", "2026-03-01T00:00:00+00:00")
    yield
    clear()


def found(text: str, **other: object) -> list[int]:
    """Ids of what is found by all of the words, the first first."""
    answer = ask.search(Asked(text, **other))  # type: ignore[arg-type]
    assert answer.way is Way.as_asked, (answer.way, answer.did_you_mean)
    return [hit.product_id for hit in answer.hits]


@pytest.mark.usefixtures("shelf")
class TestAsked:
    """Of one shelf."""

    @pytest.mark.parametrize(
        ("text", "ids"),
        [
            ("frozen dinners", [4]),  # FRZN …/DNRS
            ("frzn meat dinners", [4]),
            ("single serve entree", [4]),  # SS
            ("soda", [5]),
            ("pop 12 pack", [5]),  # 15PK
            ("ketchup", [6]),
            ("CATSUP", [6]),
            ("banana", [7, 8]),
            ("organic bananas", [8]),
            ("half gallon milk", [1]),
            ("1/2 gal of milk", [1]),
            ("gallon milk", [1, 2]),
            ("Cole's bananas", [7]),
            ("pancake mix", [9]),
        ],
    )
    def test_words_of_the_trade_and_of_people(self, text: str, ids: list[int]) -> None:
        assert sorted(found(text)) == sorted(ids)

    def test_what_it_is_counts_more_than_what_sells(self) -> None:
        assert found("white milk")[:1] == [1]
        # Both are milk; boosts are all that tells one from the other.
        assert found("fluid milk")[0] == 1
        with_boosts, without = found("larder lane milk"), found("larder lane milk", boosts=False)
        assert with_boosts[0] == 3 and sorted(with_boosts) == sorted(without) == [1, 3]
        scores = {
            boosts: [hit.score for hit in ask.search(Asked("milk", boosts=boosts)).hits] for boosts in (True, False)
        }
        assert min(scores[True]) > max(scores[False])

    def test_filters_facets_and_orders(self) -> None:
        assert found("milk", sort=Sort.price) == [1, 3, 2]
        assert found("milk", sort=Sort.price_descending) == [2, 3, 1]
        assert found("milk", sort=Sort.popularity) == [3, 1, 2]
        assert found("milk", sort=Sort.name) == [3, 1, 2]
        assert found("", sort=Sort.name, limit=2, offset=1) == [7, 6]
        assert found("", limit=3) == [3, 1, 7]
        assert found("milk", brand=("National",)) == [2]
        assert found("milk", price_from=Decimal("2.29"), price_to=Decimal("3.49"), sort=Sort.price) == [3, 2]
        answer = ask.search(Asked("milk", brand=("National",), price_to=Decimal(3)))
        assert (answer.total, answer.hits) == (0, ()) or not answer.is_found
        counted = ask.search(Asked("", department=("PRODUCE",))).facets
        assert [(each.value, each.products) for each in counted["department"]] == [("GROCERY", 7), ("PRODUCE", 2)]
        assert [(each.value, each.products) for each in counted["category"]] == [("TROPICAL FRUIT", 2)]
        prices = ask.search(Asked("milk")).facets["price"]
        assert [(each.value, each.products) for each in prices] == [("1-2", 1), ("2-5", 2)]

    def test_what_is_not_found_falls_back_in_order_and_says_so(self) -> None:
        begun = ask.search(Asked("chocolate mil"))
        assert (begun.way, [hit.product_id for hit in begun.hits]) == (Way.begun, [3])
        corrected = ask.search(Asked("choclate milk"))
        assert (corrected.way, corrected.did_you_mean) == (Way.corrected, "chocolate milk")
        assert corrected.hits[0].product_id == 3 and corrected.is_found
        some = ask.search(Asked("organic pancake mixes"))
        assert (some.way, some.hits[0].product_id) == (Way.some_words, 9)
        nothing = ask.search(Asked("qqqqq", department=("PRODUCE",)))
        assert (nothing.way, nothing.is_found) == (Way.popular, False)
        assert [hit.product_id for hit in nothing.hits] == [7, 8]

    @pytest.mark.parametrize(
        "text",
        [
            "🍕🍕",
            "'; DROP TABLE products; --",
            "حليب",
            "*",
            "milk AND (OR",
            '\\ " / [] {}',
            "x" * 200,
            "a " * 100,
            "\x00\n",
            "<script>",
            "-milk",
            "milk~ ^9",
        ],
    )
    def test_nothing_that_is_typed_is_an_error(self, text: str) -> None:
        answer = ask.search(Asked(text))
        assert (answer.receipt, answer.lake_commit) == ("run_1", "c0ffee000001")
        assert answer.hits
        assert ask.suggest(text).receipt == "run_1"

    def test_suggestions_while_one_types(self) -> None:
        def texts(text: str) -> list[str]:
            return [each.text for each in ask.suggest(text).suggestions]

        assert texts("mil") == ["fluid milk products", "chocolate milk", "fluid milk white only"]
        assert texts("choc") == ["chocolate milk"]
        assert "frozen meat meat dinners" in texts("frzn me")
        assert texts("banna") == ["bananas"]
        assert texts("zzz") == [] and texts(" ") == []
        assert len(ask.suggest("f", limit=1).suggestions) == 1

    def test_an_answer_is_plain_values_with_money_as_text(self) -> None:
        told = ask.search(Asked("ketchup")).to_json()
        assert told["receipt"] == "run_1" and told["source_instant"] == "2026-03-01T00:00:00+00:00"
        assert (told["hits"][0]["price"], told["hits"][0]["margin_rate"]) == ("1.99", "0.3100")
        assert (told["way"], told["is_found"], told["total"]) == ("as_asked", True, 1)
