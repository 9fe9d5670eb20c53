"""The way of the logs and spans, as `lake up` starts it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from tenacity import Retrying, stop_after_delay, wait_fixed

from tests.parts import collecting


@pytest.fixture(scope="package")
def logging(servers: None) -> Iterator[None]:
    """What is logged and traced is found."""
    with collecting():
        yield


def soon(holds: Callable[[], bool], seconds: int = 60) -> None:
    for attempt in Retrying(stop=stop_after_delay(seconds), wait=wait_fixed(0.5), reraise=True):
        with attempt:
            assert holds()
