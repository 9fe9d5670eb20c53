"""What the supervisor waits for."""

import os
import time
from unittest.mock import Mock

import pytest
from supervisor import poller as its_own
from supervisor import supervisord as its_daemon
from supervisor.options import ServerOptions

from lake.runtime import supervisord
from lake.runtime.supervisord import Poller


def test_a_number_that_went_to_another_file_keeps_nobody_awake() -> None:
    """A connection has ended, and its number is that of the stdin of a server now, which closes it."""
    poller = Poller(Mock())
    connection, peer = os.pipe()
    poller.register_readable(connection)
    assert poller.poll(0) == ([], [])
    theirs, stdin = os.pipe()
    os.dup2(stdin, connection)
    for file in (peer, theirs, stdin):
        os.close(file)

    before = time.monotonic()
    assert poller.poll(0.3) == ([], [])
    assert time.monotonic() - before >= 0.3
    os.close(connection)


def test_what_is_registered_is_told() -> None:
    poller = Poller(Mock())
    reading, writing = os.pipe()
    os.write(writing, b"a line")
    poller.register_readable(reading)
    poller.register_writable(writing)
    assert poller.poll(0) == ([reading], [writing])
    os.close(reading)
    os.close(writing)


def test_the_daemon_waits_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[ServerOptions] = []
    monkeypatch.setattr(its_own, "Poller", its_own.Poller)
    monkeypatch.setattr(its_daemon, "main", lambda: made.append(ServerOptions()))
    supervisord.main()
    assert isinstance(made[0].poller, Poller)
