"""What a receipt says of several sources, and what is left out of a lake without marts."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from lake.contracts import Contract, frozen
from lake.errors import ContractError, LakeError
from lake.extract import manifest
from lake.extract.manifest import Manifest
from lake.layers import marts
from lake.layers.outcome import Outcome
from lake.ledger import journal, parity_ledger, receipts
from lake.ledger.receipts import Receipt
from lake.platform import catalog, storage
from lake.quality.counts import Rows
from lake.reports import deliver
from lake.run import Run
from lake.source.snapshot import Snapshot
from lake.steps.publish import publish

EARLY, LATE = "2026-01-01T00:00:00+00:00", "2026-01-01T00:00:09+00:00"
KEY = {"type": "bigint", "nullable": False}
COMMON = {"description": "x", "owner": "x", "grain": "x", "deletes": "none", "key": ["k"], "columns": {"k": KEY}}


@pytest.fixture
def objects(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """The object store, as a dictionary of this test."""
    kept: dict[str, bytes] = {}

    def get(uri: str) -> bytes:
        if uri not in kept:
            raise FileNotFoundError(uri)
        return kept[uri]

    def list_keys(prefix: str) -> list[str]:
        return sorted(uri for uri in kept if uri.startswith(prefix + "/"))

    monkeypatch.setattr(storage, "put", lambda uri, data, content_type="": kept.update({uri: data}))
    monkeypatch.setattr(storage, "put_new", lambda uri, data, content_type="": kept.setdefault(uri, data))
    monkeypatch.setattr(storage, "get", get)
    monkeypatch.setattr(storage, "delete", lambda uri: kept.pop(uri, None))
    monkeypatch.setattr(storage, "list_keys", list_keys)
    return kept


def landed(source: str, instant: str) -> Manifest:
    snapshot = Snapshot(source, datetime.fromisoformat(instant), f"of {source}", "11.4")
    return Manifest(f"{source}_table", "r", "full", snapshot, source_rows=2, watermark=None, reason="new")


def ended(objects: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, names: list[str]) -> Run:
    """A run over some sources, of one table each, all of whose steps but the last have come to their end."""
    contracts = {f"{n}_table": Contract.model_validate({**COMMON, "source": n, "table": f"{n}_table"}) for n in names}
    instants = {"crm": EARLY, "shop": LATE, "wms": LATE}
    monkeypatch.setattr(manifest, "read_all", lambda source, run_id: [landed(source, instants[source])])
    monkeypatch.setattr("lake.ledger.publish.publish", lambda run, draft: draft)
    proven = {"shop_table": datetime.fromisoformat(EARLY)}
    monkeypatch.setattr(parity_ledger, "verified_through", lambda: proven)
    journal.write("r", "register", {"cleaned": list(contracts), "waiting": [], "unchanged_since": ""})
    for name in names:
        journal.write("r", "clean", [Outcome(f"{name}_table", judged=2, valid=2).to_json()], part=name)
    journal.write("r", "curate", {"written": {}, "held": []})
    journal.write("r", "marts", {"manifest_sha256": "m", "rows": {}, "tests": {}})
    journal.write("r", "audit", {"checks": 1, "rows": {table: Rows(2, 0).to_json() for table in contracts}})
    return Run("r", "base", sources=tuple(names), contracts_sha256=frozen.freeze(contracts))


@pytest.mark.parametrize(
    ("names", "source_position"), [(["crm", "shop"], "of shop"), (["wms", "crm"], "of crm"), (["shop"], "of shop")]
)
def test_a_receipt_names_the_instant_and_position_of_every_source(
    objects: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, names: list[str], source_position: str
) -> None:
    run = ended(objects, monkeypatch, names)
    receipt = publish(run)
    assert isinstance(receipt, Receipt)
    instants = {"crm": EARLY, "shop": LATE, "wms": LATE}
    expected = {
        name: {"instant": instants[name], "position": f"of {name}", "is_exact": False, "server": "11.4"}
        for name in names
    }
    assert receipt.sources == expected
    assert receipt.source_position == source_position
    assert {table: counts["source"] for table, counts in receipt.tables.items()} == {f"{n}_table": n for n in names}
    through = {table: counts["verified_through"] for table, counts in receipt.tables.items()}
    assert through == {f"{name}_table": EARLY if name == "shop" else "" for name in names}
    assert receipt.layers["cleaned"] == 2 * len(names)
    assert receipt.contracts_sha256 == run.contracts_sha256 != ""
    assert receipt.dbt_manifest_sha256 == "m"


def test_a_run_that_found_nothing_new_leaves_a_receipt_of_the_lake_that_it_found(
    objects: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = ended(objects, monkeypatch, ["shop"])
    first = replace(publish(run), run_id="q", lake_commit="hash", published_at=EARLY)
    receipts.write(first)
    journal.write("r", "register", {"cleaned": [], "waiting": [], "unchanged_since": "q"})
    receipts.remember_unchanged(replace(first, run_id="p", unchanged_since="q"))
    removed: list[str] = []
    monkeypatch.setattr(catalog, "delete_branch", removed.append)
    forgotten: list[tuple[str, str]] = []
    monkeypatch.setattr(manifest, "forget", lambda source, run_id: forgotten.append((source, run_id)))

    receipt = publish(run)

    assert (receipt.unchanged_since, receipt.lake_commit) == ("q", "hash")
    assert (receipt.dbt_manifest_sha256, receipt.layers) == ("m", dict.fromkeys(first.layers, 0))
    assert receipt.tables["shop_table"]["cleaned_rows"] == 2
    assert receipt.source_instant == LATE
    assert removed == ["run_r"]
    assert receipts.newest_unchanged_since("q") == "r"
    assert forgotten == [("shop", "p")], "its place is taken by that of the newer run"
    assert [one.run_id for one in receipts.receipts()] == ["r", "q"]


def test_a_run_of_which_a_table_was_not_cleaned_is_not_published(
    objects: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = ended(objects, monkeypatch, ["crm", "wms"])
    del objects["s3://audit/r/steps/clean/wms.json"]
    with pytest.raises(LakeError, match="run r has not cleaned wms_table"):
        publish(run)


def test_a_step_whose_forerunner_has_not_ended_says_which(
    objects: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = ended(objects, monkeypatch, ["crm"])
    del objects["s3://audit/r/steps/audit.json"]
    with pytest.raises(LakeError, match="run r has no entry of its step 'audit'"):
        publish(run)


def test_a_run_keeps_the_contracts_that_it_began_with(
    objects: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = ended(objects, monkeypatch, ["crm"])
    assert run.contracts()["crm_table"] == Contract.model_validate({**COMMON, "source": "crm", "table": "crm_table"})
    (uri,) = [uri for uri in objects if "/contracts/" in uri]
    objects[uri] = objects[uri].replace(b"bigint", b"int")
    with pytest.raises(ContractError, match="is not what the run began with"):
        run.contracts()
    del objects[uri]
    with pytest.raises(ContractError, match="the contracts of this run are gone"):
        run.contracts()


def test_a_run_is_the_same_after_a_way_through_json() -> None:
    run = Run("r", "base", "full", "v1", sources=("shop", "crm"), has_marts=False, contracts_sha256="c")
    assert Run.from_json(run.to_json()) == run


def test_reports_on_marts_wait_until_there_are_any(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marts, "catalog_tables", lambda reference: ["cleaned.crm_contacts", "raw.marts_of_ours"])
    assert deliver.due("abc") == []
    assert marts.readable(["SELECT 1 FROM cleaned.marts_of_ours"], "abc")
    assert not marts.readable(["SELECT 1 FROM cleaned.x", "SELECT 1 FROM marts.daily_revenue"], "abc")
    monkeypatch.setattr(marts, "catalog_tables", lambda reference: ["marts.daily_revenue"])
    assert deliver.due("abc") == ["business", "daily", "monthly", "weekly"]
