"""`lake search`: what is looked for, how it is printed, and what is refused."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from lake.commands.main import app
from lake.errors import LakeError
from lake.search import ask
from lake.search.ask import Answer, Count, Hit
from lake.search.query import Asked, Sort, Way

HIT = Hit(7, "Reed Milk", "GROCERY", "MILK", "WHITE", "National", "GAL", Decimal("1.50"), 1200, None, 3.25)
ANSWER = Answer(
    "run_1",
    "c0ffee0000012345",
    "2026-03-01T00:00:00+00:00",
    Way.corrected,
    "milk",
    1,
    (HIT,),
    {"department": (Count("GROCERY", 1),)},
)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was asked for; the answer is always the same."""
    seen: list[Any] = []

    def search(question: Asked, at: str = "") -> Answer:
        seen.append((question, at))
        return ANSWER

    monkeypatch.setattr(ask, "search", search)
    return seen


def said(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["search", *arguments], env={"COLUMNS": "120"})


def test_what_is_no_command_is_looked_for(asked: list[Any]) -> None:
    assert (
        said("mlik", "--department", "GROCERY", "--department", "DELI", "--sort", "-price", "--to", "2.50").exit_code
        == 0
    )
    assert asked == [
        (Asked("mlik", department=("GROCERY", "DELI"), price_to=Decimal("2.50"), sort=Sort.price_descending), "")
    ]
    said("find", "build", "--no-boosts", "--at", "run_0")
    assert asked[1] == (Asked("build", boosts=False), "run_0")
    said("--json", "white milk")
    assert asked[2] == (Asked("white milk"), "")


def test_an_answer_says_how_it_was_found_and_of_which_receipt(asked: list[Any]) -> None:
    text = said("mlik").stdout
    assert "nothing has these words; this is for: milk" in text
    assert "Reed Milk" in text and "GROCERY / MILK / WHITE" in text and "1.50" in text and "1,200" in text
    assert "department: GROCERY (1)" in text
    assert text.endswith("1 products; receipt run_1, lake c0ffee000001\n")


def test_json_is_the_answer(asked: list[Any]) -> None:
    told = json.loads(said("mlik", "--json").stdout)
    assert told == ANSWER.to_json() | {"hits": [{**told["hits"][0]}], "facets": told["facets"]}
    assert told["hits"][0]["price"] == "1.50" and told["hits"][0]["margin_rate"] is None
    assert (told["way"], told["did_you_mean"], told["is_found"], told["receipt"]) == (
        "corrected",
        "milk",
        True,
        "run_1",
    )
    assert told["facets"] == {"department": [{"value": "GROCERY", "products": 1}]}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("milk", "--sort", "prise"), "--sort prise is no order of products\n  -> did you mean price?"),
        (("milk", "--from", "cheap"), "--from cheap is no price"),
        (("milk", "--limit", "1000"), "limit is 1000"),
    ],
)
def test_what_cannot_be_asked_is_named(asked: list[Any], arguments: tuple[str, ...], message: str) -> None:
    result = said(*arguments)
    assert isinstance(result.exception, LakeError) and message in str(result.exception)
    assert asked == []
