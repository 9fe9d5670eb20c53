"""What a table was built by: a fingerprint of the code or the rules behind its rows, in the table's own properties.

Who brings a table up to date bit by bit compares it, and builds the table anew where it differs: rows made by one rule
and rows made by another must not stand beside each other.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import textwrap
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from lake.layers import raw

PROPERTY = "lake.built-by"
CONSTANTS = (str, bytes, int, float, Decimal, tuple, frozenset)


def fingerprint(*parts: str) -> str:
    """A SHA-256 of some texts, each of which counts by itself: ``("ab", "c")`` is not ``("a", "bc")``."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode()
        total.update(len(data).to_bytes(8, "big") + data)
    return total.hexdigest()


def code_of(function: Callable[..., Any]) -> str:
    """What a function does, as text: its code, and the functions and constants that it uses of its own module.

    Comments, docstrings and the way in which it is laid out do not count.
    """
    found: dict[str, str] = {}

    def visit(name: str, value: Callable[..., Any]) -> None:
        tree = _without_docstrings(ast.parse(textwrap.dedent(inspect.getsource(value))))
        found[name] = ast.dump(tree)
        there = inspect.getmodule(value)
        for used in sorted({node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}):
            thing = getattr(there, used, None)
            if used in found:
                continue
            if inspect.isfunction(thing) and inspect.getmodule(thing) is there:
                visit(used, thing)
            elif isinstance(thing, CONSTANTS):
                found[used] = repr(thing)

    visit(function.__qualname__, function)
    return "\n".join(f"{name} = {code}" for name, code in sorted(found.items()))


def _without_docstrings(tree: ast.AST) -> ast.AST:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return tree


def built_by(reference: str, layer: str, table: str) -> str | None:
    """The fingerprint that a table carries; nothing for one that has none, or is not there."""
    found = raw.find(reference, layer, table)
    return found.properties.get(PROPERTY) if found else None


def mark(reference: str, layer: str, table: str, built: str) -> None:
    """Let a table that is built carry its fingerprint. After everything else: a build that breaks off has none."""
    found = raw.find(reference, layer, table)
    assert found is not None
    if found.properties.get(PROPERTY) != built:
        with found.transaction() as transaction:
            transaction.set_properties({PROPERTY: built})
