"""One pass of parity over all sources: a sweep of each, the ledger, and marks for the next run of what has drifted."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from lake.errors import SourceError
from lake.ledger import parity, parity_ledger, parity_marks, parity_subjects
from lake.ledger.parity import Against, Finding
from lake.ledger.parity_subjects import Subject
from lake.platform import catalog
from lake.source import sources


def take(tables: Collection[str] = (), *, is_marking: bool, against: Against = "source") -> list[Finding]:
    """Compare main as it is now with its sources.

    A source that is away is noted, and the others are compared.

    Args:
        tables: names of those that are wanted; all without.
        is_marking: whether rows that have drifted are marked, to be read again by the next run. The mark of a table
            that is proven equal is taken away in any case, and its rows are mended.

    Raises:
        LakeError: nothing was published yet, or a table that is wanted was not.
        ServiceError: the catalog or the object store is away.
    """
    sweep, commit = uuid.uuid4().hex, catalog.head()
    before = parity_ledger.verified_through()
    findings: list[Finding] = []
    for source, subjects in parity_subjects.published(commit, tables).items():
        for subject, finding in zip(subjects, _swept(source, subjects, against), strict=True):
            through = finding.instant if finding.is_equal else before.get(finding.table)
            findings.append(_marked(subject, replace(finding, verified_through=through), is_marking))
    parity_ledger.write(sweep, commit, against, findings)
    return findings


def _swept(source: str, subjects: Sequence[Subject], against: Against) -> list[Finding]:
    try:
        return parity.sweep(sources.named(source), subjects, against)
    except SourceError as error:
        return [parity.unknown(subject, datetime.now(UTC), error.what) for subject in subjects]


def _marked(subject: Subject, finding: Finding, is_marking: bool) -> Finding:
    """Bring a table's mark to what was found of it."""
    if finding.is_equal:
        marks = parity_marks.read([subject.contract])
        if mark := marks.get(finding.table):
            parity_marks.forget(finding.table)
            return replace(finding, mended_rows=mark.rows)
    elif finding.drift.rows and is_marking:
        parity_marks.set_mark(finding, subject.contract)
    return finding
