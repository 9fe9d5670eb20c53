"""The two passes of a night's parity: what has drifted, and whether the run between them has mended it."""

from __future__ import annotations

from collections.abc import Sequence

from lake.errors import AuditError
from lake.ledger import parity_pass
from lake.ledger.parity import Finding


def sweep() -> list[str]:
    """Compare every table and mark what has drifted.

    Returns:
        Names of the tables that are to be compared again after a repair; none where nothing is to be mended.

    Raises:
        AuditError: a table could not be compared, and nothing has drifted: there is nothing to do but to tell.
    """
    found = parity_pass.take(is_marking=True)
    if not any(finding.drift.rows for finding in found):
        _refuse(found)
    return [finding.table for finding in found if not finding.is_sound]


def prove(tables: Sequence[str]) -> int:
    """Compare some tables again; how many of their rows were mended.

    Raises:
        AuditError: rows still differ, or a table could not be compared.
    """
    found = parity_pass.take(tables, is_marking=True)
    _refuse(found)
    return sum(finding.mended_rows for finding in found)


def _refuse(found: Sequence[Finding]) -> None:
    unproven = [
        f"{finding.table}: {finding.error or f'{finding.drift.rows} rows differ'}"
        for finding in found
        if not finding.is_sound
    ]
    if unproven:
        raise AuditError("not equal to the source:\n" + "\n".join(unproven), "see `lake parity TABLE`")
