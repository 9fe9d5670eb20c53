"""Ids that stay the same wherever the files are made and brought in: they are made of names."""

from __future__ import annotations

import uuid

NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://shoplake.invalid/superset")


def uuid_of(kind: str, name: str) -> str:
    """The id of a database, dataset, chart or dashboard.

    >>> uuid_of("chart", "a") == uuid_of("chart", "a") != uuid_of("dashboard", "a")
    True
    """
    return str(uuid.uuid5(NAMESPACE, f"{kind}/{name}"))
