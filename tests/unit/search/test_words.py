"""The two files of words, and what is made of them."""

from pathlib import Path

import pytest

from lake.errors import LakeError
from lake.search import words


def test_a_text_of_the_shop_is_spelled_out() -> None:
    assert words.spelled_out("FRZN MEAT/MEAT DINNERS") == "frozen meat meat dinners"
    assert words.spelled_out("FRZN SS PREMIUM ENTREES/DNRS/N") == "frozen single serve premium entrees dinners n"
    assert words.spelled_out("JUICE (100% JUICE)") == "juice 100% juice"
    assert words.spelled_out("MISC. ETC") == "misc"
    assert words.spelled_out(" 🍕/-- ") == ""


def test_the_files_are_sound_and_say_nothing_twice() -> None:
    short = words.abbreviations()
    assert short["frzn"] == "frozen" and short["etc"] == ""
    # Spelled out once is spelled out: no short form leads to another.
    assert [(name, full) for name, full in short.items() if words.spelled_out(full) != full] == []
    rules = words.synonyms()
    assert len(rules) == len(set(rules)) > 50
    for rule in rules:
        for phrase in rule.replace("=>", ",").split(","):
            assert words.spelled_out(phrase) == " ".join(phrase.split()), f"{rule}: write {phrase} in full"
    assert {"soda", "soft drink"} <= set(words.vocabulary())


@pytest.mark.parametrize(
    ("text", "said"), [("frzn frozen", "is no abbreviation"), ("a => b\nc => d\na => e", ":3: 'a' stands there twice")]
)
def test_a_wrong_abbreviation_is_told_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "abbreviations.txt"
    file.write_text(f"{text}\n")
    with pytest.raises(LakeError, match=said):
        words.abbreviations(file)


@pytest.mark.parametrize("text", ["soda", "soda,", "soda => ", "a => b => c"])
def test_a_wrong_synonym_is_told_with_its_line(tmp_path: Path, text: str) -> None:
    file = tmp_path / "synonyms.txt"
    file.write_text(f"# comment\n\n{text}\n")
    with pytest.raises(LakeError, match=r"synonyms.txt:3: .* is no synonym"):
        words.synonyms(file)
