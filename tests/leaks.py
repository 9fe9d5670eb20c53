"""What may stand in no log, and in no span: looked for in those of a whole session, when it is over."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from lake import secret_file

PEOPLE = re.compile(rb"[\w.+-]+@example\.(?:com|net|org)")
"""Addresses of the demo shop's customers, which are made up."""

PLACES = ("logs/*", "run/*.log", "data/airflow/logs/**/*.log", "data/traces/*")


def leaks(home: Path) -> Iterator[str]:
    """Where in the logs of a state folder a secret stands, or a customer's address; the secret itself is not told."""
    secrets = {name: value.encode() for name, value in secret_file.read(home).items()}
    for file in sorted(file for place in PLACES for file in home.glob(place) if file.is_file()):
        content = file.read_bytes()
        for name, value in secrets.items():
            if value in content:
                yield f"{file.relative_to(home)} holds {name}"
        if found := PEOPLE.search(content):
            yield f"{file.relative_to(home)} holds {found[0].decode()}"
