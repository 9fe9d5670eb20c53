"""The fingerprint of what builds a table."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lake.layers import built

CODE = '''
TAX = 2


def _net(amount):
    """Without tax."""
    return amount - TAX


def total(amounts):
    """All of them."""
    # Added up.
    return sum(_net(amount) for amount in amounts)


def other():
    return 1
'''


@pytest.fixture
def code_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Called with a module's text: what its function ``total`` does."""

    def load(text: str) -> str:
        file = tmp_path / f"module_{len(list(tmp_path.iterdir()))}.py"
        file.write_text(text)
        spec = importlib.util.spec_from_file_location(file.stem, file)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, file.stem, module)
        spec.loader.exec_module(module)
        return built.code_of(module.total)

    return load


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Added up", "Summed"),
        ("All of them", "Each"),
        ("Without tax.", "Net."),
        ("return 1", "return 2"),
        ("\n\n\n", "\n\n"),
    ],
)
def test_what_changes_nothing_does_not_count(code_of: Callable[[str], str], old: str, new: str) -> None:
    assert old in CODE
    assert code_of(CODE.replace(old, new)) == code_of(CODE)


@pytest.mark.parametrize(("old", "new"), [("TAX = 2", "TAX = 3"), ("amount - TAX", "amount + TAX"), ("sum(", "max(")])
def test_what_changes_a_row_counts_wherever_it_stands(code_of: Callable[[str], str], old: str, new: str) -> None:
    assert old in CODE
    assert code_of(CODE.replace(old, new)) != code_of(CODE)


def test_texts_count_each_by_itself() -> None:
    assert built.fingerprint("ab", "c") != built.fingerprint("a", "bc")
    assert built.fingerprint("ab", "c") == built.fingerprint("ab", "c")
