"""What OpenSearch Dashboards is given: every search, each object after those that it refers to."""

from __future__ import annotations

import json

from infra.opensearch_dashboards.saved_objects import made
from lake.observe.search import Asked
from lake.observe.searches import searches

OBJECTS = list(made())


def test_what_is_referred_to_comes_before() -> None:
    known: set[tuple[str, str]] = set()
    for each in OBJECTS:
        assert {(to["type"], to["id"]) for to in each["references"]} <= known, each["id"]
        known.add((each["type"], each["id"]))
    assert len(known) == len(OBJECTS)


def test_every_saved_search_is_one_there_and_asks_the_same() -> None:
    found = {each["id"]: each["attributes"] for each in OBJECTS if each["type"] == "search"}
    assert list(found) == list(searches())
    for name, search in searches().items():
        source = json.loads(found[name]["kibanaSavedObjectMeta"]["searchSourceJSON"])
        assert source["filter"][0]["query"] == search.narrowed(Asked()).query()["query"]


def test_names_within_an_object_are_those_of_its_references() -> None:
    for each in OBJECTS:
        text = json.dumps(each["attributes"])
        assert all(to["name"] in text for to in each["references"]), each["id"]
