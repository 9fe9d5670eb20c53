"""The lake as commands look at it: published, on a branch, or as it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from lake.errors import LakeError


@contextmanager
def viewed(reference: str | None) -> Iterator[str]:
    """A catalog of Trino that shows the published lake, a branch, or a commit as ``main@HASH``.

    Raises:
        LakeError: there is nothing of that name, or the commit is no longer kept, which is said.
    """
    from lake.ledger import retention
    from lake.platform import sql
    from lake.platform.catalog import CATALOG

    if reference is None:
        yield CATALOG
        return
    commit = reference.partition("@")[2]
    try:
        with sql.catalog_at(f"view_{reference.replace('@', '_')[:40]}", reference) as name:
            yield name
    except LakeError as error:
        raise (retention.unreadable(commit, error) if commit else error) from error
