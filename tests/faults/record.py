"""The record of how each fault went: of any test that is marked with one, wherever it stands."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.faults.catalogue import FAULTS, PAGE, SERVERS, page, written

Tell = Callable[[str], None]
"""Takes, for the page, what a test found."""

_evidence: dict[str, list[tuple[str, bool]]] = defaultdict(list)


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Tell:
    """Keeps, for the page, what a test found."""
    return lambda text: request.node.user_properties.append(("found", text))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Record the outcome under the fault that the test is marked with."""
    outcome: Any = yield
    marker = item.get_closest_marker("fault")
    if marker and call.when == "call":
        report = outcome.get_result()
        kind = getattr(getattr(item, "callspec", None), "params", {}).get("server_kind", "")
        server = f"{SERVERS[kind]}: " if kind in SERVERS else ""
        found = [text for name, text in item.user_properties if name == "found"] or ["no evidence"]
        texts = [server + text for text in found]
        _evidence[marker.args[0]] += [(text, report.passed) for text in texts]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A marker that names no fault is a mistake."""
    for item in items:
        marker = item.get_closest_marker("fault")
        if marker and marker.args[0] not in FAULTS:
            raise pytest.UsageError(f"{item.nodeid}: there is no fault {marker.args[0]!r}")


def pytest_sessionfinish() -> None:
    """Write the page, when `make test-faults` asks for it. What was not struck this time stays as it was."""
    if os.environ.get("WRITE_RELIABILITY_PAGE"):
        PAGE.write_text(page(_evidence, written(PAGE)))
