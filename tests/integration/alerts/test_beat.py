"""A watch that looks no more is heard of, through a real Alertmanager and nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from queue import Empty, Queue
from typing import Any

import pytest

from lake.alerts import alertmanager, beat, watch
from lake.commands.services import alerts
from lake.runtime import receivers
from lake.settings import settings
from tests.faults.record import Tell

SILENCE = timedelta(seconds=6)
LOOK_SECONDS = 1.5


@pytest.fixture
def sent(
    webhook: tuple[str, Queue[Any]], start_alertmanager: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> Queue[Any]:
    """What a receiver is sent by an Alertmanager to which some seconds are a long silence."""
    monkeypatch.setattr(receivers, "silence", lambda: SILENCE)
    monkeypatch.setattr(beat, "silence", lambda: SILENCE)
    start_alertmanager(alert_webhook_url=webhook[0], watch_schedule="*/10 * * * *")
    return webhook[1]


def look() -> None:
    """One look of the watch, at nothing."""
    assert watch.watch({}) == []


@pytest.mark.fault("watch_silent")
def test_the_silence_of_the_watch_is_heard_and_ends_with_its_next_look(sent: Queue[Any], tell: Tell) -> None:
    until = time.monotonic() + 2 * SILENCE.total_seconds()
    while time.monotonic() < until:
        look()
        assert alerts()[0].endswith("none up")
        with pytest.raises(Empty):
            sent.get(timeout=LOOK_SECONDS)

    told = sent.get(timeout=2 * SILENCE.total_seconds())
    assert (told["status"], told["commonLabels"]["alertname"]) == ("firing", "WatchSilent")
    assert "the watch has not looked since 20" in told["alerts"][0]["annotations"]["summary"]
    assert alerts()[1].startswith("  WatchSilent: the watch has not looked since 20")

    look()
    assert sent.get(timeout=60)["status"] == "resolved"
    assert [each.labels["alertname"] for each in alertmanager.up()] == ["WatchSilent"]
    tell("Alertmanager told a webhook by itself, and again when the watch looked")


def test_who_looks_by_hand_only_is_not_missed(start_alertmanager: Callable[..., None]) -> None:
    start_alertmanager(watch_schedule="")
    look()
    assert alertmanager.up() == []


@pytest.mark.parametrize(
    ("cron", "silence"),
    [
        ("*/10 * * * *", timedelta(minutes=40)),
        ("0 * * * *", timedelta(hours=1, minutes=30)),
        ("*/30 8-18 * * 1-5", timedelta(days=2, hours=14)),  # from Friday 18:30 to Monday 8:00
    ],
)
def test_how_long_it_may_be_silent_follows_its_schedule(
    monkeypatch: pytest.MonkeyPatch, cron: str, silence: timedelta
) -> None:
    monkeypatch.setenv("LAKE_WATCH_SCHEDULE", cron)
    settings.cache_clear()
    try:
        assert receivers.silence() == silence
        assert f"group_wait: {int(silence.total_seconds())}s" in receivers.configuration()
    finally:
        monkeypatch.undo()
        settings.cache_clear()
