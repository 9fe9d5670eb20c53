"""A world of servers for these tests, and the record of how each fault went."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lake.runtime.services import KINDS
from tests.faults.case import Case
from tests.faults.catalogue import FAULTS, PAGE, SERVERS, page, written
from tests.faults.world import World

_evidence: dict[str, list[tuple[str, bool]]] = defaultdict(list)


@pytest.fixture(scope="session")
def world(server_kind: str) -> Iterator[World]:
    """Private servers, started once for each kind of source."""
    if server_kind not in KINDS:
        pytest.skip("a server that LAKE_TEST_SERVERS names is not ours to strike")
    made = World(server_kind)
    try:
        made.start()
        yield made
    finally:
        made.close()


@pytest.fixture
def case(world: World) -> Iterator[Case]:
    """An empty source database, and runs over it."""
    made = Case(world)
    try:
        yield made
    finally:
        world.revive()
        made.close()


@pytest.fixture
def found(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Keeps, for the page, what a test found."""
    return lambda text: request.node.user_properties.append(("found", text))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Record the outcome under the fault that the test is marked with."""
    outcome: Any = yield
    marker = item.get_closest_marker("fault")
    if marker and call.when == "call":
        report = outcome.get_result()
        kind = getattr(item, "callspec").params["server_kind"]  # noqa: B009
        found = [text for name, text in item.user_properties if name == "found"] or ["no evidence"]
        texts = [f"{SERVERS[kind]}: {text}" for text in found]
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
