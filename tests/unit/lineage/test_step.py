"""The lineage of which run is kept, by which contracts, and how it is found again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from lake.contracts import Contract
from lake.errors import LakeError
from lake.ledger import code, journal, lineage_ledger, receipts
from lake.ledger.receipts import Receipt
from lake.lineage import build
from lake.lineage.events import events
from lake.lineage.keep import Kept
from lake.lineage.kept import of_run
from lake.run import Run
from lake.steps import in_force
from lake.steps import lineage as step
from lake.steps.lineage import lineage

Asked = list[tuple[Run, datetime, Any]]
LEADS = {
    "table": "leads", "description": "x", "owner": "x", "grain": "x", "key": ["id"], "deletes": "none", "source": "crm",
    "columns": {"id": {"type": "int", "nullable": False}},
}  # fmt: skip
LEDGER = {"first": events(build.made({"leads": Contract.model_validate(LEADS)}, False), {}, "a", datetime(2026, 1, 1))}
"""What is kept; somebody has lost the second."""


def _receipt(run_id: str, hour: int, **more: Any) -> Receipt:
    told = {"code_sha256": code.total(), "contracts_sha256": "frozen", "sources": {"crm": {}, "shop": {}}, **more}
    at = datetime(2026, 1, 1, hour, tzinfo=UTC).isoformat()
    return Receipt(run_id, "commit", at, "", at, "v1", told.pop("dbt_manifest_sha256", "m"), **told)


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> dict[str, Receipt]:
    """The receipts that there are."""
    written: dict[str, Receipt] = {}
    monkeypatch.setattr(receipts, "find", written.get)
    return written


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """What was to be kept: run, time, contracts; the second run has the lineage of the first."""
    found: Asked = []
    entries: dict[tuple[str, str], Any] = {}

    def keep(*what: Any) -> Kept:
        found.append(what)
        return Kept("first" if len(found) < 3 else "second", is_new=len(found) != 2)

    monkeypatch.setattr(step, "keep", keep)
    monkeypatch.setattr(journal, "write", lambda run_id, step, entry: entries.update({(run_id, step): entry}))
    monkeypatch.setattr(journal, "find", lambda run_id, step: entries.get((run_id, step)))
    monkeypatch.setattr(lineage_ledger, "events", lambda sha256: LEDGER.get(sha256, []))
    monkeypatch.setattr(in_force, "contracts", lambda run: f"contracts of {run.run_id}")
    return found


def test_every_publish_has_its_turn_under_its_own_contracts(published: dict[str, Receipt], kept: Asked) -> None:
    published |= {name: _receipt(name, hour) for hour, name in enumerate("abc")}
    published["c"] = _receipt("c", 2, dbt_manifest_sha256="", sources={"crm": {}})
    assert lineage(iter("abc")) == ["a", "c"]
    assert [(run.run_id, at.hour, contracts) for run, at, contracts in kept] == [
        ("a", 0, "contracts of a"), ("b", 1, "contracts of b"), ("c", 2, "contracts of c"),
    ]  # fmt: skip
    assert [(run.sources, run.has_marts, run.contracts_sha256) for run, _, _ in kept[1:]] == [
        (("crm", "shop"), True, "frozen"), (("crm",), False, "frozen"),
    ]  # fmt: skip


def test_a_run_that_found_nothing_new_has_the_lineage_of_the_one_that_published(
    published: dict[str, Receipt], kept: Kept
) -> None:
    published |= {"a": _receipt("a", 1), "b": _receipt("b", 2, unchanged_since="a")}
    assert lineage(["b"]) == ["a"]
    assert [(run.run_id, at.hour) for run, at, _ in kept] == [("a", 1)]


def test_the_code_of_another_day_does_not_stand_for_that_of_the_run(
    published: dict[str, Receipt], kept: Asked, caplog: pytest.LogCaptureFixture
) -> None:
    published |= {"a": _receipt("a", 1, code_sha256="other"), "b": _receipt("b", 2)}
    assert lineage(["a", "b"]) == ["b"]
    assert [run.run_id for run, _, _ in kept] == ["b"]
    assert "the lineage of a is not kept: the code has been changed" in caplog.text


def test_a_lineage_that_cannot_be_told_is_an_error_that_somebody_hears_of(
    published: dict[str, Receipt], kept: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    published["a"] = _receipt("a", 1)

    def fail(*_: object) -> bool:
        raise LakeError("a builder uses what sqlframe does not know")

    monkeypatch.setattr(step, "keep", fail)
    with pytest.raises(LakeError, match="what sqlframe does not know"):
        lineage(["a"])


def test_a_run_without_a_receipt_is_named(published: dict[str, Receipt], kept: Asked) -> None:
    with pytest.raises(LakeError, match="run a has no receipt"):
        lineage(["a"])


def test_the_lineage_of_a_run_is_found_again(published: dict[str, Receipt], kept: Asked) -> None:
    published |= {name: _receipt(name, hour) for hour, name in enumerate("ab")}
    published["later"] = _receipt("later", 5, unchanged_since="b")
    lineage("ab")
    for run_id in published:
        column = of_run(run_id).find("cleaned.leads.id")
        assert [str(source) for source in of_run(run_id).sources(column)] == ["crm.leads.id"]


def test_what_was_not_kept_or_is_lost_is_not_made_up(published: dict[str, Receipt], kept: Asked) -> None:
    published |= {name: _receipt(name, hour) for hour, name in enumerate("abcd")}
    lineage("abc")
    for run_id in "cd":
        with pytest.raises(LakeError, match=f"no lineage of run {run_id} is kept") as refused:
            of_run(run_id)
        assert "without --run the lineage of this checkout is told" in refused.value.fix
