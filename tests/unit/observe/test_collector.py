"""A collector that fails or hangs is told of, shows nothing old for new, and takes no other with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Event, Thread

import pytest

from lake.errors import ServiceError
from lake.observe.collector import Collector, Observer
from lake.observe.metrics import BRANCHES, Sample


class Clock:
    """Stands until it is told to go on."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Asked:
    """What is collected: a number, or an error."""

    def __init__(self, clock: Clock) -> None:
        self.answer: float | Exception = 1.0
        self.takes, self._clock = 2.0, clock

    def __call__(self) -> Iterator[Sample]:
        self._clock.now += self.takes
        if isinstance(self.answer, Exception):
            raise self.answer
        yield BRANCHES(self.answer, "run")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def asked(clock: Clock) -> Asked:
    return Asked(clock)


@pytest.fixture
def observer(clock: Clock, asked: Asked) -> Observer:
    """A collector every ten seconds, with five seconds for a collection."""
    return Observer(Collector("branches", asked, 10, limit_seconds=5), clock)


def told(observer: Observer) -> dict[str, float]:
    """Values by the metrics' names without what all begin with."""
    return {sample.metric.name.removeprefix("shoplake_"): sample.value for sample in observer.samples()}


def test_what_was_found_is_shown_with_when_it_was(observer: Observer) -> None:
    assert told(observer) == {"exporter_up": 0, "exporter_collect_seconds": 0}
    assert not observer.has_answered
    observer.collect()
    assert observer.has_answered
    assert told(observer) == {
        "exporter_up": 1,
        "exporter_collect_seconds": 2,
        "exporter_collected_timestamp_seconds": 1_000,
        "branches": 1,
    }


def test_a_failure_is_told_at_once_and_what_is_old_goes(observer: Observer, asked: Asked, clock: Clock) -> None:
    observer.collect()
    asked.answer = ServiceError("away")
    observer.collect()
    assert told(observer) == {
        "exporter_up": 0,
        "exporter_collect_seconds": 2,
        "exporter_collected_timestamp_seconds": 1_000,
        "branches": 1,
    }
    clock.now = 1_000 + 3 * 10 + 5
    assert "branches" in told(observer)
    clock.now += 1
    assert told(observer) == {"exporter_up": 0, "exporter_collect_seconds": 2}


def test_what_is_found_again_is_shown_again(observer: Observer, asked: Asked, clock: Clock) -> None:
    asked.answer = ValueError("nonsense")
    observer.collect()
    assert told(observer)["exporter_up"] == 0
    asked.answer = 7.0
    observer.collect()
    assert (told(observer)["exporter_up"], told(observer)["branches"]) == (1, 7)


def test_half_a_collection_is_none(clock: Clock) -> None:
    def breaks() -> Iterator[Sample]:
        yield BRANCHES(1, "run")
        raise OSError("in the middle")

    observer = Observer(Collector("branches", breaks, 10), clock)
    observer.collect()
    assert told(observer) == {"exporter_up": 0, "exporter_collect_seconds": 0}


@pytest.fixture
def hanging(clock: Clock) -> Iterator[Callable[[], Observer]]:
    """A collector that found something and hangs in its next collection."""
    free, at_work, calls = Event(), Event(), []

    def collect() -> Iterator[Sample]:
        calls.append(1)
        if len(calls) > 1:
            at_work.set()
            assert free.wait(60)
        yield BRANCHES(1, "run")

    observer = Observer(Collector("branches", collect, 10, limit_seconds=5), clock)
    observer.collect()
    thread = Thread(target=observer.collect)

    def begin() -> Observer:
        thread.start()
        assert at_work.wait(60)
        return observer

    yield begin
    free.set()
    thread.join(60)
    assert told(observer)["exporter_up"] == 1


def test_one_that_hangs_counts_as_down_after_its_limit(hanging: Callable[[], Observer], clock: Clock) -> None:
    observer = hanging()
    clock.now += 5
    assert told(observer)["exporter_up"] == 1
    clock.now += 1
    assert (told(observer)["exporter_up"], told(observer)["exporter_collect_seconds"]) == (0, 6)
    assert told(observer)["branches"] == 1
    clock.now += 30
    assert told(observer) == {"exporter_up": 0, "exporter_collect_seconds": 36}
