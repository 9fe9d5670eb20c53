"""What is said where OpenSearch is not there."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from lake.errors import ServiceError
from lake.search import ask, build
from lake.search.query import Asked
from lake.settings import settings


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setattr(type(settings()), "search_url", f"http://127.0.0.1:{taken.getsockname()[1]}")
        ask.forget()
        yield settings().search_url


def test_the_address_and_the_way_out_are_told(address: str) -> None:
    for act in (
        lambda: ask.search(Asked("milk")),
        lambda: ask.suggest("mi"),
        lambda: build.build("run_1", "c0ffee", ""),
    ):
        with pytest.raises(ServiceError) as caught:
            act()
        assert f"OpenSearch at {address} does not answer" in caught.value.what
        assert "lake up serve" in caught.value.fix


def test_an_index_is_wanted_by_who_has_chosen_search_only(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings(), "profiles", "")
    assert not build.is_wanted()
    # Then that it is away is an error, and not passed over.
    monkeypatch.setattr(settings(), "profiles", "observe,serve")
    assert build.is_wanted()
