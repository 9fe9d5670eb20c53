"""Commits of many tables are gathered, and sent as one request."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from pyiceberg.exceptions import CommitFailedException, CommitStateUnknownException
from pyiceberg.table.update import AssertCreate, SetLocationUpdate, SetPropertiesUpdate

from lake.platform.rest_catalog import TogetherCatalog


class Answering:
    """A session of which every request gets one answer."""

    def __init__(self, status: int) -> None:
        self.answer = SimpleNamespace(status_code=status, ok=status < 400, text="Nessie\n refused it")
        self.sent: list[dict[str, Any]] = []

    def post(self, url: str, data: bytes) -> SimpleNamespace:
        assert url == "http://nowhere/iceberg/v1/main/transactions/commit"
        self.sent.append(json.loads(data))
        return self.answer


def _catalog(status: int) -> tuple[TogetherCatalog, Answering]:
    catalog, session = TogetherCatalog.__new__(TogetherCatalog), Answering(status)
    catalog.uri, catalog.properties = "http://nowhere/iceberg", {"prefix": "main"}
    catalog._session, catalog._gathered = session, []
    return catalog, session


def _gather(catalog: TogetherCatalog, name: str) -> None:
    table: Any = SimpleNamespace(name=lambda: ("raw", name), metadata=None, metadata_location=None)
    updates = (
        SetPropertiesUpdate(updates={"a": "1", "b": "1"}),
        SetLocationUpdate(location="s3://x"),
        SetPropertiesUpdate(updates={"b": "2"}),
    )
    catalog.commit_table(table, (AssertCreate(),), updates)


def test_all_tables_are_in_one_request_each_with_its_properties_once() -> None:
    catalog, session = _catalog(204)
    for name in ("one", "two"):
        _gather(catalog, name)
    assert session.sent == []
    catalog.commit()
    catalog.commit()
    (sent,) = session.sent
    assert [change["identifier"]["name"] for change in sent["table-changes"]] == ["one", "two"]
    assert sent["table-changes"][0]["updates"] == [
        {"action": "set-location", "location": "s3://x"},
        {"action": "set-properties", "updates": {"a": "1", "b": "2"}},
    ]
    assert sent["table-changes"][0]["requirements"] == [{"type": "assert-create"}]


@pytest.mark.parametrize(("status", "error"), [(409, CommitFailedException), (503, CommitStateUnknownException)])
def test_what_is_refused_is_not_sent_again(status: int, error: type[Exception]) -> None:
    catalog, session = _catalog(status)
    _gather(catalog, "one")
    with pytest.raises(error, match="refused it"):
        catalog.commit()
    catalog.commit()
    assert len(session.sent) == 1


def test_what_is_forgotten_is_not_sent() -> None:
    catalog, session = _catalog(204)
    _gather(catalog, "one")
    catalog.forget()
    catalog.commit()
    assert session.sent == []
