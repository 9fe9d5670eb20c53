"""Receipts: the proof that a published run leaves."""

from __future__ import annotations

import json
from collections.abc import Iterator, Set
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from lake.errors import LakeError
from lake.platform import storage
from lake.settings import settings

HELD_BACK = "held back"
"""Mode of a table that could not be read, and stays as it was."""

NOT_ASKED_FOR = "not asked for"
"""Mode of a table that the run was not to read."""

GONE = "gone"
"""Mode of a table that the source has dropped, and that the lake keeps as its contract says."""

NOT_READ = frozenset({HELD_BACK, NOT_ASKED_FOR, GONE})


@dataclass(frozen=True)
class Receipt:
    """What a run published, and on what evidence.

    Attributes:
        run_id: also the receipt's id.
        lake_commit: commit of main that shows exactly what the run published; Trino, Spark and PyIceberg read the
            lake as it was under ``main@<lake_commit>``.
        source_instant: UTC instant as of which the shop was read, ISO 8601; of a lake without it, the earliest of all.
        source_position: binlog position of that snapshot.
        sources: per source: instant, position and server version of its own snapshot, and whether it held exactly what
            the position names (``is_exact``); else it held at least that.
        published_at: UTC, ISO 8601.
        code_version: commit of the code, or its package version.
        contracts_sha256: of the contracts that the run began with; `audit/contracts/<sha256>.json` holds them.
        code_sha256: of all code that the run began with.
        code: SHA-256 of the code behind each layer (`lake.ledger.code`).
        unchanged_since: the run that published the lake which this one found to be the source's still; empty for a run
            that published one itself.
        dbt_manifest_sha256: of the dbt manifest without its generation times.
        tables: per table: source, mode, since when it is held back, in what its contract followed it, rows read,
            valid, refused, deleted, how many verdicts edited rules have changed (``rejudged``), how many rows the
            source has (``source_rows``), ``cleaned`` and ``quarantine``, and up to when parity had proven it equal to
            its source, row by row (``verified_through``; empty for never).
        layers: rows written per layer.
        checks: of the audit: how many, how many failed, and the address of the data docs.
        trace_id: of the run's trace, which `lake trace` shows; empty where it was not traced.
    """

    run_id: str
    lake_commit: str
    source_instant: str
    source_position: str
    published_at: str
    code_version: str
    dbt_manifest_sha256: str
    contracts_sha256: str = ""
    code_sha256: str = ""
    code: dict[str, str] = field(default_factory=dict)
    unchanged_since: str = ""
    sources: dict[str, dict[str, Any]] = field(default_factory=dict)
    tables: dict[str, dict[str, Any]] = field(default_factory=dict)
    layers: dict[str, int] = field(default_factory=dict)
    checks: dict[str, Any] = field(default_factory=dict)
    trace_id: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    def verified_through(self, source: str) -> datetime | None:
        """Up to when parity had proven every table of a source equal to it; None where one never was."""
        said = [told.get("verified_through", "") for told in self.tables.values() if told.get("source") == source]
        return min(map(datetime.fromisoformat, said)) if said and all(said) else None

    def remarks(self) -> list[str]:
        """What a person should know of tables that were not simply read, a line each."""
        lines = []
        for name, told in self.tables.items():
            lines += [
                f"{name} follows its source: {change}; `lake follow --write` notes it"
                for change in told.get("followed", ())
            ]
            if anew := told.get("rejudged"):
                lines.append(
                    f"{name} was judged by edited rules: {anew['refused']:,} rows wait in quarantine that did not, "
                    f"{anew['accepted']:,} no longer"
                )
            since = f"as of {told['held_since'][:19]} UTC" if told.get("held_since") else "never read yet"
            if told["mode"] == HELD_BACK:
                lines.append(f"{name} is held back, {since}: {told['reason']}")
            elif told["mode"] == GONE:
                lines.append(f"{name} is gone from its source and stays, {since}, as its contract says")
        return lines


def policy() -> str:
    """Which receipts are kept, for people (`lake.ledger.retention`)."""
    config = settings()
    return (
        f"all receipts are kept for {config.receipts_all_days} days, the last one of each day for "
        f"{config.receipts_daily_days} days, and the last one of each month for ever: `lake receipts` lists them"
    )


_PENDING = f"{storage.RECEIPTS}/pending"
_UNCHANGED = f"{storage.RECEIPTS}/unchanged"


def address(run_id: str) -> str:
    """Where the receipt of a run is kept."""
    return f"{storage.RECEIPTS}/{run_id}.json"


def prepare(receipt: Receipt) -> None:
    """Keep what a receipt will say before its run is merged, so that a merge never stays without one.

    Commit and time, which the merge gives, are still to come.
    """
    _put(f"{_PENDING}/{receipt.run_id}.json", receipt)


def write(receipt: Receipt) -> None:
    """Keep a receipt; writing the same run's again replaces it with the same content."""
    _put(address(receipt.run_id), receipt)
    forget(receipt.run_id)


def remember_unchanged(receipt: Receipt) -> None:
    """Let it be known that a run found the lake of another to be the source's still; the newest such counts."""
    storage.put(f"{_UNCHANGED}/{receipt.unchanged_since}.json", json.dumps(receipt.run_id).encode(), "application/json")


def newest_unchanged_since(run_id: str) -> str | None:
    """The newest run that found the lake of a published one to be the source's still, if there is one."""
    try:
        return str(json.loads(storage.get(f"{_UNCHANGED}/{run_id}.json")))
    except FileNotFoundError:
        return None


def outdated_notes(kept: Set[str]) -> list[str]:
    """Addresses of what is noted of runs of which no receipt is kept.

    Args:
        kept: ids of the runs whose receipts are.
    """
    return [uri for uri in storage.list_keys(_UNCHANGED) if uri.rpartition("/")[2].removesuffix(".json") not in kept]


def forget(run_id: str) -> None:
    """Throw away what was prepared for a run."""
    storage.delete(f"{_PENDING}/{run_id}.json")


def prepared() -> list[Receipt]:
    """What was prepared for runs whose publish has not come to its end."""
    return [Receipt(**json.loads(storage.get(uri))) for uri in storage.list_keys(_PENDING)]


def _put(uri: str, receipt: Receipt) -> None:
    storage.put(uri, json.dumps(receipt.to_json(), indent=1).encode(), "application/json")


def _written() -> list[str]:
    return [uri for uri in storage.list_keys(storage.RECEIPTS) if _is_one(uri)]


def _is_one(uri: str) -> bool:
    """Whether an object is a receipt: what lies in folders beside them is about runs, and what others put there (an
    object store's own marks, a browser's) has another ending.
    """
    folder, _, name = uri.rpartition("/")
    return folder == storage.RECEIPTS and name.endswith(".json")


def receipts() -> list[Receipt]:
    """All receipts, the newest first."""
    found = [Receipt(**json.loads(storage.get(uri))) for uri in _written()]
    return sorted(found, key=lambda receipt: receipt.published_at, reverse=True)


def newest(limit: int) -> Iterator[Receipt]:
    """The last receipts, the newest first; each is read when it is asked for."""
    written = (uri for uri in storage.list_newest(storage.RECEIPTS) if _is_one(uri))
    for uri in islice(written, limit):
        yield Receipt(**json.loads(storage.get(uri)))


@dataclass(frozen=True, order=True)
class Listed:
    """A receipt that is kept, before it is read.

    Attributes:
        written_at: UTC, ISO 8601.
    """

    written_at: str
    run_id: str


def listed() -> list[Listed]:
    """Which receipts are kept, the last written first. None of them is read."""
    found = (one for one in storage.listed(storage.RECEIPTS) if _is_one(one.uri))
    return sorted((Listed(one.written_at.isoformat(), _run_id(one.uri)) for one in found), reverse=True)


def run_ids() -> set[str]:
    """Runs of which there is a receipt."""
    return {_run_id(uri) for uri in _written()}


def _run_id(uri: str) -> str:
    return uri.rpartition("/")[2].removesuffix(".json")


def of_run(run_id: str) -> Receipt:
    """The receipt of a run.

    Raises:
        LakeError: there is none.
    """
    found = find(run_id)
    if found is None:
        raise LakeError(
            f"run {run_id} has no receipt at {address(run_id)}",
            f"{policy()}. If it was killed while it published, the next `lake run` writes its receipt",
        )
    return found


def published(run_id: str) -> Receipt:
    """The receipt of a run; of one that found nothing new, that of the run which published the lake that it found.

    Raises:
        LakeError: there is none.
    """
    receipt = of_run(run_id)
    return of_run(receipt.unchanged_since) if receipt.unchanged_since else receipt


def find(run_id: str) -> Receipt | None:
    """The receipt of a run; nothing for one that has none."""
    try:
        return Receipt(**json.loads(storage.get(address(run_id))))
    except FileNotFoundError:
        return None


def latest() -> Receipt:
    """The newest receipt.

    Raises:
        LakeError: nothing was published yet.
    """
    found = receipts()
    if not found:
        raise LakeError("nothing was published yet", "run the pipeline with `lake run`")
    return found[0]
