"""Lineage as events of OpenLineage, and when they are kept."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from lake.contracts import Contract
from lake.ledger import lineage_ledger
from lake.ledger.lineage_ledger import Event
from lake.lineage import build, queries
from lake.lineage.events import events, read
from lake.lineage.keep import keep
from lake.lineage.model import lake_table
from lake.platform import storage
from lake.run import Run
from lake.settings import settings
from lake.source.sources import Source

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
CRM = Source("crm", "db.example.com", 3306, "reader", "sales", SecretStr(""))


def _leads(**columns: dict[str, Any]) -> dict[str, Contract]:
    told = {"source": "crm", "table": "leads", "description": "Leads.", "owner": "sales", "grain": "one row a lead"}
    key = {"id": {"type": "int", "nullable": False}}
    return {"leads": Contract.model_validate({**told, "key": ["id"], "deletes": "none", "columns": key | columns})}


def _documents(found: list[Event]) -> dict[str, dict[str, Any]]:
    return {one.job: json.loads(one.json) for one in found}


def test_a_job_has_one_event_with_a_facet_for_each_table_that_it_makes() -> None:
    made = build.made(_leads(mail={"type": "varchar(9)", "source_name": "E-Mail"}), has_marts=False)
    found = _documents(events(made, {"crm": CRM}, "run 1", NOON))
    assert set(found) == {"extract.leads", "clean.leads"}
    extract = found["extract.leads"]
    assert (extract["eventType"], extract["eventTime"]) == ("COMPLETE", "2026-01-01T12:00:00+00:00")
    assert extract["job"] == {"namespace": "lake", "name": "extract.leads", "facets": {}}
    assert [(one["namespace"], one["name"]) for one in extract["inputs"]] == [
        ("mysql://db.example.com:3306", "sales.leads")
    ]
    (raw,) = extract["outputs"]
    assert raw["name"] == "raw.leads"
    facet = raw["facets"]["columnLineage"]
    # https://openlineage.io/spec/facets/1-2-0/ColumnLineageDatasetFacet.json
    assert {"_producer", "_schemaURL", "fields"} <= set(facet)
    (mail,) = facet["fields"]["mail"]["inputFields"]
    (transformation,) = mail.pop("transformations")
    assert mail == {"namespace": "mysql://db.example.com:3306", "name": "sales.leads", "field": "E-Mail"}
    assert (transformation["type"], transformation["subtype"]) == ("DIRECT", "IDENTITY")
    assert [one["name"] for one in found["clean.leads"]["outputs"]] == ["cleaned.leads", "quarantine.leads"]
    assert {one["run"]["runId"] for one in found.values()} == {extract["run"]["runId"]}
    again = _documents(events(made, {"crm": CRM}, "run 2", NOON))
    assert again["extract.leads"]["run"]["runId"] != extract["run"]["runId"]


def test_what_decides_the_rows_stands_with_the_whole_table() -> None:
    table = lake_table("marts", "m")
    made = queries.read(table, "dbt.m", "select a as x from raw.t where b = 1", {lake_table("raw", "t"): ("a", "b")})
    facet = _documents(events([made], {}, "run 1", NOON))["dbt.m"]["outputs"][0]["facets"]["columnLineage"]
    (row,) = facet["dataset"]
    assert (row["namespace"], row["name"], row["field"]) == ("lake", "raw.t", "b")
    assert [(one["type"], one["subtype"]) for one in row["transformations"]] == [("INDIRECT", "FILTER")]


def test_events_say_all_that_a_lineage_does() -> None:
    contracts = _leads(mail={"type": "varchar(9)", "source_name": "E-Mail"}, at={"type": "datetime"})
    query = "select max(at) as at, 1 as one from cleaned.leads where id > 0 group by mail"
    made = build.made(contracts, has_marts=False)
    known = {one.table: tuple(one.columns) for one in made}
    made.append(queries.read(lake_table("marts", "m"), "dbt.m", query, known))
    said = events(made, {"crm": CRM}, "run 1", NOON)
    again = {one.table: one for one in read(said, {"crm": CRM})}
    assert again == {one.table: one for one in made}
    assert all([*again[one.table].columns] == [*one.columns] for one in made), "in their order"


def test_a_source_that_has_moved_is_called_by_the_name_of_its_database() -> None:
    said = events(build.made(_leads(), has_marts=False), {"crm": CRM}, "run 1", NOON)
    assert "sales.leads" in {str(one.table) for one in read(said, {"crm": replace(CRM, port=3307)})}


class Ledger:
    """Keeps in memory what `lineage_ledger` writes into the lake."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, str]] = []

    def write(self, run_id: str, published_at: datetime, found: list[Event], sha256: str) -> bool:
        if sha256 == self.sha256_at(published_at):
            return False
        self.kept.append((run_id, sha256))
        return True

    def sha256_at(self, instant: datetime) -> str | None:
        return self.kept[-1][1] if self.kept else None


@pytest.fixture
def ledger(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Ledger:
    objects: dict[str, bytes] = {}
    monkeypatch.setattr(storage, "put", lambda uri, data, content_type: objects.update({uri: data}))

    def get(uri: str) -> bytes:
        if uri not in objects:
            raise FileNotFoundError(uri)
        return objects[uri]

    monkeypatch.setattr(storage, "get", get)
    kept = Ledger()
    monkeypatch.setattr(lineage_ledger, "write", kept.write)
    monkeypatch.setattr(lineage_ledger, "sha256_at", kept.sha256_at)
    monkeypatch.setattr(settings(), "home", tmp_path / "state")
    return kept


def _keep(run_id: str, contracts: dict[str, Contract]) -> bool:
    return keep(Run(run_id, "", has_marts=False), NOON, contracts).is_new


def test_lineage_is_kept_when_it_has_changed_and_only_then(ledger: Ledger) -> None:
    assert _keep("first", _leads())
    assert not _keep("second", _leads())
    assert _keep("third", _leads(mail={"type": "varchar(9)"}))
    # A rule is no lineage: it is read anew, and found to be the same.
    assert not _keep("fourth", _leads(mail={"type": "varchar(9)", "accepted": ["a"]}))
    assert [run_id for run_id, _ in ledger.kept] == ["first", "third"]


def test_nothing_is_read_where_code_and_contracts_are_those_of_the_run_before(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert _keep("first", _leads())
    read: list[str] = []
    of_contracts = build.made

    def made(contracts: dict[str, Contract], has_marts: bool) -> Any:
        read.extend(contracts)
        return of_contracts(contracts, has_marts)

    monkeypatch.setattr(build, "made", made)
    assert not _keep("second", _leads())
    assert read == []
    rules = tmp_path / "rules.yml"
    rules.write_text(settings().alert_rules.read_text() + "# the same rules\n")
    monkeypatch.setattr(settings(), "alert_rules", rules)
    assert not _keep("third", _leads())
    assert read == ["leads"]


def test_what_was_lost_is_kept_again(ledger: Ledger) -> None:
    assert _keep("first", _leads())
    ledger.kept.clear()  # as if somebody had thrown the branch `ops` away
    assert _keep("second", _leads())


def test_what_lake_lineage_has_read_is_not_read_again(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    build.read(_leads(), False)
    monkeypatch.setattr(build, "made", None)
    assert _keep("first", _leads())
