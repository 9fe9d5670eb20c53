"""The page of docs/ that shows how the faults went names those that the tests strike, and no others."""

from __future__ import annotations

import re
from pathlib import Path

from tests.faults.catalogue import FAULTS, PAGE, page, written


def test_the_page_lists_every_fault() -> None:
    assert list(written(PAGE)) == [(fault.name, fault.injected) for fault in FAULTS.values()]


def test_every_fault_has_a_test() -> None:
    texts = [file.read_text() for file in Path(__file__).parents[1].rglob("test_*.py")]
    assert {name for text in texts for name in re.findall(r'mark\.fault\("(\w+)"\)', text)} == set(FAULTS)


def test_the_page_was_written_by_a_run_in_which_all_was_struck_and_survived() -> None:
    text = PAGE.read_text()
    assert "not run" not in text
    assert "**no**" not in text


def test_a_fault_that_was_not_survived_shows() -> None:
    evidence = {name: [("fine", True)] for name in FAULTS} | {"zombie": [("fine", True), ("lost a row", False)]}
    (row,) = [line for line in page(evidence).splitlines() if "woken" in line]
    assert row.endswith("| **no** | fine<br>lost a row (**not survived**) |")


def test_what_was_found_on_another_server_stays() -> None:
    def struck(row: str, *found: tuple[str, bool]) -> str:
        fault = FAULTS["zombie"]
        lines = page({"zombie": list(found)}, {(fault.name, fault.injected): row}).splitlines()
        return next(line for line in lines if line.startswith(f"| {fault.name} |"))

    first = struck("", ("MariaDB: a", True), ("MariaDB: b", False))
    both = struck(first, ("MySQL: c", True))
    assert both.endswith("| **no** | MariaDB: a<br>MariaDB: b (**not survived**)<br>MySQL: c |")
    assert struck(both, ("MariaDB: d", True)).endswith("| yes | MySQL: c<br>MariaDB: d |")
    assert struck("| x | y | yes | of no server |", ("MySQL: c", True)).endswith("| yes | MySQL: c |")
