"""One pass of parity: every source is swept, and what has drifted is marked for the next run, or no longer is."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

from lake.errors import SourceError
from lake.ledger import parity, parity_marks, parity_subjects
from lake.ledger.parity import Finding
from lake.platform import catalog
from lake.source import sources


def take(tables: Collection[str] = (), *, is_marking: bool) -> list[Finding]:
    """Compare main as it is now with its sources.

    A source that is away is noted, and the others are compared.

    Args:
        tables: names of those that are wanted; all without.
        is_marking: whether rows that have drifted are marked, to be read again by the next run. The mark of a table
            that is proven equal is taken away in any case.

    Raises:
        LakeError: nothing was published yet, or a table that is wanted was not.
        ServiceError: the catalog or the object store is away.
    """
    findings = []
    for source, subjects in parity_subjects.published(catalog.head(), tables).items():
        try:
            found = parity.sweep(sources.named(source), subjects)
        except SourceError as error:
            found = [parity.unknown(subject, datetime.now(UTC), error.what) for subject in subjects]
        for subject, finding in zip(subjects, found, strict=True):
            if finding.is_equal:
                parity_marks.forget(finding.table)
            elif finding.drift.rows and is_marking:
                parity_marks.set_mark(finding, subject.contract)
        findings += found
    return findings
