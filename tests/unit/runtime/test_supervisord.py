"""What the supervisor waits for."""

import os
import time
from unittest.mock import Mock

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
