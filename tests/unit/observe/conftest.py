"""The shipper, beside an OpenSearch that is played."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from lake.observe.shipper import application
from tests.unit.observe.played import OpenSearch


@pytest.fixture
def opensearch() -> OpenSearch:
    return OpenSearch()


@pytest.fixture
def shipper(opensearch: OpenSearch) -> Iterator[TestClient]:
    with TestClient(application("http://opensearch", opensearch)) as client:
        yield client
