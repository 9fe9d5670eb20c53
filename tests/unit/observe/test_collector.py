"""A collector that fails or hangs is told of, shows nothing old for new, and takes no other with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Event, Thread

import pytest

from lake.errors import ServiceError
from lake.observe.collector import Collector, Watch
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
def watch(clock: Clock, asked: Asked) -> Watch:
    """A collector every ten seconds, with five seconds for a collection."""
    return Watch(Collector("branches", asked, 10, limit_seconds=5), clock)


def told(watch: Watch) -> dict[str, float]:
    """Values by the metrics' names without what all begin with."""
    return {sample.metric.name.removeprefix("shoplake_"): sample.value for sample in watch.samples()}


def test_what_was_found_is_shown_with_when_it_was(watch: Watch) -> None:
    assert told(watch) == {"exporter_up": 0, "exporter_collect_seconds": 0}
    assert not watch.has_answered
    watch.collect()
    assert watch.has_answered
    assert told(watch) == {
        "exporter_up": 1,
        "exporter_collect_seconds": 2,
        "exporter_collected_timestamp_seconds": 1_000,
        "branches": 1,
    }


def test_a_failure_is_told_at_once_and_what_is_old_goes(watch: Watch, asked: Asked, clock: Clock) -> None:
    watch.collect()
    asked.answer = ServiceError("away")
    watch.collect()
    assert told(watch) == {
        "exporter_up": 0,
        "exporter_collect_seconds": 2,
        "exporter_collected_timestamp_seconds": 1_000,
        "branches": 1,
    }
    clock.now = 1_000 + 3 * 10 + 5
    assert "branches" in told(watch)
    clock.now += 1
    assert told(watch) == {"exporter_up": 0, "exporter_collect_seconds": 2}


def test_what_is_found_again_is_shown_again(watch: Watch, asked: Asked, clock: Clock) -> None:
    asked.answer = ValueError("nonsense")
    watch.collect()
    assert told(watch)["exporter_up"] == 0
    asked.answer = 7.0
    watch.collect()
    assert (told(watch)["exporter_up"], told(watch)["branches"]) == (1, 7)


def test_half_a_collection_is_none(clock: Clock) -> None:
    def breaks() -> Iterator[Sample]:
        yield BRANCHES(1, "run")
        raise OSError("in the middle")

    watch = Watch(Collector("branches", breaks, 10), clock)
    watch.collect()
    assert told(watch) == {"exporter_up": 0, "exporter_collect_seconds": 0}


@pytest.fixture
def hanging(clock: Clock) -> Iterator[Callable[[], Watch]]:
    """A collector that found something and hangs in its next collection."""
    free, at_work, calls = Event(), Event(), []

    def collect() -> Iterator[Sample]:
        calls.append(1)
        if len(calls) > 1:
            at_work.set()
            assert free.wait(60)
        yield BRANCHES(1, "run")

    watch = Watch(Collector("branches", collect, 10, limit_seconds=5), clock)
    watch.collect()
    thread = Thread(target=watch.collect)

    def begin() -> Watch:
        thread.start()
        assert at_work.wait(60)
        return watch

    yield begin
    free.set()
    thread.join(60)
    assert told(watch)["exporter_up"] == 1


def test_one_that_hangs_counts_as_down_after_its_limit(hanging: Callable[[], Watch], clock: Clock) -> None:
    watch = hanging()
    clock.now += 5
    assert told(watch)["exporter_up"] == 1
    clock.now += 1
    assert (told(watch)["exporter_up"], told(watch)["exporter_collect_seconds"]) == (0, 6)
    assert told(watch)["branches"] == 1
    clock.now += 30
    assert told(watch) == {"exporter_up": 0, "exporter_collect_seconds": 36}
