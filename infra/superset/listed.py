"""The files of ``checks/``: what is asked of the lake where no metric is about it.

Their first two lines are comments, a title and what it tells; then comes SQL, or a template of it (Jinja) for what is
asked of every mart behind the dashboards.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, StrictUndefined

CHECKS = Path(__file__).resolve().parent / "checks"
TEMPLATE = ".sql.j2"
ENDINGS = (TEMPLATE, ".sql")


def names() -> list[str]:
    """What can be listed."""
    return sorted(file.name.split(".")[0] for file in CHECKS.iterdir() if file.name.endswith(ENDINGS))


def file_of(name: str) -> Path:
    """The file of one."""
    return next(file for ending in ENDINGS if (file := CHECKS / f"{name}{ending}").is_file())


def head_of(name: str) -> tuple[str, str]:
    """Title, and what it tells."""
    title, about = (line.removeprefix("-- ") for line in file_of(name).read_text("utf-8").splitlines()[:2])
    return title, about


def sql_of(name: str, marts: Sequence[str]) -> str:
    """What is asked.

    Args:
        marts: names of the tables that the dashboards draw from.
    """
    body = file_of(name).read_text("utf-8").split("\n", 2)[2]
    if file_of(name).name.endswith(TEMPLATE):
        body = Environment(undefined=StrictUndefined).from_string(body).render(marts=marts)
    return body.rstrip("\n")


def columns_of(sql: str) -> list[str]:
    """Headings of its columns, from left to right."""
    return re.findall(r'^  .* AS "([^"]+)"', sql, re.MULTILINE)


def order_of(sql: str) -> list[tuple[str, bool]]:
    """Columns that it is sorted by, and whether upwards: a table in Superset has to be told again."""
    found = re.search(r'^ORDER BY "([^"]+)"( DESC)?$', sql, re.MULTILINE)
    return [(found[1], found[2] is None)] if found else []
