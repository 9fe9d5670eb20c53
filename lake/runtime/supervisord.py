"""`python -m lake.runtime.supervisord`: supervisor's own daemon, which asks only about files that are still its own."""

from __future__ import annotations

from supervisor import poller, supervisord


class Poller(poller.PollPoller):  # type: ignore[misc]  # supervisor has no types
    """What supervisor waits with, without memory.

    Before each poll supervisor registers what it wants to hear of. Its own poller keeps that for the next polls too, by
    the number of the file; when a connection of `lake up` ends and the stdin of a starting process takes its number, it
    goes on to ask about that. A server that closes its stdin, as MariaDB does, is then told as an error at once, each
    time, for ever: one core busy with nothing.
    """

    def poll(self, timeout: float) -> tuple[list[int], list[int]]:
        try:
            readable, writable = super().poll(timeout)
        finally:
            self.initialize()
        return readable, writable

    def unregister_readable(self, fd: int) -> None:
        """Nothing is registered for longer than one poll."""

    def unregister_writable(self, fd: int) -> None:
        """Nothing is registered for longer than one poll."""


def main() -> None:
    """Be supervisor's daemon, with its own arguments."""
    poller.Poller = Poller
    supervisord.main()


if __name__ == "__main__":
    main()
