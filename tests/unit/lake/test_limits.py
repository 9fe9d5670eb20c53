"""Every call to another process or server says how long it may take: read from the code, so that none is forgotten."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from lake.settings import PROJECT

LIMITS = {
    "subprocess.run": {"timeout"},
    "httpx.get": {"timeout"},
    "httpx.request": {"timeout"},
    "urllib3.request": {"timeout"},
    "socket.create_connection": {"timeout"},
    "psycopg2.connect": {"connect_timeout", "options"},
    "pymysql.connect": {"connect_timeout", "read_timeout"},
    "trino.dbapi.connect": {"request_timeout", "session_properties"},
}
"""Calls, and the arguments that limit them."""

WITHOUT: dict[str, str] = {}
"""Calls that need no limit, as file:call, each with its reason."""


def _calls() -> Iterator[tuple[Path, str, set[str]]]:
    """Each call of those above: its file, its name, the arguments that it names."""
    for folder in ("dags", "infra", "lake", "spark_jobs"):
        for file in sorted((PROJECT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Call) and (name := ast.unparse(node.func)) in LIMITS:
                    yield file.relative_to(PROJECT), name, {keyword.arg or "**" for keyword in node.keywords}


def test_every_call_to_another_process_has_an_end() -> None:
    calls = list(_calls())
    assert {name for _, name, _ in calls} == set(LIMITS), "each of them is looked at"
    endless = {f"{file}:{name}" for file, name, given in calls if not LIMITS[name] <= given}
    assert endless == set(WITHOUT)
