"""What OpenSearch is asked, and what is refused before."""

from decimal import Decimal
from typing import Any

import pytest

from lake.errors import LakeError
from lake.search import query
from lake.search.query import Asked, Sort, Way

MONEY = {"range": {"price": {"gte": "1.50", "lte": "4"}}}
DAIRY = {"terms": {"department.exact": ["GROCERY", "DELI"]}}


def test_every_word_has_to_be_there_and_boosts_can_be_left_out() -> None:
    told = query.body(Asked("milk", facets=False), Way.as_asked, "milk")
    asked = told["query"]["bool"]
    assert asked["must"] == [{"match": {"all": {"query": "milk", "analyzer": "asked", "operator": "and"}}}]
    assert [each["rank_feature"]["field"] for each in asked["should"][4:]] == ["popularity", "margin"]
    assert told["sort"] == [{"_score": "desc"}, {"product_id": "asc"}]
    assert (told["from"], told["size"], told["track_total_hits"]) == (0, 10, True)
    assert not {"aggs", "post_filter"} & set(told)
    without = query.body(Asked("milk", facets=False, boosts=False), Way.as_asked, "milk")
    assert without["query"]["bool"] == {"must": asked["must"], "should": asked["should"][:4]}


def test_each_way_asks_for_less_than_the_one_before() -> None:
    asked = Asked("panckae syr", facets=False)

    def must(way: Way, text: str) -> Any:
        return query.body(asked, way, text)["query"]["bool"]["must"][0]

    assert must(Way.begun, "panckae syr") == {
        "match_bool_prefix": {"all": {"query": "panckae syr", "analyzer": "asked_literally", "operator": "and"}}
    }
    assert must(Way.corrected, "pancake syr")["match"]["all"]["query"] == "pancake syr"
    some = must(Way.some_words, "pancake syr")["match"]["all"]
    assert (some["fuzziness"], some["minimum_should_match"]) == ("AUTO", "1<50%") and "operator" not in some
    popular = query.body(asked, Way.popular, "")
    assert popular["query"] == {"match_all": {}} and popular["sort"][0] == {"orders": "desc"}
    assert [*Way] == ["as_asked", "begun", "corrected", "some_words", "popular"]


def test_without_a_word_the_best_sellers_come_first_unless_another_order_is_asked_for() -> None:
    assert query.body(Asked(" "), Way.as_asked, "")["sort"][0] == {"orders": "desc"}
    by_price = query.body(Asked("", sort=Sort.price), Way.as_asked, "")
    assert by_price["sort"] == [{"price": "asc"}, {"_score": "desc"}, {"product_id": "asc"}]


def test_a_facet_leaves_its_own_filter_aside() -> None:
    asked = Asked("milk", department=("GROCERY", "DELI"), price_from=Decimal("1.50"), price_to=Decimal(4))
    told = query.body(asked, Way.as_asked, "milk")
    assert told["post_filter"] == {"bool": {"filter": [DAIRY, MONEY]}}
    counted = {name: each["filter"]["bool"]["filter"] for name, each in told["aggs"].items()}
    assert counted == {"department": [MONEY], "category": [DAIRY, MONEY], "brand": [DAIRY, MONEY], "price": [DAIRY]}
    ranges = told["aggs"]["price"]["aggs"]["values"]["range"]["ranges"]
    assert ranges[0] == {"to": 1.0} and ranges[1] == {"from": 1.0, "to": 2.0} and ranges[-1] == {"from": 20.0}


def test_without_facets_the_filters_are_part_of_the_question() -> None:
    asked = Asked("milk", department=("GROCERY", "DELI"), facets=False)
    told = query.body(asked, Way.as_asked, "milk")
    assert told["query"]["bool"]["filter"] == [DAIRY] and "post_filter" not in told


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"text": "x" * 201}, "text has 201 letters"),
        ({"limit": 0}, "limit is 0"),
        ({"limit": 101}, "limit is 101"),
        ({"offset": -1}, "offset is -1"),
        ({"offset": 991}, "offset is 991 with limit 10"),
        ({"price_from": Decimal("NaN")}, "price_from is NaN"),
        ({"price_to": Decimal(-1)}, "price_to is -1"),
        ({"price_from": Decimal(3), "price_to": Decimal(2)}, "price_from 3 is above price_to 2"),
    ],
)
def test_what_is_not_possible_is_named(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(LakeError, match=said):
        Asked(**wrong)
    assert Asked(text="x" * 200, limit=100, offset=900)


def test_unknown_words_are_put_right_where_they_stand() -> None:
    def word(offset: int, length: int, *options: str) -> dict[str, Any]:
        return {"offset": offset, "length": length, "options": [{"text": text} for text in options]}

    words = [word(0, 5, "coffee", "toffee"), word(6, 7), word(14, 5, "paper")]
    assert query.corrected("cofee filters papir", words) == "coffee filters paper"
    assert query.corrected("coffee", [word(0, 6)]) is None
    # As it was read: the short form in full, of which nothing is unknown.
    assert query.corrected("FRZN pizza", [word(0, 6), word(7, 5)]) is None
    asked = query.spelling_body("FRZN pizzza")["suggest"]
    assert asked["text"] == "frozen pizzza" and asked["words"]["term"]["suggest_mode"] == "missing"


def test_suggestions_begin_as_typed_before_those_that_nearly_do() -> None:
    told = query.suggest_body("FRZN piz", 5)["suggest"]
    assert [*told] == ["begun", "near"]
    assert {each["prefix"] for each in told.values()} == {"frozen piz"}
    assert "fuzzy" in told["near"]["completion"] and "fuzzy" not in told["begun"]["completion"]
