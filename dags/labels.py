"""What a mapped task is called on Airflow's pages."""

from __future__ import annotations

from collections.abc import Sequence

LONGEST = 60
"""Characters. Airflow's column holds 250, and the task fails after all its work when a label is longer."""

MORE = "…"


def label(names: str | Sequence[str], noun: str = "tables") -> str:
    """A short label whatever there is to name: ``customers``, ``72 tables: customers, orders, …``.

    Args:
        names: one name, or those of all that the task works on.
        noun: what several are.
    """
    names = [names] if isinstance(names, str) else list(names)
    if len(names) == 1:
        return _cut(names[0] or MORE, LONGEST)
    if not names:
        return f"no {noun}"
    head = f"{len(names)} {noun}: "
    if len(whole := head + ", ".join(names)) <= LONGEST:
        return whole
    shown: list[str] = []
    while len(head + ", ".join([*shown, names[len(shown)], MORE])) <= LONGEST:
        shown.append(names[len(shown)])
    return head + ", ".join([*shown, MORE]) if shown else _cut(head + names[0], LONGEST)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + MORE
